package scale

import (
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"log/slog"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"ferry/breaker"
	"ferry/cluster"
	"ferry/cluster/clustertest"
	"ferry/dircache"
	"ferry/remote"
	"ferry/remote/wrap/announce"
)

// What clients do. Of ten sessions nine are cameras of a site, which is a directory; each stores a
// picture every five minutes under one of a few names. The tenth lists the site every ten seconds.
// Each is at a node of its own choice, and stays there.
const (
	sessionsOfNode = 1000
	camerasOfSite  = 9
	picturesEach   = 5
	storeEvery     = 5 * time.Minute
	listEvery      = 10 * time.Second
	warmUp         = 15 * time.Second // until what is listed is known
	sampled        = 10               // one picture of so many is looked for elsewhere
	messageTime    = 2 * time.Millisecond
	noticeTime     = time.Second
	patience       = time.Minute // a picture that is not seen by then never is
)

// How nodes learn of what others store.
const (
	told     = "nodes tell each other" // --cluster
	notified = "bucket tells, 1 s"     // --change-feed, of a service that takes a second
	asked    = "listings not cached"   // --dir-cache-time 0
)

// A load is what is simulated.
type load struct {
	way   string
	nodes int
	every time.Duration // each camera stores a picture
	one   bool          // all sites are below one prefix of the bucket
	long  time.Duration
}

// TestScale has three nodes for a moment. With FERRY_SCALE=file there are up to a hundred nodes
// with 100,000 sessions, and their curves are written to the file, for bench/draw.
func TestScale(t *testing.T) {
	file := os.Getenv("FERRY_SCALE")
	counts, long := []int{3}, 20*time.Second
	busy := []time.Duration{time.Minute}
	busyNodes := 3
	if file != "" {
		counts, long = []int{1, 3, 10, 30, 100}, time.Minute
		busy, busyNodes = []time.Duration{5 * time.Minute, time.Minute, 20 * time.Second, 10 * time.Second, 7 * time.Second, 5 * time.Second}, 30
	}
	ways, prefixes := map[string][]figures{}, map[string][]figures{}
	for _, way := range []string{told, notified, asked} {
		for _, nodes := range counts {
			ways[way] = append(ways[way], run(t, load{way: way, nodes: nodes, every: storeEvery, long: long}))
		}
	}
	for name, one := range map[string]bool{manyPrefixes: false, onePrefix: true} {
		for _, every := range busy {
			prefixes[name] = append(prefixes[name], run(t, load{way: told, nodes: busyNodes, every: every, one: one, long: long / 2}))
		}
	}
	if file != "" {
		write(t, file, ways, prefixes)
	}
}

// Where the sites are in the bucket.
const (
	manyPrefixes = "a prefix for each site"
	onePrefix    = "one prefix"
)

// run simulates a load in a bubble of its own.
func run(t *testing.T, l load) (f figures) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		f = simulate(t, l)
		t.Logf("%s, %d nodes, a picture each %v, one prefix: %v: %v", l.way, l.nodes, l.every, l.one, f)
		f.check(t, l)
	})
	return f
}

// figures are what was measured, by second.
type figures struct {
	Nodes                   int
	P50, P99                time.Duration // from the end of an upload until the listings of others show it
	Storing                 time.Duration // p99 of an upload
	Stores, Lists, Requests float64       // of clients; requests of the store
	Listings                float64       // requests of listings
	Messages, Deliveries    float64       // published by all nodes; that come to each
	SlowDown                float64
	Stale                   int // pictures that were not seen
}

func (f figures) String() string {
	return fmt.Sprintf("seen p50 %v p99 %v; stored in p99 %v, %.0f/s, %.0f lists/s; store: %.0f requests/s, of them %.0f listings, %.0f refused; %.0f messages/s, %.0f to each node; %d not seen",
		f.P50.Round(time.Millisecond), f.P99.Round(time.Millisecond), f.Storing.Round(time.Millisecond), f.Stores, f.Lists, f.Requests, f.Listings, f.SlowDown, f.Messages, f.Deliveries, f.Stale)
}

// check wants of few nodes what doc/scale.md says of many.
func (f figures) check(t *testing.T, l load) {
	t.Helper()
	if l.one && f.SlowDown > 0 {
		return // it ends there
	}
	bound := map[string]time.Duration{told: 200 * time.Millisecond, notified: noticeTime + 200*time.Millisecond, asked: 200 * time.Millisecond}[l.way]
	if f.P99 > bound || f.Stale > 0 || f.P99 == 0 && f.Nodes > 1 {
		t.Errorf("%s: p99 %v, more than %v; %d not seen", l.way, f.P99, bound, f.Stale)
	}
	if l.way != asked && l.every >= storeEvery && f.Listings > f.Lists*2/3 {
		t.Errorf("%s: %.0f of %.0f listings are asked for: nothing stays cached", l.way, f.Listings, f.Lists)
	}
}

