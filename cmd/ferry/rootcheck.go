package main

import (
	"context"
	"crypto/tls"
	"errors"
	"log/slog"
	"net"
	"os"
	"time"

	"ferry/cmd/ferry/internal/flags"
	"ferry/remote"
	"ferry/vfs"
)

// rootWait is how long the start waits for what is said of the root: a mistake in the path is
// mostly found before anybody is served.
const rootWait = 400 * time.Millisecond

// A rootCheck finds out beside the start whether what is to be served is a directory that can be
// reached.
type rootCheck struct {
	what   string
	cached bool // there is a cache, so that what comes need not go there at once
	before bool // and it was there before this start: the remote has been served, so that what is wrong with it may be mended
	log    *slog.Logger

	cancel context.CancelFunc
	done   chan struct{} // closed when it has ended
	err    error         // read after done
}

// checkRoot begins to look at the root of r. The caller calls end.
func (o *options) checkRoot(ctx context.Context, r remote.Remote, what string, log *slog.Logger) *rootCheck {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), vfs.AnswerLimit)
	c := &rootCheck{what: what, cached: o.Cache.Mode != flags.CacheOff, log: log, cancel: cancel, done: make(chan struct{})}
	if c.cached {
		if dir, err := o.places.Store(r.Info(), o.IsReadOnly()); err == nil {
			_, err := os.Stat(dir)
			c.before = err == nil
		}
	}
	go func() {
		defer close(c.done)
		root, err := r.Stat(ctx, ".")
		if err == nil && !root.Dir {
			err = remote.ErrNotDir
		}
		c.err = err
	}()
	return c
}

// atOnce waits for a moment, and returns what is wrong with the root if that is known by then and
// nothing can be served.
func (c *rootCheck) atOnce(ctx context.Context) error {
	select {
	case <-c.done:
		return c.mistake()
	case <-time.After(rootWait):
	case <-ctx.Done():
	}
	return nil
}

// waiting reports whether nothing has been heard of the remote yet, or nothing that says what it
// is.
func (c *rootCheck) waiting() bool {
	select {
	case <-c.done:
		return c.err != nil
	default:
		return true
	}
}

// finish waits for the end of the check or of ctx, and returns what atOnce would have. A remote
// that does not answer is told to the log.
func (c *rootCheck) finish(ctx context.Context) error {
	select {
	case <-c.done:
	case <-ctx.Done():
		return nil
	}
	if err := c.mistake(); err != nil || c.err == nil {
		return err
	}
	message := "the remote cannot be reached: what needs it fails until it can"
	if c.cached {
		message = "the remote cannot be reached: what is in the cache is served, and what comes is kept there until it can"
	}
	level := slog.LevelWarn
	if remote.Permanent(c.err) {
		level = slog.LevelError
		message = "the remote refuses to be used: what is in the cache is served, and what comes is kept there until that is mended"
	}
	c.log.Log(ctx, level, message, "error", c.err)
	return nil
}

// mistake returns an error that says that it is no use to go on: an answer of the remote or, where
// there is no cache, what keeps it from ever being reached. Where the remote has been served
// before, its answer may be another one soon: a key has expired, a clock is off, a bucket is not
// there yet. What was acknowledged waits, and more is taken in.
func (c *rootCheck) mistake() error {
	if c.before && !errors.Is(c.err, remote.ErrNotDir) {
		return nil
	}
	if c.err != nil && (remote.Permanent(c.err) || !c.cached && neverReached(c.err)) {
		return explainRoot(c.what, c.err)
	}
	return nil
}

// neverReached reports whether a remote can be reached by other options only.
func neverReached(err error) bool {
	if name := (*net.DNSError)(nil); errors.As(err, &name) {
		return name.IsNotFound
	}
	return errors.As(err, new(*tls.CertificateVerificationError))
}

// end gives up a check that is under way.
func (c *rootCheck) end() {
	c.cancel()
	<-c.done
}
