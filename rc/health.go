package rc

import (
	"context"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"time"
)

const (
	// healthLimit is how long checks may take.
	healthLimit = 5 * time.Second
	// healthTime is how long their results are valid, so that the cost does not depend on the
	// number of requests.
	healthTime = time.Second
)

// A Check is one thing that must be well.
type Check struct {
	Name string // in one word
	// Ask returns why it is not well: in a short sentence that strangers may read, and for the log.
	// "" = it is well. It returns soon after ctx has ended.
	Ask func(ctx context.Context) (reason string, cause error)
}

// Health answers load balancers and supervisors, without a password: livez, whether the process is
// alive, and readyz or healthz, whether it can serve. Anybody can ask, so it tells nothing else. It
// is an http.Handler, besides being part of a Server. Its methods may be called concurrently.
type Health struct {
	alive, ready results
	log          *slog.Logger
}

// NewHealth returns a Health of a process that is alive as long as one list of checks is well, and
// ready as long as both are. log may be nil.
func NewHealth(alive, ready []Check, log *slog.Logger) *Health {
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	return &Health{
		alive: results{checks: alive, log: log},
		ready: results{checks: append(alive[:len(alive):len(alive)], ready...), log: log},
		log:   log,
	}
}

// ServeHTTP implements http.Handler.
func (h *Health) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if !h.answer(w, r, strings.TrimPrefix(r.URL.Path, "/")) {
		http.NotFound(w, r)
	}
}

// Recheck has everything be asked again: what was known is not valid any more.
func (h *Health) Recheck() {
	h.alive.expire()
	h.ready.expire()
}

// Close waits for checks that are under way.
func (h *Health) Close() {
	h.alive.wait()
	h.ready.wait()
}

// answer answers GET and HEAD of livez and readyz. It reports whether path is one of these.
func (h *Health) answer(w http.ResponseWriter, r *http.Request, path string) bool {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		return false
	}
	var all []result
	switch path {
	case "livez":
		all = h.alive.ask(r.Context())
	case "readyz", "healthz":
		all = h.ready.ask(r.Context())
	default:
		return false
	}
	status, out, checks := http.StatusOK, Params{"status": "ok"}, Params{}
	var reasons []Params
	for _, one := range all {
		checks[one.name] = "ok"
		if one.reason != "" {
			checks[one.name] = one.reason
			reasons = append(reasons, Params{"check": one.name, "reason": one.reason})
		}
	}
	if reasons != nil {
		status = http.StatusServiceUnavailable
		out = Params{"status": "unavailable", "reasons": reasons}
	}
	if r.URL.Query().Has("verbose") {
		out["checks"] = checks
	}
	write(w, status, out)
	return true
}

// A result is what came of a Check.
type result struct{ name, reason string }

// results are those of checks, for a while. Those who ask at the same time share one run.
type results struct {
	checks []Check
	log    *slog.Logger

	mu    sync.Mutex
	until time.Time     // guarded by mu; last is valid until then
	last  []result      // guarded by mu
	late  bool          // guarded by mu; the run under way began before expire
	done  chan struct{} // guarded by mu; closed when the run under way has ended; nil if there is none
}

// ask returns the results, which may be a moment old. The run does not end with who started it.
func (r *results) ask(ctx context.Context) []result {
	r.mu.Lock()
	defer r.mu.Unlock()
	for r.done != nil || !time.Now().Before(r.until) {
		if r.done == nil {
			r.done = make(chan struct{})
			go r.run(context.WithoutCancel(ctx), r.done)
		}
		done := r.done
		r.mu.Unlock()
		gone := false
		select {
		case <-done:
		case <-ctx.Done():
			gone = true
		}
		r.mu.Lock()
		if gone {
			return []result{{"request", "The request has ended."}} // nobody reads it
		}
	}
	return r.last
}

// expire has the next ask be answered by a run that begins later than now.
func (r *results) expire() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.until, r.late = time.Time{}, r.done != nil
}

func (r *results) run(ctx context.Context, done chan struct{}) {
	ctx, cancel := context.WithTimeout(ctx, healthLimit)
	defer cancel()
	all := make([]result, len(r.checks))
	var wg sync.WaitGroup
	for i, c := range r.checks {
		wg.Go(func() {
			reason, cause := c.Ask(ctx)
			all[i] = result{c.Name, reason}
			if reason != "" {
				r.log.LogAttrs(ctx, slog.LevelDebug, "a health check fails", slog.String("check", c.Name), slog.Any("error", cause))
			}
		})
	}
	wg.Wait()
	r.mu.Lock()
	defer r.mu.Unlock()
	r.last, r.until, r.done = all, time.Now().Add(healthTime), nil
	if r.late {
		r.until, r.late = time.Time{}, false
	}
	close(done)
}

// wait waits for the run under way.
func (r *results) wait() {
	r.mu.Lock()
	done := r.done
	r.mu.Unlock()
	if done != nil {
		<-done
	}
}
