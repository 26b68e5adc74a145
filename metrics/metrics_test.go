package metrics_test

import (
	"context"
	"fmt"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"

	"ferry/events"
	"ferry/metrics"
)

// shown returns the lines of the metrics.
func shown(t *testing.T, m *metrics.Metrics) []string {
	t.Helper()
	w := httptest.NewRecorder()
	m.Handler().ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), "GET", "/metrics", nil))
	if w.Code != 200 {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	return strings.Split(w.Body.String(), "\n")
}

// want looks for lines.
func want(t *testing.T, m *metrics.Metrics, lines ...string) {
	t.Helper()
	have := map[string]bool{}
	all := shown(t, m)
	for _, line := range all {
		have[line] = true
	}
	for _, line := range lines {
		if have[line] {
			continue
		}
		name, _, _ := strings.Cut(line, "{")
		near := []string{}
		for _, l := range all {
			if strings.HasPrefix(l, name) {
				near = append(near, l)
			}
		}
		t.Errorf("%s is not there, but\n%s", line, strings.Join(near, "\n"))
	}
}

func record(t *testing.T, m *metrics.Metrics, all ...events.Event) {
	t.Helper()
	for _, e := range all {
		if !metrics.Kinds().Has(e.Kind) {
			t.Errorf("%v is not listened to", e.Kind)
		}
		if err := m.Record(t.Context(), &e); err != nil {
			t.Error(err)
		}
	}
}

// happened are events of every kind that is counted.
var happened = []events.Event{
	{Kind: events.Login, Rule: "file", Duration: 30 * time.Millisecond, TLS: "1.3"},
	{Kind: events.Login, Rule: "file", Argument: "cache", Duration: time.Millisecond, TLS: "1.3"},
	{Kind: events.LoginRefused, Cause: "password"},
	{Kind: events.LoginRefused, Cause: "held off"},
	{Kind: events.Ban, Cause: "too many wrong passwords"},
	{Kind: events.Handshake, TLS: "1.3", Command: "data", Cause: "resumed"},
	{Kind: events.Handshake, Command: "control", Result: events.Failed},
	{Kind: events.Command, Command: "RETR", Code: 226, Duration: time.Second},
	{Kind: events.Command, Command: "NOSUCH", Code: 500},
	{Kind: events.List, Bytes: 100},
	{Kind: events.Download, Bytes: 4096, FirstByte: 2 * time.Millisecond, Duration: time.Second, TLS: "1.2"},
	{Kind: events.Download, Bytes: 10, Result: events.Aborted},
	{Kind: events.UploadReceived, Bytes: 1 << 20, Duration: time.Second},
	{Kind: events.UploadAborted, Bytes: 5, Result: events.Failed},
	{Kind: events.UploadAborted, Result: events.Denied},
	{Kind: events.UploadStored, Duration: 20 * time.Second},
	{Kind: events.UploadRefused},
	{Kind: events.UploadConflict},
	{Kind: events.ConfigReload, Result: events.Failed},
	{Kind: events.ConfigReload, Time: time.Unix(1_800_000_000, 0)},
	{Kind: events.Disconnect, Cause: "lost", TLS: "1.3"},
	{Kind: events.Disconnect, Cause: "quit"},
}

