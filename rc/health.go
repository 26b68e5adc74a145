package rc

import (
	"context"
	"log/slog"
	"net/http"
	"sync"
	"time"
)

// Health checks for load balancers and supervisors, without a password: whether the process is
// alive, and whether it can serve. They reveal nothing else, as anyone can query them.

const (
	// readyLimit is how long the readiness check may take.
	readyLimit = 5 * time.Second
	// readyTime is how long a result is valid, so that the cost does not depend on the number of
	// requests.
	readyTime = time.Second
)

// health answers GET and HEAD of livez and readyz. It reports whether path is one of these.
func (s *Server) health(w http.ResponseWriter, r *http.Request, path string) bool {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		return false
	}
	switch path {
	case "livez":
		s.write(w, http.StatusOK, Params{"status": "ok"})
	case "readyz", "healthz":
		err := s.ready.ask(r.Context(), s.opt.Ready)
		if err != nil {
			s.log.LogAttrs(r.Context(), slog.LevelDebug, "not ready", slog.Any("error", err))
			s.write(w, http.StatusServiceUnavailable, Params{"status": "unavailable", "reason": "The storage cannot be reached."})
			return true
		}
		s.write(w, http.StatusOK, Params{"status": "ok"})
	default:
		return false
	}
	return true
}

// readiness caches the last result of the readiness check. The zero value has none.
type readiness struct {
	mu    sync.Mutex
	until time.Time     // guarded by mu; err is valid until then
	err   error         // guarded by mu; the last result
	done  chan struct{} // guarded by mu; closed when the running query has ended; nil if none is running
}

// ask returns the result of query, or a recent one. Concurrent callers share one query, which does
// not end with the caller that started it.
func (r *readiness) ask(ctx context.Context, query func(context.Context) error) error {
	if query == nil {
		return nil
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.done == nil && time.Now().Before(r.until) {
		return r.err
	}
	if r.done == nil {
		r.done = make(chan struct{})
		go r.run(context.WithoutCancel(ctx), query, r.done)
	}
	done := r.done
	r.mu.Unlock()
	var gone error
	select {
	case <-done:
	case <-ctx.Done():
		gone = context.Cause(ctx)
	}
	r.mu.Lock()
	if gone != nil {
		return gone
	}
	return r.err
}

func (r *readiness) run(ctx context.Context, query func(context.Context) error, done chan struct{}) {
	ctx, cancel := context.WithTimeout(ctx, readyLimit)
	defer cancel()
	err := query(ctx)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.err, r.until, r.done = err, time.Now().Add(readyTime), nil
	close(done)
}

// wait waits for the running query.
func (r *readiness) wait() {
	r.mu.Lock()
	done := r.done
	r.mu.Unlock()
	if done != nil {
		<-done
	}
}
