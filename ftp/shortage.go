package ftp

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"sync"
	"syscall"
	"time"
)

// shortage returns the reply text for an err that means a lack of system resources, "" for other
// errors.
func shortage(err error) string {
	switch {
	case errors.Is(err, syscall.EMFILE), errors.Is(err, syscall.ENFILE):
		return "The server is out of file descriptors; try again later."
	case errors.Is(err, syscall.ENOMEM), errors.Is(err, syscall.ENOBUFS):
		return "The server is out of memory; try again later."
	}
	return ""
}

// logShortage logs a lack of system resources, at most once in each logInterval.
func (s *Server) logShortage(ctx context.Context, what string, err error) {
	if omitted, due := s.shortages.due(time.Now()); due {
		s.log.LogAttrs(ctx, slog.LevelError, what, slog.Any("error", err), slog.Int("omitted", omitted))
	}
}

// reserve is a spare descriptor for the case that the process runs out of them.
type reserve struct{ file *os.File }

// acquire opens the descriptor, if it is not open, and reports whether there is one.
func (r *reserve) acquire() bool {
	if r.file == nil {
		r.file, _ = os.Open(os.DevNull) // retried later
	}
	return r.file != nil
}

// release closes the descriptor and reports whether there was one.
func (r *reserve) release() bool {
	if r.file == nil {
		return false
	}
	r.file.Close()
	r.file = nil
	return true
}

// logLimiter limits how often a message is logged that any client can cause. The zero value is
// ready.
type logLimiter struct {
	mu      sync.Mutex
	next    time.Time // guarded by mu; when the next one is due
	omitted int       // guarded by mu; since the last one
}

// logInterval is the time between two messages.
const logInterval = 10 * time.Second

// due reports whether to log a message now, and how many were omitted since the last one.
func (l *logLimiter) due(now time.Time) (omitted int, due bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if now.Before(l.next) {
		l.omitted++
		return 0, false
	}
	omitted, l.omitted = l.omitted, 0
	l.next = now.Add(logInterval)
	return omitted, true
}