func TestEventsAreCounted(t *testing.T) {
	m := metrics.New(metrics.Options{Commands: []string{"RETR", "NOOP"}})
	record(t, m, happened...)
	want(t, m,
		`ferry_logins_total{result="ok",source="file"} 2`,
		`ferry_auth_duration_seconds_count{source="cache"} 1`,
		`ferry_logins_total{result="password",source="none"} 1`,
		`ferry_logins_total{result="banned",source="none"} 1`,
		`ferry_auth_duration_seconds_bucket{source="file",le="0.05"} 1`,
		`ferry_auth_duration_seconds_count{source="none"} 2`,
		`ferry_bans_total{reason="password"} 1`,
		`ferry_tls_handshakes_total{channel="data",result="ok",resumed="yes",version="1.3"} 1`,
		`ferry_tls_handshakes_total{channel="control",result="error",resumed="no",version="none"} 1`,
		`ferry_commands_total{class="2",command="RETR"} 1`,
		`ferry_commands_total{class="5",command="other"} 1`,
		`ferry_command_duration_seconds_count{group="retr"} 1`,
		`ferry_transfers_total{direction="down",result="ok"} 1`,
		`ferry_transfers_total{direction="down",result="aborted"} 1`,
		`ferry_transfers_total{direction="up",result="ok"} 1`,
		`ferry_transfers_total{direction="up",result="error"} 1`,
		`ferry_transfers_total{direction="up",result="refused"} 1`,
		`ferry_transfers_total{direction="list",result="aborted"} 0`,
		`ferry_transfer_bytes_total{direction="down",tls="yes"} 4096`,
		`ferry_transfer_bytes_total{direction="up",tls="no"} 1.048581e+06`,
		`ferry_transfer_first_byte_seconds_count{direction="down"} 1`,
		`ferry_transfer_size_bytes_count{direction="down"} 1`,
		`ferry_uploads_total{result="ok"} 1`,
		`ferry_uploads_total{result="refused"} 1`,
		`ferry_upload_conflicts_total 1`,
		`ferry_upload_delay_seconds_bucket{le="10"} 0`,
		`ferry_upload_delay_seconds_bucket{le="30"} 1`,
		`ferry_config_reloads_total{result="ok"} 1`,
		`ferry_config_reloads_total{result="error"} 1`,
		`ferry_config_last_reload_success_timestamp_seconds 1.8e+09`,
		`ferry_sessions_total{end="error",tls="yes"} 1`,
		`ferry_sessions_total{end="quit",tls="no"} 1`,
	)
}

func TestCallsAndDeliveriesAreCounted(t *testing.T) {
	m := metrics.New(metrics.Options{Version: "v1.2.3", Revision: "abc"})
	r := m.Remote("s3")
	r.Called("stat", "notfound", time.Millisecond)
	r.Called("put", "retry", time.Second)
	r.Moved(100, 0)
	r.Moved(0, 7)
	r.Repeated()
	m.Hook("mail", "ok", time.Second)
	m.Hook("mail", "dead", time.Second)
	want(t, m,
		`ferry_remote_requests_total{operation="stat",remote="s3",result="notfound"} 1`,
		`ferry_remote_requests_total{operation="put",remote="s3",result="retry"} 1`,
		`ferry_remote_request_duration_seconds_count{operation="put",remote="s3"} 1`,
		`ferry_remote_bytes_total{direction="up",remote="s3"} 100`,
		`ferry_remote_bytes_total{direction="down",remote="s3"} 7`,
		`ferry_remote_retries_total{remote="s3"} 1`,
		`ferry_hooks_total{hook="mail",result="ok"} 1`,
		`ferry_hooks_total{hook="mail",result="dead"} 1`,
		`ferry_hook_duration_seconds_count{hook="mail"} 2`,
	)
	all := strings.Join(shown(t, m), "\n")
	for _, part := range []string{`revision="abc",version="v1.2.3"} 1`, "go_goroutines ", "process_start_time_seconds "} {
		if !strings.Contains(all, part) {
			t.Errorf("%s is not there", part)
		}
	}
}

// full is a Snapshot in which nothing is zero.
func full(context.Context) metrics.Snapshot {
	tree := metrics.Tree{
		ID: 1, Type: "s3", Up: true, Waiting: 3, Failing: 1, Refused: 2, WaitingBytes: 300, Oldest: time.Minute,
		Cached: true, Clean: 10, Dirty: 300, Free: 1000, Directories: 5,
		Counts: metrics.Counts{Evictions: 1, Hits: 2, Misses: 3, Listed: 4, Unlisted: 5, Changes: 6},
	}
	second := tree
	second.ID, second.Up, second.Oldest, second.Free = 2, false, time.Hour, 400
	return metrics.Snapshot{
		Clear: 1, Secure: 2, Up: 3, Down: 4, List: 5, Bans: 6, Passive: metrics.Passive{Used: 7, Free: 8, Failures: 9}, Buffers: 10,
		Trees:        []metrics.Tree{tree, second, {ID: 3, Type: "local", Up: true}},
		Quotas:       []metrics.Quota{{User: "bob", Used: 5, Limit: 10}, {User: "eve", Used: 1}},
		Shared:       &metrics.Shared{Users: 11, Addresses: 12, Leased: 13, Exchanges: 14, Failed: 15},
		Certificates: []metrics.Certificate{{Name: "ftp.example.org", Expires: time.Unix(1_900_000_000, 0)}, {Name: "ftp.example.org"}},
		Hooks:        []metrics.Hook{{Name: "mail", Waiting: 2}},
		Feeds: []metrics.Feed{
			{Source: "nats", Up: true, Lag: time.Second, Last: time.Unix(1_900_000_000, 0), Gaps: 1, Results: map[string]uint64{"applied": 3, "older": 1}},
			{Source: "nats", Lag: 2 * time.Second, Gaps: 2, Results: map[string]uint64{"applied": 4}},
		},
		Cluster: &metrics.Cluster{Up: true, Nodes: 3, Lag: time.Second, Waiting: 4, Elsewhere: 8, Told: 9, Untold: 10, Sent: 5, Received: 6, Gaps: 7},
		Asked:   []metrics.Asked{{Name: "av", Open: metrics.Unanswered{Late: 3}, Closed: metrics.Unanswered{Failed: 1}}},
	}
}

