// Package logged is a decorator that logs what a remote is asked to do: each call when it is over,
// with its name, its time, its bytes and its error. Calls are logged at DEBUG; those that failed on
// the way to the remote at INFO (see remote.Permanent), as they say more of the remote than of what
// was asked. What a driver warns of (remote.Warn) is logged at WARN, and so is, once for each
// directory, what a listing leaves out (remote.Omitted), and that an object is archived, which
// somebody has to restore.
//
// Names are logged as they are. No remote puts a secret into its own name or into an error.
package logged

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"os"
	"sync"
	"time"

	"ferry/remote"
	"ferry/remote/wrap/intercept"
)

// Remote is a remote whose calls are logged.
type Remote struct {
	*intercept.Remote
	log    *slog.Logger
	warned warned
}

// New returns a decorator of r that logs to log.
func New(r remote.Remote, log *slog.Logger) *Remote {
	l := &Remote{log: log.With(slog.String("remote", r.Info().Name))}
	l.Remote = intercept.New(r, l.call)
	return l
}

// call is around every call. Drivers warn under its context of what no call fails for. A call of
// Open is logged when the reader is closed; an *os.File is passed on as it is, and logged at once.
func (r *Remote) call(ctx context.Context, c *intercept.Call) error {
	ctx, begun := remote.WithLog(ctx, r.log), time.Now()
	switch c.Op {
	case intercept.List:
		return r.list(ctx, c, begun)
	case intercept.Open:
		return r.open(ctx, c, begun)
	case intercept.Put:
		return r.put(ctx, c, begun)
	}
	err := c.Do(ctx)
	switch c.Op {
	case intercept.Stage:
		r.end(ctx, c, begun, err)
		if err == nil {
			written := &moved{}
			c.Stage, c.State = remote.TapStage(c.Stage, written.add), written
		}
	case intercept.Commit, intercept.Keep, intercept.Abort:
		c.State.(*moved).end(ctx, r, c, begun, err)
	default:
		r.end(ctx, c, begun, err)
	}
	return err
}

func (r *Remote) list(ctx context.Context, c *intercept.Call, begun time.Time) error {
	var left omissions
	ctx = remote.WithOmitted(ctx, left.add)
	defer r.warnOf(ctx, c.Name, &left)
	entries, yield := 0, c.Yield
	c.Yield = func(e remote.Entry, err error) bool {
		if err == nil {
			entries++
		}
		return yield(e, err)
	}
	err := c.Do(ctx)
	r.end(ctx, c, begun, err, slog.Int("entries", entries))
	return err
}

func (r *Remote) open(ctx context.Context, c *intercept.Call, begun time.Time) error {
	err := c.Do(ctx)
	if _, local := c.Reader.(*os.File); local || err != nil {
		r.end(ctx, c, begun, err)
		return err
	}
	name, off, length, read := c.Name, c.Offset, c.Length, &moved{}
	c.Reader = remote.TapReader(c.Reader, read.add, func(err error) {
		c := intercept.Call{Op: intercept.Open, Name: name, Offset: off, Length: length}
		read.end(ctx, r, &c, begun, err)
	})
	return nil
}

func (r *Remote) put(ctx context.Context, c *intercept.Call, begun time.Time) error {
	sent := &moved{}
	// An error of the body is one of the Put.
	c.Body = remote.TapBody(c.Body, func(n int64, _ error) { sent.add(n, nil) })
	err := c.Do(ctx)
	sent.end(ctx, r, c, begun, err)
	return err
}

// end logs a call, with attrs behind what was asked for.
func (r *Remote) end(ctx context.Context, c *intercept.Call, begun time.Time, err error, attrs ...slog.Attr) {
	level := slog.LevelDebug
	switch {
	case errors.Is(err, remote.ErrArchived):
		level = slog.LevelWarn
	case err != nil && (!remote.Permanent(err) || remote.IsFinal(err)) && ctx.Err() == nil:
		level = slog.LevelInfo
	}
	if !r.log.Enabled(ctx, level) {
		return
	}
	all := append([]slog.Attr{slog.String("name", c.Name)}, asked(c)...)
	all = append(append(all, attrs...), slog.Duration("took", time.Since(begun)))
	if err != nil {
		all = append(all, slog.Any("error", err))
	}
	r.log.LogAttrs(ctx, level, string(c.Op), all...)
}

// asked returns what a call was asked for beside the name.
func asked(c *intercept.Call) []slog.Attr {
	switch c.Op {
	case intercept.Open:
		if c.Length >= 0 {
			return []slog.Attr{slog.Int64("offset", c.Offset), slog.Int64("length", c.Length)}
		}
		return []slog.Attr{slog.Int64("offset", c.Offset)}
	case intercept.Stage:
		return []slog.Attr{slog.Int64("offset", c.Upload.Off)}
	case intercept.Remove:
		if c.Version != "" {
			return []slog.Attr{slog.String("version", c.Version)}
		}
	case intercept.Move, intercept.Copy:
		return []slog.Attr{slog.String("to", c.To)}
	case intercept.SetModTime:
		return []slog.Attr{slog.Time("modtime", c.ModTime)}
	case intercept.SetMode:
		return []slog.Attr{slog.String("mode", c.Mode.String())}
	case intercept.Hash:
		return []slog.Attr{slog.String("algorithm", c.Algorithm)}
	}
	return nil
}

// moved is what a stream has moved.
type moved struct {
	mu    sync.Mutex // a stage may be ended while it is written to
	bytes int64      // guarded by mu
	err   error      // guarded by mu; what the stream broke off with
}

func (m *moved) add(n int64, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.bytes += n
	if err != nil && err != io.EOF && m.err == nil {
		m.err = err
	}
}

// end logs a call with the bytes that have moved. Its error is the first of all.
func (m *moved) end(ctx context.Context, r *Remote, c *intercept.Call, begun time.Time, err error) {
	m.mu.Lock()
	bytes, first := m.bytes, m.err
	m.mu.Unlock()
	if first != nil {
		err = first
	}
	r.end(ctx, c, begun, err, slog.Int64("bytes", bytes))
}
