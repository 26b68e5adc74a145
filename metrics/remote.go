package metrics

import (
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// maxTypes and maxHooks bound what there is of names that are given by the configuration; more are
// counted together.
const (
	maxTypes = 32
	maxHooks = 100
)

var (
	operations = newWords(other, "stat", "list", "open", "put", "remove", "mkdir", "rmdir", "move", "copy", "setmodtime", "setmode",
		"hash", "usage", "stage", "publish", "keep", "discard", "part", "droppart")
	answers = newWords("error", "ok", "notfound", "retry")
)

// remotes are the Remotes by type.
type remotes struct {
	requests, bytes, retries *prometheus.CounterVec
	durations                *prometheus.HistogramVec
	of                       *bounded[*Remote]
}

func newRemotes(r prometheus.Registerer) remotes {
	counter := func(name, help string, labels ...string) *prometheus.CounterVec {
		return prometheus.NewCounterVec(prometheus.CounterOpts{Namespace: namespace, Name: name, Help: help}, append([]string{"remote"}, labels...))
	}
	rs := remotes{
		requests: counter("remote_requests_total", "Calls to remotes by type, operation and result, repetitions included; retry is a failure on the way.", "operation", "result"),
		bytes:    counter("remote_bytes_total", "Bytes of file content to remotes and from them; those that the system copies from local files are not known.", "direction"),
		retries:  counter("remote_retries_total", "Calls to remotes that were repeated after they had failed on the way."),
		durations: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Namespace: namespace, Name: "remote_request_duration_seconds",
			Help:    "Time of calls to remotes until they are over, which with content means until that was moved.",
			Buckets: quick, NativeHistogramBucketFactor: nativeFactor, NativeHistogramMaxBucketNumber: nativeBuckets,
		}, []string{"remote", "operation"}),
	}
	r.MustRegister(rs.requests, rs.bytes, rs.retries, rs.durations)
	rs.of = newBounded(maxTypes, rs.create)
	return rs
}

func (rs *remotes) create(kind string) *Remote {
	of := prometheus.Labels{"remote": kind}
	requests, durations := rs.requests.MustCurryWith(of), rs.durations.MustCurryWith(of)
	return &Remote{
		requests:  newVector([]words{operations, answers}, requests.WithLabelValues),
		durations: newVector([]words{operations}, durations.WithLabelValues),
		up:        rs.bytes.WithLabelValues(kind, "up"),
		down:      rs.bytes.WithLabelValues(kind, "down"),
		retries:   rs.retries.WithLabelValues(kind),
	}
}

// A Remote counts the calls to remotes of one type. Its methods may be called concurrently.
type Remote struct {
	requests  *vector[prometheus.Counter]
	durations *vector[prometheus.Observer]
	up, down  prometheus.Counter
	retries   prometheus.Counter
}

// Remote returns what counts the calls to remotes of a type.
func (m *Metrics) Remote(kind string) *Remote { return m.remotes.of.get(kind) }

// Called counts a call that is over. Its result is "ok", "notfound", "retry" for what failed on the
// way to the remote, or "error" for another answer.
func (r *Remote) Called(operation, result string, took time.Duration) {
	r.requests.of(operation, result).Inc()
	r.durations.of(operation).Observe(took.Seconds())
}

// Moved counts bytes of content to the remote, and from it.
func (r *Remote) Moved(up, down int64) {
	if up > 0 {
		r.up.Add(float64(up))
	}
	if down > 0 {
		r.down.Add(float64(down))
	}
}

// Repeated counts a repetition of a call.
func (r *Remote) Repeated() { r.retries.Inc() }

// hooks are the deliveries of hooks.
type hooks struct {
	total     *prometheus.CounterVec
	durations *prometheus.HistogramVec
	of        *bounded[*hook]
}

type hook struct {
	results   *vector[prometheus.Counter]
	durations prometheus.Observer
}

func newHooks(r prometheus.Registerer) hooks {
	hs := hooks{
		total: prometheus.NewCounterVec(prometheus.CounterOpts{
			Namespace: namespace, Name: "hooks_total", Help: "Attempts to deliver events to hooks, by hook and result.",
		}, []string{"hook", "result"}),
		durations: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Namespace: namespace, Name: "hook_duration_seconds", Help: "Time that hooks took, by hook.",
			Buckets: quick, NativeHistogramBucketFactor: nativeFactor, NativeHistogramMaxBucketNumber: nativeBuckets,
		}, []string{"hook"}),
	}
	r.MustRegister(hs.total, hs.durations)
	hs.of = newBounded(maxHooks, func(name string) *hook {
		results := hs.total.MustCurryWith(prometheus.Labels{"hook": name})
		return &hook{
			results:   newVector([]words{newWords("failed", "ok", "denied", "dead")}, results.WithLabelValues).all(),
			durations: hs.durations.WithLabelValues(name),
		}
	})
	return hs
}

// Hook counts an attempt to deliver to the hook of a name. Its result is "ok", "failed" if it will
// be made again, "dead" if not, or "denied" for a hook that has forbidden something.
func (m *Metrics) Hook(name, result string, took time.Duration) {
	h := m.hooks.of.get(name)
	h.results.of(result).Inc()
	h.durations.Observe(took.Seconds())
}

// bounded are things by name. When there are as many as there may be, others share one.
type bounded[T any] struct {
	most   int
	create func(name string) T

	mu    sync.RWMutex
	named map[string]T // guarded by mu
}

func newBounded[T any](most int, create func(name string) T) *bounded[T] {
	return &bounded[T]{most: most, create: create, named: map[string]T{}}
}

func (b *bounded[T]) get(name string) T {
	b.mu.RLock()
	found, ok := b.named[name]
	b.mu.RUnlock()
	if ok {
		return found
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.named) >= b.most {
		name = other
	}
	found, ok = b.named[name]
	if !ok {
		found = b.create(valid(name))
		b.named[name] = found
	}
	return found
}
