package webdav

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"net/http"
	"strings"
	"time"

	"ferry/remote"
)

// List implements remote.Remote. The entries are those of one answer of the server, read as they
// are taken.
func (r *Remote) List(ctx context.Context, dir string) iter.Seq2[remote.Entry, error] {
	return remote.Entries(func(take func(remote.Entry) bool) error {
		err := check(ctx, dir)
		if err == nil {
			err = r.list(ctx, dir, take)
		}
		return remote.Fail("list", dir, err)
	})
}

// list gives the entries of dir to take, until that returns false.
func (r *Remote) list(ctx context.Context, dir string, take func(remote.Entry) bool) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel() // ends an answer that nobody reads any more
	u := r.url(dir, true)
	resp, err := r.propfind(ctx, u, "1", r.entryProps())
	if err != nil {
		return r.explainList(ctx, dir, err)
	}
	defer resp.Body.Close()
	l := listing{ages: &r.ages, self: strings.TrimRight(u.Path, "/"), omit: func(one *response, reason string) {
		remote.Omitted(ctx, one.Href, reason)
	}}
	defer func() { r.sweep(context.WithoutCancel(ctx), dir, l.stale) }()
	var bad error
	err = responses(resp.Body, r.network.Listing(), func(one *response) bool {
		if ctx.Err() != nil {
			bad = context.Cause(ctx)
			return false
		}
		base, p, isEntry, err := l.next(one)
		if err != nil {
			bad = err
			return false
		}
		if !isEntry || r.excluded(p) {
			return true
		}
		name := decode(r.encoding, base)
		if !remote.ValidName(base) || !remote.ValidName(name) {
			remote.Omitted(ctx, one.Href, remote.OmittedName)
			return true
		}
		return take(r.entry(name, p))
	})
	switch {
	case bad != nil:
		return bad
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case err == nil && !l.seen:
		return errNoDAV
	case err == nil && l.unknown > 0 && l.entries == 0:
		return fmt.Errorf("%w: of the %d that the server lists none is known to be in the directory", remote.ErrMalformed, l.unknown)
	}
	return err
}

// explainList finds out why dir cannot be listed.
func (r *Remote) explainList(ctx context.Context, dir string, err error) error {
	if dir == "." || ctx.Err() != nil {
		return err
	}
	e, statErr := r.stat(ctx, dir)
	switch {
	case errors.Is(statErr, remote.ErrNotExist):
		return remote.ErrNotExist
	case statErr == nil && !e.Dir:
		return remote.ErrNotDir
	}
	return err
}

func (r *Remote) excluded(p props) bool {
	return r.excludeShares && strings.Contains(p.Permissions, "S") || r.excludeMounts && strings.Contains(p.Permissions, "M")
}

// A listing tells the entries of a directory from the directory itself.
type listing struct {
	ages *remote.Ages
	self string // path of the directory, as the server writes it
	seen bool   // a response has come
	omit func(one *response, reason string)

	entries int // responses that are understood, besides that of the directory
	unknown int // those that are not

	stale []string // uploads that were left long ago, a few of them
}

// next returns the name and the properties of what a response describes.
func (l *listing) next(one *response) (base string, p props, isEntry bool, err error) {
	parent, base := one.path()
	path := parent + "/" + base
	first := !l.seen
	l.seen = true
	p, found := one.props()
	if first && path != l.self && parent != l.self {
		l.self = path // a proxy in front of the server shows it below another path than its own
	}
	switch {
	case path == l.self && found && p.Collection == nil:
		return "", p, false, remote.ErrNotDir
	case parent == l.self && found && isUpload(base):
		if when := parseTime(p.Modified); len(l.stale) < maxSweep && !when.IsZero() && l.ages.Exceed(when, staleAge) {
			l.stale = append(l.stale, base)
		}
		return "", p, false, nil
	case path == l.self:
		return "", p, false, nil
	case parent != l.self && strings.HasPrefix(path, l.self+"/"): // the server answers with the whole tree
		return "", p, false, nil
	case parent != l.self:
		l.unknown++
		l.omit(one, "it is not in the directory")
		return "", p, false, nil
	case !found && statusOf(one.Status) == http.StatusNotFound: // it has disappeared meanwhile
		return "", p, false, nil
	case !found:
		l.unknown++
		l.omit(one, "the server does not describe it")
		return "", p, false, nil
	}
	l.entries++
	return base, p, true, nil
}

// An upload that was left by a program that was killed is removed by whoever lists its directory
// when it is as old as that: no upload goes on for so long without changing the time of its file.
const (
	staleAge = 24 * time.Hour
	maxSweep = 8 // how many of them one listing removes
)

// sweep removes uploads that were left in dir. It does not matter when that fails.
func (r *Remote) sweep(ctx context.Context, dir string, stale []string) {
	ctx, cancel := context.WithTimeout(ctx, discardTime)
	defer cancel()
	for _, base := range stale {
		_, _ = r.send(ctx, http.MethodDelete, r.url(remote.Join(dir, base), false))
	}
}
