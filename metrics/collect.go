package metrics

import (
	"context"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// snapshotTime is how long a Snapshot may take.
const snapshotTime = 4 * time.Second

// maxUsers and maxCertificates are how many have metrics of their own.
const (
	maxUsers        = 1000
	maxCertificates = 100
)

// A collector makes metrics of a Snapshot.
type collector struct {
	snapshot func(ctx context.Context) Snapshot
	users    bool
	row      map[string]*prometheus.Desc // by name

	mu   sync.Mutex
	last map[any]Counts        // guarded by mu; of the trees that were open at the last Collect
	sums map[string]*[6]uint64 // guarded by mu; of all trees by type, closed ones too
}

// rows are the metrics of a Snapshot.
var rows = []struct {
	name, help string
	labels     []string
}{
	{"sessions", "Sessions now, by whether the control connection has TLS.", []string{"tls"}},
	{"transfers_running", "Transfers that run now.", []string{"direction"}},
	{"bans", "Addresses and networks that are banned now.", nil},
	{"passive_ports", "Ports of the passive range that are used now, and those that are free.", []string{"state"}},
	{"passive_failures_total", "Passive data connections that were refused because there was no port.", nil},
	{"buffers_bytes", "Memory that transfers hold now.", nil},
	{"remote_up", "1 if the remotes of the type answer.", []string{"remote"}},
	{"queue_files", "Changes that wait for the remotes of the type.", []string{"tree"}},
	{"queue_bytes", "Bytes of the files that wait.", []string{"tree"}},
	{"queue_failing_files", "Changes that wait and whose last attempt has failed.", []string{"tree"}},
	{"queue_oldest_seconds", "Age of the oldest change that waits; 0 if none does.", []string{"tree"}},
	{"queue_refused_files", "Files that the remote has refused for good, and that are kept.", []string{"tree"}},
	{"cache_bytes", "Bytes of the disk cache: copies (clean), what is not on the remote (dirty), and what may still be written (free).", []string{"tree", "state"}},
	{"cache_evictions_total", "Copies that were removed from the disk cache to make room.", []string{"tree"}},
	{"cache_reads_total", "Files that were opened for reading, by whether their first bytes were in the disk cache.", []string{"tree", "result"}},
	{"dircache_directories", "Directories that are remembered.", []string{"tree"}},
	{"dircache_lookups_total", "Questions about names and directories, by whether they were answered from memory.", []string{"tree", "result"}},
	{"changes_total", "Changes by others that the remote has reported.", []string{"tree", "source"}},
	{"feed_up", "1 if the change feeds of the source are listened to.", []string{"source"}},
	{"feed_lag_seconds", "Time from the event that was told last until it was applied.", []string{"source"}},
	{"feed_last_event_timestamp_seconds", "When the event happened that was told last.", []string{"source"}},
	{"feed_gaps_total", "Times that notifications may have been missed, so that all directories of the buckets were forgotten.", []string{"source"}},
	{"feed_notifications_total", "Notifications of buckets by what came of them.", []string{"source", "result"}},
	{"cluster_up", "1 if the engine that nodes share is reached.", nil},
	{"cluster_heard", "1 if what other nodes tell comes here.", nil},
	{"cluster_nodes", "Nodes that are there, this one among them.", nil},
	{"cluster_lag_seconds", "Time of the last message of this node until it was back here.", nil},
	{"cluster_changes_waiting", "Changes that other nodes are not told of yet.", nil},
	{"cluster_files_waiting", "Files that wait to be sent: at other nodes, as known here; here, as they are told of; and too many to be told of or remembered.", []string{"state"}},
	{"cluster_messages_total", "Messages with changes.", []string{"direction"}},
	{"cluster_gaps_total", "Times that messages may have been missed, so that all directories were forgotten.", nil},
	{"certificate_expiry_timestamp_seconds", "When a certificate of the server expires.", []string{"name"}},
	{"hooks_waiting", "Events that wait for a hook.", []string{"hook"}},
	{"hook_unanswered_total", "Questions that a hook did not answer, by why, and by what that was taken for.", []string{"hook", "cause", "taken"}},
	{"cluster_sessions_elsewhere", "Sessions at other nodes of users and of addresses whose number is limited.", []string{"of"}},
	{"cluster_quota_leased_bytes", "Bytes of quotas that this node has leased.", nil},
	{"cluster_quota_exchanges_total", "Exchanges with other nodes about quotas.", []string{"result"}},
	{"quota_used_bytes", "Bytes that a user has stored.", []string{"user"}},
	{"quota_limit_bytes", "Bytes that a user may store.", []string{"user"}},
}

func newCollector(o Options) *collector {
	c := &collector{snapshot: o.Snapshot, users: o.Users, row: map[string]*prometheus.Desc{}, last: map[any]Counts{}, sums: map[string]*[6]uint64{}}
	for _, r := range rows {
		c.row[r.name] = prometheus.NewDesc(prometheus.BuildFQName(namespace, "", r.name), r.help, r.labels, nil)
	}
	return c
}

// Describe implements prometheus.Collector.
func (c *collector) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range c.row {
		ch <- d
	}
}