func TestASnapshotIsShown(t *testing.T) {
	m := metrics.New(metrics.Options{Snapshot: full, Users: true})
	want(t, m,
		`ferry_sessions{tls="no"} 1`, `ferry_sessions{tls="yes"} 2`,
		`ferry_transfers_running{direction="up"} 3`, `ferry_transfers_running{direction="down"} 4`, `ferry_transfers_running{direction="list"} 5`,
		`ferry_bans 6`, `ferry_passive_ports{state="used"} 7`, `ferry_passive_ports{state="free"} 8`, `ferry_passive_failures_total 9`, `ferry_buffers_bytes 10`,
		`ferry_remote_up{remote="s3"} 0`, `ferry_remote_up{remote="local"} 1`,
		`ferry_queue_files{tree="s3"} 6`, `ferry_queue_bytes{tree="s3"} 600`, `ferry_queue_failing_files{tree="s3"} 2`,
		`ferry_queue_oldest_seconds{tree="s3"} 3600`, `ferry_queue_oldest_seconds{tree="local"} 0`, `ferry_queue_refused_files{tree="s3"} 4`,
		`ferry_cache_bytes{state="clean",tree="s3"} 20`, `ferry_cache_bytes{state="dirty",tree="s3"} 600`, `ferry_cache_bytes{state="free",tree="s3"} 400`,
		`ferry_cache_evictions_total{tree="s3"} 2`, `ferry_cache_reads_total{result="hit",tree="s3"} 4`, `ferry_cache_reads_total{result="miss",tree="s3"} 6`,
		`ferry_dircache_directories{tree="s3"} 10`, `ferry_dircache_lookups_total{result="hit",tree="s3"} 8`, `ferry_dircache_lookups_total{result="miss",tree="s3"} 10`,
		`ferry_changes_total{source="watch",tree="s3"} 12`,
		`ferry_feed_up{source="nats"} 0`, `ferry_feed_lag_seconds{source="nats"} 2`, `ferry_feed_last_event_timestamp_seconds{source="nats"} 1.9e+09`,
		`ferry_feed_gaps_total{source="nats"} 3`, `ferry_feed_notifications_total{result="applied",source="nats"} 7`,
		`ferry_cluster_up 1`, `ferry_cluster_heard 0`, `ferry_cluster_nodes 3`, `ferry_cluster_lag_seconds 1`, `ferry_cluster_changes_waiting 4`,
		`ferry_cluster_files_waiting{state="elsewhere"} 8`, `ferry_cluster_files_waiting{state="told"} 9`, `ferry_cluster_files_waiting{state="untold"} 10`,
		`ferry_cluster_messages_total{direction="sent"} 5`, `ferry_cluster_messages_total{direction="received"} 6`, `ferry_cluster_gaps_total 7`,
		`ferry_quota_used_bytes{user="bob"} 5`, `ferry_quota_limit_bytes{user="bob"} 10`, `ferry_quota_used_bytes{user="eve"} 1`,
		`ferry_cluster_sessions_elsewhere{of="user"} 11`, `ferry_cluster_sessions_elsewhere{of="address"} 12`,
		`ferry_cluster_quota_leased_bytes 13`, `ferry_cluster_quota_exchanges_total{result="ok"} 14`, `ferry_cluster_quota_exchanges_total{result="error"} 15`,
		`ferry_certificate_expiry_timestamp_seconds{name="ftp.example.org"} 1.9e+09`, `ferry_hooks_waiting{hook="mail"} 2`,
	)
	if all := strings.Join(shown(t, metrics.New(metrics.Options{Snapshot: full})), "\n"); strings.Contains(all, "bob") {
		t.Error("users are shown though nobody has asked for them")
	}
}

