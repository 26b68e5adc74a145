// Package metrics counts what happens, for Prometheus. It listens to events, asks for a Snapshot of
// what is now when it is read, and is told of calls to remotes. The files, in reading order:
//
//	metrics.go    Metrics: what is counted from events
//	remote.go     calls to remotes, and deliveries of hooks, which are no events
//	snapshot.go   Snapshot: what is now; collect.go: as metrics
//	words.go      labels of which the values are known
//
// Every label has values from a list, so that clients cannot make series; only the users of
// quotas are an exception, which has to be asked for and is bounded.
package metrics

import (
	"cmp"
	"context"
	"log/slog"
	"net/http"
	"runtime"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"ferry/events"
)

const namespace = "ferry"

// Options are what Metrics need to know.
type Options struct {
	Version, Revision string
	Commands          []string // that the server knows; others are counted together
	Users             bool     // show quotas by user
	// Snapshot returns what is now. It is called at each Gather, with a context that ends soon; nil
	// = there is nothing but events.
	Snapshot func(ctx context.Context) Snapshot
	Log      *slog.Logger // nil: nothing is logged
}

// Metrics are an events.Listener. They may be used concurrently.
type Metrics struct {
	registry *prometheus.Registry
	log      *slog.Logger

	sessions   *vector[prometheus.Counter]
	logins     *vector[prometheus.Counter]
	auth       *vector[prometheus.Observer]
	bans       *vector[prometheus.Counter]
	handshakes *vector[prometheus.Counter]
	commands   *vector[prometheus.Counter]
	verbs      map[string]verb

	transfers *vector[prometheus.Counter]
	bytes     *vector[prometheus.Counter]
	took      *vector[prometheus.Observer]
	firstByte *vector[prometheus.Observer]
	size      *vector[prometheus.Observer]

	uploads   *vector[prometheus.Counter]
	conflicts *vector[prometheus.Counter]
	delay     *vector[prometheus.Observer]
	reloads   *vector[prometheus.Counter]
	loaded    prometheus.Gauge

	remotes remotes
	hooks   hooks
}

// A verb is a command that the server knows; the zero one stands for all others.
type verb struct {
	index   int                 // of the label
	latency prometheus.Observer // nil = it is not measured
}

// Kinds are the events that Metrics listen to.
func Kinds() events.Set {
	return events.Of(events.ConfigReload, events.Disconnect, events.Login, events.LoginRefused, events.Ban, events.Handshake,
		events.Command, events.List, events.Download, events.UploadReceived, events.UploadAborted, events.UploadStored,
		events.UploadConflict, events.UploadRefused)
}

// Values of labels. What others write is translated where theirs is another word.
var (
	yesNo      = newWords("no", "yes")
	ends       = newWords("error", "quit", "idle", "kicked", "drain", "refused")
	outcomes   = newWords(other, "ok", "unknown", "password", "rule", "limit", "banned", "unavailable")
	sources    = newWords("none", "flags", "file", "cache", "program", "url", "remote")
	versions   = newWords("none", "1.0", "1.1", "1.2", "1.3")
	channels   = newWords("control", "data")
	classes    = newWords("other", "1", "2", "3", "4", "5")
	directions = newWords("list", "up", "down")
	results    = newWords("error", "ok", "refused", "aborted")
	deliveries = newWords("ok", "refused")
	reasons    = newWords(other, "password", "user", "login_timeout", "sessions", "protocol", "tls", "administrator")
)

// Buckets of histograms, in seconds and bytes.
var (
	quick     = []float64{.0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30}
	lasting   = []float64{.001, .01, .1, .5, 1, 5, 10, 30, 60, 300, 900, 3600, 4 * 3600}
	waits     = []float64{.1, .5, 1, 5, 10, 30, 60, 300, 900, 3600, 4 * 3600, 24 * 3600}
	fileSizes = []float64{1 << 10, 16 << 10, 128 << 10, 1 << 20, 8 << 20, 64 << 20, 512 << 20, 4 << 30, 32 << 30}
)

