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

// A Cause is a reason why changes stay pending for longer than they should: a refused account, an
// unreachable remote, an unreadable disk. It is over when no change has it any more.
type Cause struct {
	Text    string    // the error of the first change that had it
	Since   time.Time // time of that error
	Changes int       // number of changes that have it
}

// causes are the Causes of a Tree, by causeKey. Tree.mu guards them.
type causes map[string]*cause

type cause struct {
	Cause                // INVARIANT: Changes is how many changes have it
	lastLogged time.Time // when it was last logged
	wasLogged  bool      // it was logged after Since
}

const (
	// logInterval is how long a logged cause is not logged again.
	logInterval = 10 * time.Minute
	// maxCauses is the number of distinct causes. All further ones count as one.
	maxCauses = 16
)

// of returns the cause for err.
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
		s[k].Cause, s[k].wasLogged = Cause{Text: text, Since: now}, false
	}
	return s[k]
}

// tidy drops the causes that are over and may be logged again.
func (s causes) tidy(now time.Time) {
	for k, c := range s {
		if c.Changes == 0 && now.Sub(c.lastLogged) >= logInterval {
			delete(s, k)
		}
	}
}

// current returns the causes that are not over, the oldest first.
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

// causeText returns the text of err without the names of the file.
func causeText(err error) string {
	var local *contentError
	if errors.As(err, &local) {
		return local.prefix() + causeText(local.err)
	}
	var whole *fullSendError
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

// causeKey returns text without its numbers, which are ports, request numbers and times.
func causeKey(text string) string {
	digit := func(r rune) bool { return r >= '0' && r <= '9' }
	return strings.Join(strings.FieldsFunc(text, digit), "0")
}

// recordCause records that c is delayed by err, and logs it once for all changes with the same
// cause.
// LOCKS_REQUIRED(v.mu)
func (v *Tree) recordCause(ctx context.Context, c *change, err error) {
	now := time.Now()
	why := v.causes.of(err, now)
	if c.cause != why {
		v.clearCause(c)
		c.cause = why
		why.Changes++
	}
	about := []slog.Attr{
		slog.String("path", c.rec.Name), slog.String("change", c.rec.Kind.String()), slog.Int("tries", c.tries),
		slog.Duration("delay", c.delay), slog.Any("error", err),
	}
	if !why.lastLogged.IsZero() && now.Sub(why.lastLogged) < logInterval {
		v.log.LogAttrs(ctx, slog.LevelDebug, "a change could not be carried out on the remote; it will be tried again", about...)
		return
	}
	level := slog.LevelWarn // it may be over in a moment
	if !isFailure(err) || why.wasLogged {
		level = slog.LevelError
	}
	why.lastLogged, why.wasLogged = now, true
	about = append(about, slog.Int("changes", why.Changes), slog.Time("since", why.Since))
	v.log.LogAttrs(ctx, level, "changes wait for the remote until this is over; nothing is lost, and they go on by themselves", about...)
}

// isFailure reports whether err is a failure on the way to the remote, rather than an answer of the
// remote or an error of this machine.
func isFailure(err error) bool {
	var local *contentError
	return !errors.As(err, &local) && !remote.Permanent(err)
}

// clearCause records that c is not delayed any more, or by another cause.
// LOCKS_REQUIRED(v.mu)
func (v *Tree) clearCause(c *change) {
	why := c.cause
	if why == nil {
		return
	}
	c.cause = nil
	why.Changes--
	if why.Changes == 0 && why.wasLogged {
		v.log.Info("what changes waited for is over", "error", why.Text, "since", why.Since)
	}
}

// reason returns the text of c's cause.
func (c *change) reason() string {
	if c.cause == nil {
		return ""
	}
	return c.cause.Text
}

// inherit gives next, which supersedes old, the cause of old.
// LOCKS_REQUIRED(v.mu)
func (v *Tree) inherit(next, old *change) {
	if next.cause == nil && old.cause != nil {
		next.cause = old.cause
		next.cause.Changes++
	}
}

// final reports whether err, with which c failed, is about c alone and will never change: the
// remote cannot hold such a file, or the pending content is damaged. Anything else is transient or
// can be fixed, and is retried.
func final(c *change, err error) bool {
	var local *contentError
	if errors.As(err, &local) {
		return local.damaged()
	}
	return err == errAside || remote.RefusesObject(err) || c.rec.Kind == cache.Dir && errors.Is(err, remote.ErrExist)
}