// A world is a store and its nodes.
type world struct {
	t     *testing.T
	store *Store
	nodes []*dircache.Tree
	work  sync.WaitGroup

	stores, lists       atomic.Int64
	messages, delivered atomic.Int64

	mu    sync.Mutex
	rng   *rand.Rand      // guarded by mu
	lags  []time.Duration // guarded by mu
	took  []time.Duration // guarded by mu; of uploads
	stale int             // guarded by mu
}

// simulate has so many nodes for a time.
func simulate(t *testing.T, l load) figures {
	w := &world{t: t, store: NewStore(1), rng: rand.New(rand.NewPCG(2, uint64(l.nodes)))}
	ctx, end := context.WithCancel(t.Context())
	sites := l.nodes * sessionsOfNode / (camerasOfSite + 1)
	for i := range sites {
		if err := w.store.Mkdir(ctx, site(i)); err != nil {
			t.Fatal(err)
		}
	}
	w.store.OnePrefix = l.one
	stop := w.open(ctx, l.way, l.nodes)
	time.Sleep(time.Second)
	working, quit := context.WithCancel(ctx)
	for i := range sites {
		w.begin(working, i, l.every)
	}
	time.Sleep(warmUp)
	before, began := w.count(), time.Now()
	w.mu.Lock()
	w.lags, w.took, w.stale = nil, nil, 0
	w.mu.Unlock()
	time.Sleep(l.long)
	f := w.figures(l.nodes, before, time.Since(began))
	quit()
	w.work.Wait()
	end()
	stop()
	return f
}

func site(i int) string { return fmt.Sprintf("site-%05d", i) }

// open opens the nodes. stop waits for what they do besides.
func (w *world) open(ctx context.Context, way string, nodes int) (stop func()) {
	log := slog.New(slog.DiscardHandler)
	server := clustertest.New()
	var beside sync.WaitGroup
	for i := range nodes {
		var r remote.Remote = w.store
		cached := dircache.Options{Time: time.Hour, PollInterval: time.Minute, Log: log}
		if way == asked {
			cached.Time = 0
		} else {
			node := server.Node()
			node.Delay(messageTime)
			if way == notified {
				node.Delay(noticeTime)
			}
			x := announce.NewExchange(announce.Options{Engine: counted{node, w}, Node: fmt.Sprintf("n%d", i), Log: log})
			beside.Go(func() { _ = x.Run(ctx) })
			r = announce.New(r, x)
		}
		tree := dircache.New(r, breaker.New(breaker.Options{}), cached)
		if way != asked {
			beside.Go(func() { _ = tree.Follow(ctx, func() {}) })
		}
		w.nodes = append(w.nodes, tree)
	}
	return beside.Wait
}

// counted counts messages.
type counted struct {
	*clustertest.Node
	world *world
}

// Publish implements cluster.Engine.
func (c counted) Publish(ctx context.Context, subject string, data []byte) error {
	c.world.messages.Add(1)
	return c.Node.Publish(ctx, subject, data)
}

// Subscribe implements cluster.Engine.
func (c counted) Subscribe(ctx context.Context, subject string) iter.Seq2[cluster.Message, error] {
	return func(yield func(cluster.Message, error) bool) {
		for m, err := range c.Node.Subscribe(ctx, subject) {
			if err == nil && !m.Gap {
				c.world.delivered.Add(1)
			}
			if !yield(m, err) {
				return
			}
		}
	}
}

// begin has the sessions of a site do what they do.
func (w *world) begin(ctx context.Context, i int, every time.Duration) {
	viewer := w.node()
	w.often(ctx, listEvery, func() { w.list(ctx, viewer, i) })
	for camera := range camerasOfSite {
		at, picture := w.node(), 0
		w.often(ctx, every, func() {
			picture++
			w.storeOne(ctx, at, viewer, i, fmt.Sprintf("cam%d-%d.jpg", camera, picture%picturesEach))
		})
	}
}

// node is that of a session.
func (w *world) node() *dircache.Tree { return w.nodes[w.chance(len(w.nodes))] }

func (w *world) chance(n int) int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.rng.IntN(n)
}

// often does something again and again, from some moment on.
func (w *world) often(ctx context.Context, every time.Duration, do func()) {
	first := time.Duration(w.chance(int(every)))
	w.work.Go(func() {
		for wait := first; remote.Sleep(ctx, wait) == nil; wait = every {
			do()
		}
	})
}

func (w *world) list(ctx context.Context, at *dircache.Tree, i int) {
	w.lists.Add(1)
	for _, err := range at.List(ctx, site(i)) {
		if err != nil && ctx.Err() == nil {
			w.t.Error(err)
		}
	}
}

