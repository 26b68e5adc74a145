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
	"sync"
	"time"

	"ferry/remote"
)

// Remote is a remote whose calls are logged.
type Remote struct {
	remote.Forward
	log    *slog.Logger
	warned warned
}

// New returns a decorator of r that logs to log.
func New(r remote.Remote, log *slog.Logger) *Remote {
	return &Remote{Forward: remote.Forward{Remote: r}, log: log.With(slog.String("remote", r.Info().Name))}
}

// A call is one that is under way.
type call struct {
	r     *Remote
	op    string
	name  string
	begun time.Time

	mu    sync.Mutex // a stage may be ended while it is written to
	bytes int64      // guarded by mu
	err   error      // guarded by mu; what a stream broke off with
}

// begin returns a call that begins, and its context, under which drivers warn of what no call fails
// for.
func (r *Remote) begin(ctx context.Context, op, name string) (context.Context, *call) {
	return remote.WithLog(ctx, r.log), &call{r: r, op: op, name: name, begun: time.Now()}
}

// moved is told of the bytes of a stream.
func (c *call) moved(n int64, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.bytes += n
	if err != nil && err != io.EOF && c.err == nil {
		c.err = err
	}
}

// end logs the call, with attrs behind its name.
func (c *call) end(ctx context.Context, err error, attrs ...slog.Attr) {
	level := slog.LevelDebug
	switch {
	case errors.Is(err, remote.ErrArchived):
		level = slog.LevelWarn
	case err != nil && (!remote.Permanent(err) || remote.IsFinal(err)) && ctx.Err() == nil:
		level = slog.LevelInfo
	}
	if !c.r.log.Enabled(ctx, level) {
		return
	}
	all := append([]slog.Attr{slog.String("name", c.name)}, attrs...)
	all = append(all, slog.Duration("took", time.Since(c.begun)))
	if err != nil {
		all = append(all, slog.Any("error", err))
	}
	c.r.log.LogAttrs(ctx, level, c.op, all...)
}

// endStream logs a call with the bytes that have moved. Its error is the first of all.
func (c *call) endStream(ctx context.Context, err error, attrs ...slog.Attr) {
	c.mu.Lock()
	bytes, first := c.bytes, c.err
	c.mu.Unlock()
	if first != nil {
		err = first
	}
	c.end(ctx, err, append(attrs, slog.Int64("bytes", bytes))...)
}