// A sink takes metrics.
type sink struct {
	*collector
	ch chan<- prometheus.Metric
}

func (s sink) gauge(name string, value float64, labels ...string) {
	s.ch <- prometheus.MustNewConstMetric(s.row[name], prometheus.GaugeValue, value, labels...)
}

func (s sink) counter(name string, value uint64, labels ...string) {
	s.ch <- prometheus.MustNewConstMetric(s.row[name], prometheus.CounterValue, float64(value), labels...)
}

// Collect implements prometheus.Collector.
func (c *collector) Collect(ch chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), snapshotTime)
	defer cancel()
	now := c.snapshot(ctx)
	s := sink{c, ch}
	s.gauge("sessions", float64(now.Clear), "no")
	s.gauge("sessions", float64(now.Secure), "yes")
	s.gauge("transfers_running", float64(now.Up), "up")
	s.gauge("transfers_running", float64(now.Down), "down")
	s.gauge("transfers_running", float64(now.List), "list")
	s.gauge("bans", float64(now.Bans))
	s.gauge("passive_ports", float64(now.Passive.Used), "used")
	s.gauge("passive_ports", float64(now.Passive.Free), "free")
	s.counter("passive_failures_total", now.Passive.Failures)
	s.gauge("buffers_bytes", float64(now.Buffers))
	s.shared(now.Shared)
	s.trees(now.Trees)
	s.feeds(now.Feeds)
	s.cluster(now.Cluster)
	s.named(now)
}

// named shows what is shown by name, each name once.
func (s sink) named(now Snapshot) {
	seen := map[string]bool{}
	first := func(name string, most int) (string, bool) {
		name = valid(name)
		if seen[name] || len(seen) == most {
			return "", false
		}
		seen[name] = true
		return name, true
	}
	for _, cert := range now.Certificates {
		if name, ok := first(cert.Name, maxCertificates); ok {
			s.gauge("certificate_expiry_timestamp_seconds", float64(cert.Expires.Unix()), name)
		}
	}
	clear(seen)
	for _, h := range now.Hooks {
		if name, ok := first(h.Name, maxHooks); ok {
			s.gauge("hooks_waiting", float64(h.Waiting), name)
		}
	}
	clear(seen)
	for _, h := range now.Asked {
		if name, ok := first(h.Name, maxHooks); ok {
			s.counter("hook_unanswered_total", h.Open.Late, name, "timeout", "yes")
			s.counter("hook_unanswered_total", h.Open.Failed, name, "failure", "yes")
			s.counter("hook_unanswered_total", h.Closed.Late, name, "timeout", "no")
			s.counter("hook_unanswered_total", h.Closed.Failed, name, "failure", "no")
		}
	}
	if !s.users {
		return
	}
	clear(seen)
	for _, q := range now.Quotas {
		user, ok := first(q.User, maxUsers)
		if !ok {
			continue
		}
		s.gauge("quota_used_bytes", float64(q.Used), user)
		if q.Limit > 0 {
			s.gauge("quota_limit_bytes", float64(q.Limit), user)
		}
	}
}

// shared shows what nodes hold clients to together, where there is anything.
func (s sink) shared(now *Shared) {
	if now == nil {
		return
	}
	s.gauge("cluster_sessions_elsewhere", float64(now.Users), "user")
	s.gauge("cluster_sessions_elsewhere", float64(now.Addresses), "address")
	s.gauge("cluster_quota_leased_bytes", float64(now.Leased))
	s.counter("cluster_quota_exchanges_total", now.Exchanges, "ok")
	s.counter("cluster_quota_exchanges_total", now.Failed, "error")
}

