// Package metricsbridge joins package metrics and the health checks of package rc with what they
// are about: an FTP server, the trees that it serves, their caches. The files, in reading order:
//
//	metricsbridge.go  Bridge, and what it serves by HTTP
//	subject.go        what it looks at
//	snapshot.go       what metrics ask for
//	health.go         what health checks ask
//	late.go           telling of changes that wait for too long
//	client.go         ferry health
package metricsbridge

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"ferry/cmd/ferry/internal/flags"
	"ferry/cmd/ferry/internal/listen"
	"ferry/cmd/ferry/internal/logging"
	"ferry/events"
	"ferry/ftp"
	"ferry/metrics"
	"ferry/rc"
	"ferry/remote"
	"ferry/remote/wrap/count"
)

// A Bridge lets others watch a process. All methods may be called on nil, which is one that nobody
// watches; before Look there is nothing to see.
type Bridge struct {
	metrics   *metrics.Metrics // nil = nobody asks for them
	page      http.Handler     // shows them
	health    *rc.Health
	options   *flags.MetricsOptions
	listeners []net.Listener
	log       *slog.Logger

	subject atomic.Pointer[Subject]
	pulse   pulse
	disk    diskCheck
}

// Open returns a Bridge as the flags say, with its addresses open. Metrics are counted if somebody
// can ask for them. Where listeners are given, they are in place of --metrics-addr. The caller
// closes it, or calls Run.
func Open(ctx context.Context, o *flags.Options, given []net.Listener, version string, log *slog.Logger) (*Bridge, error) {
	b := &Bridge{options: &o.Metrics, listeners: given, log: log}
	addrs := o.Metrics.Addrs
	if len(given) > 0 {
		addrs = nil
	}
	for _, addr := range addrs {
		ls, err := listen.On(ctx, addr)
		if err != nil {
			b.Close()
			return nil, fmt.Errorf("--metrics-addr %q: %w", addr, listen.Remedy(err))
		}
		b.listeners = append(b.listeners, ls...)
	}
	for _, l := range b.listeners {
		if l.Addr().Network() != "unix" && !listen.IsLoopback(l) {
			log.Warn("everybody who can reach "+urlOf(l)+" sees the metrics: let a firewall admit Prometheus alone, or use /metrics of --rc with a password",
				"users", o.Metrics.Users)
		}
	}
	if len(b.listeners) > 0 || o.RC.On() {
		b.metrics = metrics.New(metrics.Options{
			Version: version, Revision: revision(), Commands: verbs(), Users: o.Metrics.Users, Snapshot: b.snapshot, Log: log,
		})
		b.page = b.metrics.Handler()
	}
	b.health = rc.NewHealth(b.alive(), b.ready(), log)
	return b, nil
}

// Close closes the addresses of a Bridge that does not Run.
func (b *Bridge) Close() {
	if b != nil {
		listen.CloseAll(b.listeners)
	}
}

// revision is that of the source, as far as the build knows it.
func revision() string {
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, s := range info.Settings {
			if s.Key == "vcs.revision" {
				return s.Value
			}
		}
	}
	return ""
}

func verbs() []string {
	var all []string
	for _, c := range ftp.Commands() {
		all = append(all, c.Name)
	}
	return all
}

// Look tells b what to look at.
func (b *Bridge) Look(at Subject) {
	if b != nil {
		b.subject.Store(&at)
	}
}

// Subscription is what b listens to; ok is false if that is nothing.
func (b *Bridge) Subscription() (s events.Subscription, ok bool) {
	if b == nil || b.metrics == nil {
		return s, false
	}
	return events.Subscription{Kinds: metrics.Kinds(), Listener: b.metrics, Nameless: true}, true
}

// Health answers health checks.
func (b *Bridge) Health() *rc.Health {
	if b == nil {
		return nil
	}
	return b.health
}

// Pages are those for a remote control.
func (b *Bridge) Pages() []rc.Page {
	if b == nil || b.metrics == nil {
		return nil
	}
	return []rc.Page{{Path: "metrics", Access: rc.LocalOnly, Handler: b.page}}
}

// Observer returns what is told of the calls to a remote, nil for nobody.
func (b *Bridge) Observer(info remote.Info) count.Observer {
	if b == nil || b.metrics == nil {
		return nil
	}
	return b.metrics.Remote(typeOf(info))
}

// Repeated returns what is told of repetitions of calls to a remote, nil for nobody.
func (b *Bridge) Repeated(info remote.Info) func() {
	if b == nil || b.metrics == nil {
		return nil
	}
	return b.metrics.Remote(typeOf(info)).Repeated
}

// HookCalled returns what is told of calls to hooks, nil for nobody.
func (b *Bridge) HookCalled() func(hook, result string, took time.Duration) {
	if b == nil || b.metrics == nil {
		return nil
	}
	return b.metrics.Hook
}

// Run answers on the addresses and tells of what waits for too long, until ctx ends or an address
// fails.
func (b *Bridge) Run(ctx context.Context) error {
	if b == nil {
		return nil
	}
	var wg sync.WaitGroup
	defer wg.Wait()
	wg.Go(func() { b.tellLate(ctx) })
	if len(b.listeners) == 0 {
		return nil
	}
	for _, l := range b.listeners {
		b.log.Log(ctx, logging.Notice, "serving metrics on "+urlOf(l))
	}
	if err := rc.Serve(ctx, b, b.health.Close, b.log, maxConnections, b.listeners...); err != nil {
		return fmt.Errorf("metrics: %w", err)
	}
	return nil
}

// maxConnections is how many may ask at a time on the addresses of metrics.
const maxConnections = 64

func urlOf(l net.Listener) string {
	if l.Addr().Network() == "unix" {
		return flags.UnixScheme + l.Addr().String()
	}
	return "http://" + l.Addr().String() + "/metrics"
}

// ServeHTTP implements http.Handler for the addresses of metrics. An address that only this machine
// can reach does not answer to a name that somebody may have pointed there. The health checks of
// balancers name no host; browsers, which alone could be led here, always do.
func (b *Bridge) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	here, _ := r.Context().Value(http.LocalAddrContextKey).(*net.TCPAddr)
	switch {
	case here != nil && here.IP.IsLoopback() && r.Host != "" && !rc.Knows(r.Host):
		http.Error(w, "Use the address of this server.", http.StatusForbidden)
	case r.Method != http.MethodGet && r.Method != http.MethodHead:
		w.Header().Set("Allow", "GET, HEAD")
		http.Error(w, "There is nothing to change here.", http.StatusMethodNotAllowed)
	case r.URL.Path == "/metrics":
		b.page.ServeHTTP(w, r)
	case r.URL.Path == "/":
		_, _ = io.WriteString(w, "/metrics\n/livez\n/readyz\n")
	default:
		b.health.ServeHTTP(w, r)
	}
}
