package writeback

import (
	"cmp"
	"context"
	"errors"
	"io/fs"
	"log/slog"
	"net/url"
	"slices"
	"strings"
	"time"

	"ferry/cache"
	"ferry/remote"
)

// A Cause is why changes wait for longer than they should: an account that is refused, a remote
// that cannot be reached, a disk that cannot be read. It is over when none of them waits for it any
// more.
type Cause struct {
	Text    string    // what the first of them failed with
	Since   time.Time // when that was
	Changes int       // how many wait
}

// causes are those of a Tree, by what they are compared by. Tree.mu guards them.
type causes map[string]*cause

type cause struct {
	Cause                // INVARIANT: Changes is how many changes have it
	told       time.Time // when the log last told of it
	toldOfThis bool      // and that was since Since
}

const (
	// tellAgain is how long the log is silent about a cause that it has told of.
	tellAgain = 10 * time.Minute
	// maxCauses is how many are told apart. What comes on top counts as one.
	maxCauses = 16
)

// of returns the cause that err is.
func (s causes) of(err error, now time.Time) *cause {
	text := causeText(err)
	k := causeKey(text)
	if s[k] == nil && len(s) >= maxCauses {
		s.tidy(now)
		if len(s) >= maxCauses {
			k = ""
		}
	}
	if s[k] == nil {
		s[k] = &cause{}
	}
	if s[k].Changes == 0 {
		s[k].Cause, s[k].toldOfThis = Cause{Text: text, Since: now}, false
	}
	return s[k]
}

// tidy forgets those that are over, and that the log may tell of again.
func (s causes) tidy(now time.Time) {
	for k, c := range s {
		if c.Changes == 0 && now.Sub(c.told) >= tellAgain {
			delete(s, k)
		}
	}
}

// current returns those that are not over, the oldest first.
func (s causes) current() []Cause {
	var all []Cause
	for _, c := range s {
		if c.Changes > 0 {
			all = append(all, c.Cause)
		}
	}
	slices.SortFunc(all, func(a, b Cause) int { return cmp.Or(a.Since.Compare(b.Since), cmp.Compare(a.Text, b.Text)) })
	return all
}

// causeText is what err says without the names of the file that it happened to.
func causeText(err error) string {
	var local *contentError
	if errors.As(err, &local) {
		return local.prefix() + causeText(local.err)
	}
	var whole *wholeError
	if errors.As(err, &whole) {
		return whole.prefix() + causeText(whole.err)
	}
	for {
		var (
			path *fs.PathError
			link *url.Error
		)
		switch {
		case errors.As(err, &path):
			err = path.Err
		case errors.As(err, &link):
			err = link.Err
		default:
			return strings.Join(strings.Fields(err.Error()), " ")
		}
	}
}

// causeKey is text without its numbers, which are of ports, requests and times.
func causeKey(text string) string {
	digit := func(r rune) bool { return r >= '0' && r <= '9' }
	return strings.Join(strings.FieldsFunc(text, digit), "0")
}

// blame notes that c waits because of err, and tells of it once for all that do.
// LOCKS_REQUIRED(v.mu)
func (v *Tree) blame(ctx context.Context, c *change, err error) {
	now := time.Now()
	why := v.causes.of(err, now)
	if c.cause != why {
		v.acquit(c)
		c.cause = why
		why.Changes++
	}
	about := []slog.Attr{
		slog.String("path", c.rec.Name), slog.String("change", c.rec.Kind.String()), slog.Int("tries", c.tries),
		slog.Duration("delay", c.delay), slog.Any("error", err),
	}
	if !why.told.IsZero() && now.Sub(why.told) < tellAgain {
		v.log.LogAttrs(ctx, slog.LevelDebug, "a change could not be carried out on the remote; it will be tried again", about...)
		return
	}
	level := slog.LevelWarn // it may be over in a moment
	if !isFailure(err) || why.toldOfThis {
		level = slog.LevelError
	}
	why.told, why.toldOfThis = now, true
	about = append(about, slog.Int("changes", why.Changes), slog.Time("since", why.Since))
	v.log.LogAttrs(ctx, level, "changes wait for the remote until this is over; nothing is lost, and they go on by themselves", about...)
}

// isFailure reports whether err is a failure on the way to the remote, and nothing that it or this
// machine has said.
func isFailure(err error) bool {
	var local *contentError
	return !errors.As(err, &local) && !remote.Permanent(err)
}

// acquit notes that c does not wait any more, or for something else.
// LOCKS_REQUIRED(v.mu)
func (v *Tree) acquit(c *change) {
	why := c.cause
	if why == nil {
		return
	}
	c.cause = nil
	why.Changes--
	if why.Changes == 0 && why.toldOfThis {
		v.log.Info("what changes waited for is over", "error", why.Text, "since", why.Since)
	}
}

// because is what c waits for.
func (c *change) because() string {
	if c.cause == nil {
		return ""
	}
	return c.cause.Text
}

// inherit has next wait for what old waited for, whose place it takes.
// LOCKS_REQUIRED(v.mu)
func (v *Tree) inherit(next, old *change) {
	if next.cause == nil && old.cause != nil {
		next.cause = old.cause
		next.cause.Changes++
	}
}

// final reports whether err, with which c failed, is about c alone and will be the same for ever:
// the remote cannot hold what c wants, or what was to be sent is damaged. Everything else passes,
// or can be mended, and is waited for.
func final(c *change, err error) bool {
	var local *contentError
	if errors.As(err, &local) {
		return local.damaged()
	}
	return remote.RefusesObject(err) || c.rec.Kind == cache.Dir && errors.Is(err, remote.ErrExist)
}