// trees shows the trees of each type together.
func (s sink) trees(all []Tree) {
	byType := map[string]*Tree{}
	for _, t := range all {
		sum := byType[t.Type]
		if sum == nil {
			sum = &Tree{Type: t.Type, Up: true}
			byType[t.Type] = sum
		}
		sum.add(t)
	}
	for kind, t := range byType {
		up := 0.0
		if t.Up {
			up = 1
		}
		s.gauge("remote_up", up, kind)
		s.gauge("queue_files", float64(t.Waiting), kind)
		s.gauge("queue_bytes", float64(t.WaitingBytes), kind)
		s.gauge("queue_failing_files", float64(t.Failing), kind)
		s.gauge("queue_oldest_seconds", t.Oldest.Seconds(), kind)
		s.gauge("queue_refused_files", float64(t.Refused), kind)
		s.gauge("dircache_directories", float64(t.Directories), kind)
		if t.Cached {
			s.gauge("cache_bytes", float64(t.Clean), kind, "clean")
			s.gauge("cache_bytes", float64(t.Dirty), kind, "dirty")
			s.gauge("cache_bytes", float64(t.Free), kind, "free")
		}
	}
	for kind, n := range s.totals(all) {
		s.counter("cache_evictions_total", n[0], kind)
		s.counter("cache_reads_total", n[1], kind, "hit")
		s.counter("cache_reads_total", n[2], kind, "miss")
		s.counter("dircache_lookups_total", n[3], kind, "hit")
		s.counter("dircache_lookups_total", n[4], kind, "miss")
		s.counter("changes_total", n[5], kind, "watch")
	}
}

// add adds t. What trees share, as the space of the disk, is not added: the least counts.
func (t *Tree) add(other Tree) {
	t.Up = t.Up && other.Up
	t.Waiting += other.Waiting
	t.WaitingBytes += other.WaitingBytes
	t.Failing += other.Failing
	t.Refused += other.Refused
	t.Oldest = max(t.Oldest, other.Oldest)
	t.Directories += other.Directories
	if !other.Cached {
		return
	}
	t.Clean += other.Clean
	t.Dirty += other.Dirty
	if !t.Cached || other.Free < t.Free {
		t.Free = other.Free
	}
	t.Cached = true
}

func (c Counts) list() [6]uint64 {
	return [6]uint64{c.Evictions, c.Hits, c.Misses, c.Listed, c.Unlisted, c.Changes}
}

// totals adds what the trees have counted since the last time, so that the sums do not fall when
// one is closed, and returns the sums by type.
func (c *collector) totals(all []Tree) map[string][6]uint64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	open := make(map[any]Counts, len(all))
	for _, t := range all {
		sum := c.sums[t.Type]
		if sum == nil {
			sum = new([6]uint64)
			c.sums[t.Type] = sum
		}
		before := c.last[t.ID].list()
		for i, n := range t.Counts.list() {
			sum[i] += n - before[i]
		}
		open[t.ID] = t.Counts
	}
	c.last = open
	sums := make(map[string][6]uint64, len(c.sums))
	for kind, sum := range c.sums {
		sums[kind] = *sum
	}
	return sums
}

// feeds shows the feeds of each source together: the one that does worst counts.
func (s sink) feeds(all []Feed) {
	bySource := map[string]*Feed{}
	for _, f := range all {
		sum := bySource[f.Source]
		if sum == nil {
			sum = &Feed{Up: true, Results: map[string]uint64{}}
			bySource[f.Source] = sum
		}
		sum.Up = sum.Up && f.Up
		sum.Lag = max(sum.Lag, f.Lag)
		if f.Last.After(sum.Last) {
			sum.Last = f.Last
		}
		sum.Gaps += f.Gaps
		for word, n := range f.Results {
			sum.Results[word] += n
		}
	}
	for source, f := range bySource {
		up := 0.0
		if f.Up {
			up = 1
		}
		s.gauge("feed_up", up, source)
		s.gauge("feed_lag_seconds", f.Lag.Seconds(), source)
		if !f.Last.IsZero() {
			s.gauge("feed_last_event_timestamp_seconds", float64(f.Last.UnixMilli())/1000, source)
		}
		s.counter("feed_gaps_total", f.Gaps, source)
		for word, n := range f.Results {
			s.counter("feed_notifications_total", n, source, word)
		}
	}
}

// cluster shows how the program stands among other nodes, if there are any.
func (s sink) cluster(c *Cluster) {
	if c == nil {
		return
	}
	for name, is := range map[string]bool{"cluster_up": c.Up, "cluster_heard": c.Heard} {
		value := 0.0
		if is {
			value = 1
		}
		s.gauge(name, value)
	}
	s.gauge("cluster_nodes", float64(c.Nodes))
	s.gauge("cluster_lag_seconds", c.Lag.Seconds())
	s.gauge("cluster_changes_waiting", float64(c.Waiting))
	s.gauge("cluster_files_waiting", float64(c.Elsewhere), "elsewhere")
	s.gauge("cluster_files_waiting", float64(c.Told), "told")
	s.gauge("cluster_files_waiting", float64(c.Untold), "untold")
	s.counter("cluster_messages_total", c.Sent, "sent")
	s.counter("cluster_messages_total", c.Received, "received")
	s.counter("cluster_gaps_total", c.Gaps)
}