// A tree that is closed takes nothing away from what its type has counted.
func TestCountersDoNotFall(t *testing.T) {
	var trees []metrics.Tree
	m := metrics.New(metrics.Options{Snapshot: func(context.Context) metrics.Snapshot { return metrics.Snapshot{Trees: trees} }})
	tree := func(id int, hits uint64) metrics.Tree {
		return metrics.Tree{ID: id, Type: "s3", Counts: metrics.Counts{Hits: hits}}
	}
	for _, step := range []struct {
		trees []metrics.Tree
		sum   int
	}{
		{[]metrics.Tree{tree(1, 10)}, 10},
		{[]metrics.Tree{tree(1, 15), tree(2, 3)}, 18},
		{[]metrics.Tree{tree(2, 4)}, 19},
		{nil, 19},
		{[]metrics.Tree{tree(3, 1)}, 20},
	} {
		trees = step.trees
		want(t, m, fmt.Sprintf(`ferry_cache_reads_total{result="hit",tree="s3"} %d`, step.sum))
	}
}

// However many users, addresses, odd commands and names there are, the series stay few.
func TestSeriesStayBounded(t *testing.T) {
	many := func(ctx context.Context) metrics.Snapshot {
		s := full(ctx)
		for i := range 10_000 {
			s.Quotas = append(s.Quotas, metrics.Quota{User: fmt.Sprintf("user\xff%d", i), Used: 1, Limit: 2})
			s.Hooks = append(s.Hooks, metrics.Hook{Name: fmt.Sprint("hook", i)})
		}
		return s
	}
	count := func(n int, users bool) int {
		m := metrics.New(metrics.Options{Snapshot: many, Commands: []string{"RETR", "STOR"}, Users: users})
		for i := range n {
			odd := fmt.Sprintf("odd\xff%d", i)
			for name := range events.Names() {
				_ = m.Record(t.Context(), &events.Event{
					Kind: events.Kind(name), User: odd, Address: netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, byte(i >> 16), byte(i >> 8), byte(i)}), 1),
					Command: odd, Argument: odd, Cause: odd, Rule: odd, TLS: odd, Client: odd, Path: "/" + odd, Remote: odd, Code: i,
					Bytes: int64(i) << 20, Duration: time.Duration(i) * time.Millisecond, FirstByte: time.Duration(i) * time.Microsecond,
				})
			}
			r := m.Remote(odd)
			r.Called(odd, odd, time.Duration(i))
			m.Hook(odd, odd, time.Second)
		}
		return len(shown(t, m))
	}
	// What depends on names: 33 types of remotes, 101 hooks, each with a histogram.
	if few, more := count(500, false), count(10_000, false); more > few+300 || more > 6000 {
		t.Errorf("500 of each make %d lines, 10,000 make %d", few, more)
	}
	if without, with := count(1, false), count(1, true); with-without > 2*1000+4 {
		t.Errorf("10,000 users make %d lines", with-without)
	}
}

func BenchmarkRecord(b *testing.B) {
	m := metrics.New(metrics.Options{Commands: []string{"RETR", "STOR", "NOOP"}})
	for _, e := range []events.Event{
		{Kind: events.Command, Command: "NOOP", Code: 200, Duration: time.Microsecond},
		{Kind: events.Download, Bytes: 1 << 20, Duration: time.Second, FirstByte: time.Millisecond, TLS: "1.3"},
		{Kind: events.Login, Rule: "file", Duration: time.Millisecond},
		{Kind: events.Disconnect, Cause: "quit"},
	} {
		b.Run(e.Kind.String(), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				_ = m.Record(b.Context(), &e)
			}
		})
	}
	r := m.Remote("s3")
	b.Run("call", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			r.Called("stat", "ok", time.Millisecond)
		}
	})
}

// An event costs no memory.
func TestAnEventAllocatesNothing(t *testing.T) {
	m := metrics.New(metrics.Options{Commands: []string{"NOOP"}})
	all := []events.Event{
		{Kind: events.Command, Command: "NOOP", Code: 200, Duration: time.Microsecond},
		{Kind: events.Download, Bytes: 1 << 20, Duration: time.Second, FirstByte: time.Millisecond, TLS: "1.3"},
		{Kind: events.Disconnect, Cause: "quit"},
	}
	record(t, m, all...)
	n := testing.AllocsPerRun(200, func() {
		for i := range all {
			_ = m.Record(t.Context(), &all[i])
		}
	})
	if n != 0 {
		t.Errorf("%v allocations", n)
	}
}