// New returns Metrics of which nothing has happened yet.
func New(o Options) *Metrics {
	r := prometheus.NewRegistry()
	m := &Metrics{registry: r, log: o.Log}
	if m.log == nil {
		m.log = slog.New(slog.DiscardHandler)
	}
	r.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	build := prometheus.NewGauge(prometheus.GaugeOpts{
		Namespace: namespace, Name: "build_info", Help: "1, labelled with what the program is built from.",
		ConstLabels: prometheus.Labels{"version": o.Version, "revision": o.Revision, "goversion": runtime.Version()},
	})
	build.Set(1)
	r.MustRegister(build)
	m.registerSessions(o)
	m.registerTransfers()
	m.remotes = newRemotes(r)
	m.hooks = newHooks(r)
	if o.Snapshot != nil {
		r.MustRegister(newCollector(o))
	}
	return m
}

func (m *Metrics) registerSessions(o Options) {
	r := m.registry
	m.sessions = counters(r, "sessions_total", "Sessions that have ended, by whether the control connection had TLS and by how they ended.",
		label{"tls", yesNo}, label{"end", ends})
	m.logins = counters(r, "logins_total", "Logins by result, and by who knew the user.", label{"result", outcomes}, label{"source", sources})
	m.auth = histograms(r, "auth_duration_seconds", "Time that it took to check who logs in, by who was asked.", quick, label{"source", sources})
	m.bans = counters(r, "bans_total", "Bans of addresses, by what led to them.", label{"reason", reasons})
	m.handshakes = counters(r, "tls_handshakes_total", "TLS handshakes by version, by whether a session was resumed, by connection and by whether they succeeded.",
		label{"version", versions}, label{"resumed", yesNo}, label{"channel", channels}, label{"result", results})
	known := newWords(other, o.Commands...)
	m.commands = counters(r, "commands_total", "Commands by verb and by the first digit of the reply.", label{"command", known}, label{"class", classes})
	latency := plainHistograms(r, "command_duration_seconds", "Time from a command to its last reply, by group, of those that ask the storage; that of retr and stor has the transfer in it.", lasting,
		label{"group", newWords("meta", "list", "retr", "stor")})
	m.verbs = make(map[string]verb, len(known.list))
	for i, name := range known.list {
		v := verb{index: i}
		if g := group(name); g != other {
			v.latency = latency.of(g)
		}
		m.verbs[name] = v
	}
	m.reloads = counters(r, "config_reloads_total", "Times that files of the configuration were read again.", label{"result", newWords("error", "ok")}).all()
	m.loaded = prometheus.NewGauge(prometheus.GaugeOpts{
		Namespace: namespace, Name: "config_last_reload_success_timestamp_seconds", Help: "When files of the configuration were last read without an error.",
	})
	m.loaded.SetToCurrentTime()
	r.MustRegister(m.loaded)
}

func (m *Metrics) registerTransfers() {
	r := m.registry
	m.transfers = counters(r, "transfers_total", "Transfers that have ended, by direction and result.", label{"direction", directions}, label{"result", results}).all()
	m.bytes = counters(r, "transfer_bytes_total", "Bytes of transfers that have ended, as on the wire, by whether the control connection has TLS.",
		label{"direction", directions}, label{"tls", yesNo})
	m.took = histograms(r, "transfer_duration_seconds", "Time that transfers took.", lasting, label{"direction", directions})
	m.firstByte = histograms(r, "transfer_first_byte_seconds", "Time from a command to the first byte of its data connection.", quick, label{"direction", directions})
	m.size = plainHistograms(r, "transfer_size_bytes", "Bytes of one transfer.", fileSizes, label{"direction", directions})
	m.uploads = counters(r, "uploads_total", "Uploads by what became of them on the remote.", label{"result", deliveries}).all()
	m.conflicts = counters(r, "upload_conflicts_total", "Files of others that were kept beside an upload which had waited.").all()
	m.delay = histograms(r, "upload_delay_seconds", "Time from the 226 of an upload until the remote had it.", waits).all()
}

// Handler returns what shows the metrics to Prometheus.
func (m *Metrics) Handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{
		ErrorLog: slog.NewLogLogger(m.log.Handler(), slog.LevelWarn), ErrorHandling: promhttp.ContinueOnError,
		MaxRequestsInFlight: maxReaders,
	})
}

// maxReaders is how many may read the metrics at a time.
const maxReaders = 4

func yes(is bool) string {
	if is {
		return "yes"
	}
	return "no"
}

