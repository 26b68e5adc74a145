package ui

import (
	"errors"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"ferry/events"
)

func TestTroubleComesFirst(t *testing.T) {
	now := time.Now()
	p := New(Options{Source: &told{}, QueueLate: time.Minute})
	st := State{
		Server:       Server{Node: "n1", Nodes: 1, Alone: "no servers available", Twin: "process 7 at web1"},
		Feeds:        []Feed{{"nats://h/s", now, "no server answers"}},
		Remotes:      []Remote{{Tree: "nas:", Away: now, Error: "no route to host"}, {Tree: "other:"}},
		Causes:       []Cause{{"connection refused", now, 3}},
		Refused:      []Refused{{Since: now}, {Since: now}},
		Waiting:      []Waiting{{Since: now.Add(-14 * time.Minute)}},
		Caches:       []Cache{{Limit: 100, Waiting: 95, Free: 1 << 40}, {Free: 1 << 20}},
		Certificates: []Certificate{{"a.example", now.Add(5 * 24 * time.Hour)}, {"b.example", now.Add(-time.Hour)}, {"c.example", now.Add(90 * 24 * time.Hour)}},
		Users:        []User{{Name: "camera", Counted: true, Bytes: 95, MaxBytes: 100}, {Name: "phone", Bytes: 95, MaxBytes: 100}},
	}
	var got []string
	all := p.trouble(now, &st)
	for _, one := range all {
		got = append(got, one.Text)
	}
	want := []string{
		"the remote nas: cannot be reached: no route to host", "3 uploads are late: connection refused",
		"2 files were refused by the remote for good", "the queue is 14 minutes behind",
		"the cache is full with what the remote does not have: 95 % of --vfs-cache-max-size", "the disk of the cache has only 1 MiB free",
		"NATS (--cluster) is not reached, this node goes on by itself: no servers available",
		"another ferry (process 7 at web1) has the name of this node too: give each its own by --node",
		"the change feed nats://h/s is not listened to, listings may be 5 minutes old: no server answers", "the certificate of b.example has ended",
		"the certificate of a.example ends in 5 days", "90 % of the quota is used by camera",
	}
	if !slices.Equal(got, want) {
		t.Errorf("wrong is\n%s\nnot\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if all[9].Bad == all[10].Bad {
		t.Error("what will be wrong is not told from what is")
	}
	if none := p.trouble(now, &State{}); len(none) != 0 {
		t.Errorf("of nothing is wrong: %v", none)
	}
}

// Hooks that are not told, and passive ports that are used up, are wrong too.
func TestTroubleOfHooksAndPorts(t *testing.T) {
	now := time.Now()
	p := New(Options{Source: &told{}})
	st := State{
		Hooks: []Hook{
			{Name: "well", Target: "x", Waiting: 2, Delivered: 9},
			{Name: "erp", Target: "x", Waiting: 3, Oldest: now.Add(-time.Hour), Error: "connection refused"},
			{Name: "mail", Target: "x", Dead: 1, Error: "exit status 1"},
			{Name: "old", Waiting: 1},
			{Name: "gone", Target: "x", Stopped: true, Dead: 2},
			{Name: "calm", Target: "x", Error: "timeout"},
			{Name: "av", Target: "x", Asked: true, Answered: 9, Late: 2, Open: 1, Closed: 2, Error: "clamd gave no answer in 30s"},
			{Name: "back", Target: "x", Asked: true, Answered: 9, Closed: 2},
		},
		Ports: Ports{Used: 10},
	}
	texts := func(bad bool) []string {
		var all []string
		for _, one := range p.trouble(now, &st) {
			if one.Bad == bad {
				all = append(all, one.Text)
			}
		}
		return all
	}
	want := []string{
		"all 10 passive ports are in use: clients may be refused data connections; widen --passive-port",
		"the hook erp cannot be told, 3 events wait for it: connection refused",
		"the hook mail was not told of 1 event, which is given up: exit status 1",
		"the hook gone wants no more events (410), and was not told of 2 events, which are given up",
		"the hook av does not answer: 3 questions without an answer, 2 of them late; 1 taken for yes, 2 for no: clamd gave no answer in 30s",
	}
	if got := texts(true); !slices.Equal(got, want) {
		t.Errorf("wrong is\n%s\nnot\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if got := texts(false); !slices.Equal(got, []string{"1 event waits for the hook old, which is not there any more"}) {
		t.Errorf("a look needs %q", got)
	}
	st = State{Ports: Ports{Used: 9, Free: 1}}
	if got := texts(false); len(got) != 1 || !strings.HasPrefix(got[0], "9 of 10 passive ports are in use") {
		t.Errorf("a look needs %q", got)
	}
	if s := p.snapshot(now, &State{Hooks: []Hook{{Name: "erp", Waiting: 3, Dead: 1}}}); s.Hooks.Total != 1 || s.Hooks.Rows[0].Waiting != 3 || s.Hooks.Rows[0].Dead != 1 {
		t.Errorf("the hooks are %+v", s.Hooks)
	}
}

func TestRates(t *testing.T) {
	var r rates
	began := time.Now()
	s := Session{ID: 1, Command: "RETR", Began: began, Size: 20000}
	for i := range 20 {
		s.Bytes = int64(i * 100) // 100 a second, and 500 in the end
		if i > 10 {
			s.Bytes = 1000 + int64(i-10)*500
		}
		r.note(began.Add(time.Duration(i)*time.Second), []Session{s})
	}
	if got := r.of(&s); got != 500 {
		t.Errorf("the rate of the last seconds is %v", got)
	}
	if all := r.transfers([]Session{s, {ID: 2}}); len(all) != 1 || all[0].Left != (20000-5500)/500.0 {
		t.Errorf("%+v", all)
	}
	r.note(began.Add(time.Minute), nil)
	if len(r.past) != 0 {
		t.Error("a transfer that has ended is remembered")
	}
}

func TestLatencies(t *testing.T) {
	var l latencies
	bounds := []time.Duration{time.Millisecond, 10 * time.Millisecond, 100 * time.Millisecond}
	now := time.Now()
	at := func(after time.Duration, took ...int64) (median, slowest time.Duration) {
		return l.of(now.Add(after), Remote{Tree: "r", Took: took, Bounds: bounds})
	}
	if m, s := at(0, 0, 0, 0); m != 0 || s != 0 {
		t.Errorf("of no calls: %v %v", m, s)
	}
	if m, s := at(time.Minute, 98, 0, 2); m > time.Millisecond || s < 10*time.Millisecond {
		t.Errorf("of fast calls: %v %v", m, s)
	}
	if m, _ := at(10*time.Minute, 98, 0, 102); m < 10*time.Millisecond {
		t.Errorf("the calls of long ago count: %v", m)
	}
}

func TestRecorder(t *testing.T) {
	r := NewRecorder()
	stream := events.New(r.Subscription())
	at := netip.MustParseAddrPort
	for i := range 250 {
		stream.Record(t.Context(), &events.Event{Kind: events.Login, User: fmt.Sprint("u", i), Address: at("192.0.2.1:1")})
		stream.Record(t.Context(), &events.Event{Kind: events.UploadReceived, Path: fmt.Sprint("/", i), Bytes: 5})
	}
	for i := range 2000 {
		stream.Record(t.Context(), &events.Event{Kind: events.LoginRefused, User: "root", Cause: "password",
			Address: netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, 0, byte(i >> 8), byte(i)}), 1), Time: time.Now().Add(time.Duration(i) * time.Second)})
	}
	stream.Record(t.Context(), &events.Event{Kind: events.UploadAborted, Path: "/cut", Result: events.Aborted, Cause: "lost"})
	stream.Record(t.Context(), &events.Event{Kind: events.Delete, Path: "/gone"})
	got := r.copy()
	if len(got.logins) != recentRows || got.logins[0].OK || got.logins[0].Cause != "password" {
		t.Errorf("%d logins, the last %+v", len(got.logins), got.logins[0])
	}
	if len(got.ended) != recentRows || got.ended[0].Path != "/cut" || got.ended[0].OK || got.ended[1].Path != "/249" || !got.ended[1].OK {
		t.Errorf("%d transfers, the last %+v, %+v", len(got.ended), got.ended[0], got.ended[1])
	}
	if len(got.failed) != maxFailed || got.failed[0].Address != "10.0.7.207" || got.failed[0].Times != 1 {
		t.Errorf("%d addresses, the last %+v", len(got.failed), got.failed[0])
	}
}