// storeOne stores a picture, and has it looked for now and then.
func (w *world) storeOne(ctx context.Context, at, viewer *dircache.Tree, i int, name string) {
	w.stores.Add(1)
	began := time.Now()
	e, err := at.Put(ctx, site(i)+"/"+name, strings.NewReader(name), remote.PutOptions{})
	if err != nil {
		if ctx.Err() == nil {
			w.t.Error(err)
		}
		return
	}
	stored := time.Now()
	w.mu.Lock()
	w.took = append(w.took, stored.Sub(began))
	w.mu.Unlock()
	if at == viewer || w.chance(sampled) > 0 {
		return
	}
	w.work.Go(func() {
		seen := w.seen(ctx, viewer, i, e)
		if ctx.Err() != nil {
			return
		}
		w.mu.Lock()
		defer w.mu.Unlock()
		if !seen {
			w.stale++
			return
		}
		w.lags = append(w.lags, time.Since(stored))
	})
}

// seen waits until a listing shows e, or what came after it under its name.
func (w *world) seen(ctx context.Context, at *dircache.Tree, i int, e remote.Entry) bool {
	for end := time.Now().Add(patience); time.Now().Before(end); {
		for now, err := range at.List(ctx, site(i)) {
			if err != nil {
				break
			}
			if now.Name == e.Name && !now.ModTime.Before(e.ModTime) {
				return true
			}
		}
		if remote.Sleep(ctx, 2*time.Millisecond) != nil {
			return false
		}
	}
	return false
}

// counts are those of a world so far.
type counts struct{ stores, lists, requests, listings, slow, messages, delivered int64 }

func (w *world) count() counts {
	s := w.store
	return counts{
		w.stores.Load(), w.lists.Load(), s.Lists.Load() + s.Reads.Load() + s.Writes.Load(), s.Lists.Load(), s.SlowDown.Load(),
		w.messages.Load(), w.delivered.Load(),
	}
}

func (w *world) figures(nodes int, before counts, took time.Duration) figures {
	now := w.count()
	rate := func(now, before int64) float64 { return float64(now-before) / took.Seconds() }
	w.mu.Lock()
	defer w.mu.Unlock()
	f := figures{
		Nodes: nodes, Stores: rate(now.stores, before.stores), Lists: rate(now.lists, before.lists),
		Requests: rate(now.requests, before.requests), Listings: rate(now.listings, before.listings),
		SlowDown: rate(now.slow, before.slow), Messages: rate(now.messages, before.messages),
		Deliveries: rate(now.delivered, before.delivered) / float64(nodes), Stale: w.stale,
	}
	slices.Sort(w.lags)
	if n := len(w.lags); n > 0 {
		f.P50, f.P99 = w.lags[n/2], w.lags[n*99/100]
	}
	slices.Sort(w.took)
	if n := len(w.took); n > 0 {
		f.Storing = w.took[n*99/100]
	}
	return f
}

// A panel and a series are those that bench/draw draws.
type panel struct {
	Title, Unit, X string
	Series         []series
}

type series struct {
	Name   string
	Points [][2]float64
}

// write writes the curves.
func write(t *testing.T, file string, ways, prefixes map[string][]figures) {
	t.Helper()
	ms := func(d time.Duration) float64 { return float64(d) / 1e6 }
	var panels []panel
	add := func(title, unit string, value func(figures) float64) {
		panels = append(panels, panelOf(title, unit, "nodes, each with 1,000 sessions", []string{told, notified, asked}, ways,
			func(f figures) float64 { return float64(f.Nodes) }, value))
	}
	busy := func(title, unit string, value func(figures) float64) {
		panels = append(panels, panelOf(title, unit, "files stored each second", []string{manyPrefixes, onePrefix}, prefixes,
			func(f figures) float64 { return f.Stores }, value))
	}
	add("stored here, listed there", "ms, p99", func(f figures) float64 { return ms(f.P99) })
	add("requests of listings", "each second, at the store", func(f figures) float64 { return f.Listings })
	add("all requests", "each second, at the store", func(f figures) float64 { return f.Requests })
	add("messages that come to a node", "each second", func(f figures) float64 { return f.Deliveries })
	busy("30 nodes: until 226", "ms, p99", func(f figures) float64 { return ms(f.Storing) })
	busy("30 nodes: stored here, listed there", "ms, p99", func(f figures) float64 { return ms(f.P99) })
	text, err := json.Marshal(struct {
		Columns int
		Panels  []panel
	}{3, panels})
	if err == nil {
		err = os.WriteFile(file, text, 0o666)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// panelOf makes lines of figures. What is 0 has no place on an axis of powers of ten.
func panelOf(title, unit, over string, names []string, all map[string][]figures, x, y func(figures) float64) panel {
	p := panel{Title: title, Unit: unit, X: over}
	for _, name := range names {
		s := series{Name: name}
		for _, f := range all[name] {
			if y(f) > 0 {
				s.Points = append(s.Points, [2]float64{x(f), y(f)})
			}
		}
		p.Series = append(p.Series, s)
	}
	return p
}