// Record implements events.Listener. It never fails.
func (m *Metrics) Record(_ context.Context, e *events.Event) error {
	switch e.Kind {
	case events.Command:
		m.command(e)
	case events.List:
		m.transfer(list, e)
	case events.Download:
		m.transfer(down, e)
	case events.UploadReceived, events.UploadAborted:
		m.transfer(up, e)
	case events.UploadStored:
		m.uploads.of("ok").Inc()
		m.delay.of().Observe(e.Duration.Seconds())
	case events.UploadConflict:
		m.conflicts.of().Inc()
	case events.UploadRefused:
		m.uploads.of("refused").Inc()
	case events.Disconnect:
		m.sessions.of(yes(e.TLS != ""), e.Cause).Inc()
	case events.Login:
		m.logins.of("ok", e.Rule).Inc()
		m.auth.of(cmp.Or(e.Argument, e.Rule)).Observe(e.Duration.Seconds())
	case events.LoginRefused:
		m.logins.of(outcome(e.Cause), "none").Inc()
		m.auth.of("none").Observe(e.Duration.Seconds())
	case events.Ban:
		m.bans.of(reason(e.Cause)).Inc()
	case events.Handshake:
		m.handshakes.of(e.TLS, yes(e.Cause == "resumed"), e.Command, result(e.Result)).Inc()
	case events.ConfigReload:
		m.reload(e)
	}
	return nil
}

func (m *Metrics) command(e *events.Event) {
	v, known := m.verbs[e.Command]
	if !known {
		v = m.verbs[other]
	}
	class := e.Code / 100
	if class < 1 || class > 5 {
		class = 0
	}
	m.commands.at(v.index, class).Inc()
	if v.latency != nil {
		v.latency.Observe(e.Duration.Seconds())
	}
}

// Indexes of directions.
const (
	list = iota
	up
	down
)

// transfer counts a transfer that has ended. The first byte of one that had none is not counted.
func (m *Metrics) transfer(direction int, e *events.Event) {
	tls := 0
	if e.TLS != "" {
		tls = 1
	}
	m.transfers.at(direction, resultIndex(e.Result)).Inc()
	m.bytes.at(direction, tls).Add(float64(max(e.Bytes, 0)))
	m.took.at(direction).Observe(e.Duration.Seconds())
	if e.FirstByte > 0 {
		m.firstByte.at(direction).Observe(e.FirstByte.Seconds())
	}
	if e.Result == events.OK {
		m.size.at(direction).Observe(float64(e.Bytes))
	}
}

func (m *Metrics) reload(e *events.Event) {
	if e.Result != events.OK {
		m.reloads.of("error").Inc()
		return
	}
	m.reloads.of("ok").Inc()
	at := e.Time
	if at.IsZero() {
		at = time.Now()
	}
	m.loaded.Set(float64(at.UnixMilli()) / 1000)
}

func result(r events.Result) string { return results.list[resultIndex(r)] }

// resultIndex is the index in results.
func resultIndex(r events.Result) int {
	switch r {
	case events.OK:
		return 1
	case events.Denied:
		return 2
	case events.Aborted:
		return 3
	}
	return 0
}

// outcome is the result of a login that was refused.
func outcome(cause string) string {
	if cause == "held off" {
		return "banned"
	}
	return cause
}

// reason is what led to a ban, in one word.
func reason(cause string) string {
	switch cause {
	case "wrong password", "too many wrong passwords":
		return "password"
	case "unknown user":
		return "user"
	case "no login before the timeout":
		return "login_timeout"
	case "too many sessions":
		return "sessions"
	case "TLS is required":
		return "tls"
	case "an HTTP request", "a TLS handshake on a port for FTP", "something else than TLS on a port for it", "a line without an end", "a line that is no command":
		return "protocol"
	case "by the administrator":
		return "administrator"
	}
	return other
}

// group is the kind of work that a command is.
func group(command string) string {
	switch command {
	case "LIST", "NLST", "MLSD", "STAT":
		return "list"
	case "RETR":
		return "retr"
	case "STOR", "APPE", "STOU":
		return "stor"
	case "SIZE", "MDTM", "MLST", "MFMT", "CWD", "XCWD", "CDUP", "XCUP", "MKD", "XMKD", "RMD", "XRMD", "DELE", "RNFR", "RNTO",
		"HASH", "XCRC", "XMD5", "XSHA", "XSHA1", "XSHA256", "XSHA512", "MD5":
		return "meta"
	}
	if strings.HasPrefix(command, "SITE ") {
		return "meta"
	}
	return other
}