func TestPictures(t *testing.T) {
	s := newSeries(time.Second, 3600)
	now := time.Unix(1_800_000_000, 0)
	s.add(now.Add(-time.Hour-time.Minute), 1<<30, 0) // too long ago
	for i := range 15 {
		s.add(now.Add(time.Duration(i-15)*time.Second), 1000, 0)
	}
	s.add(now, 0, 0)
	p := s.picture(hourPoints)
	if p.Top < 900 || p.Top > 1000 || p.Out != "M0 120L720 120" || !strings.HasPrefix(p.In, "M0 120L") || strings.Count(p.In, "L") > 4 {
		t.Errorf("%+v", p)
	}
}

// A file of another time, or that is no history, is not used.
func TestHistoryThatCannotBe(t *testing.T) {
	name := filepath.Join(t.TempDir(), "traffic.json")
	now := time.Now()
	h := newHistory()
	h.note(now.Add(time.Hour), 5, 5)
	if err := h.save(name); err != nil {
		t.Fatal(err)
	}
	later := newHistory()
	if err := later.load(name, now); err != nil || later.traffic().Day.Top != 0 {
		t.Errorf("of a clock that was ahead: %v, %+v", err, later.traffic())
	}
	if err := os.WriteFile(name, []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := later.load(name, now); err == nil || errors.Is(err, os.ErrNotExist) {
		t.Errorf("a damaged file: %v", err)
	}
}
