package rc

import (
	"context"
	"log/slog"
	"net/http"
	"sync"
	"time"
)

// What load balancers and supervisors ask, without a password: whether the process lives, and
// whether it can serve. Neither says more, as everybody may ask.

const (
	// readyLimit is how long the answer to "can it serve" may take.
	readyLimit = 5 * time.Second
	// readyTime is how long an answer counts, so that asking costs the same however many ask.
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

// readiness is the last answer to "can it serve". The zero value has none.
type readiness struct {
	mu    sync.Mutex
	until time.Time     // guarded by mu; the answer counts up to then
	err   error         // guarded by mu; the answer
	done  chan struct{} // guarded by mu; closed when the query under way has ended; nil when none is
}

// ask returns the answer of query, or one of a moment ago. All who ask at a time share one query,
// which does not end with the one who began it.
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

// wait waits for the query under way.
func (r *readiness) wait() {
	r.mu.Lock()
	done := r.done
	r.mu.Unlock()
	if done != nil {
		<-done
	}
}
