package quota

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"ferry/cluster/clustertest"
	"ferry/ftp"
)

// TestHistories has nodes on which sessions store and remove, that are cut off, stopped, killed and
// started again, and that lose answers. However that goes, the limit holds, and when all are
// reached again, what is counted is what is there.
func TestHistories(t *testing.T) {
	clustertest.Histories(t, func(t *testing.T, random *rand.Rand) { newHistory(t, random).run() })
}

type history struct {
	*testing.T
	random *rand.Rand
	server *clustertest.Server
	tree   ftp.FS
	dir    string
	limits Limits
	nodes  []*member
	views  []*FS
	open   []opened
	since  []time.Time // when a node was cut off or killed; zero = it is reached
}

type opened struct {
	ftp.Upload
	node int
}

func newHistory(t *testing.T, random *rand.Rand) *history {
	h := &history{
		T: t, random: random, server: clustertest.New(), tree: newTree(t), dir: t.TempDir(),
		limits: Limits{Bytes: 1 << 20, Files: 60},
	}
	h.nodes, h.views, h.since = make([]*member, 4), make([]*FS, 4), make([]time.Time, 4)
	return h
}

// node returns one that runs. One that was away for long is back: its lease would not be its own.
func (h *history) node() int {
	i := h.random.IntN(len(h.nodes))
	for j, at := range h.since {
		if !at.IsZero() && time.Since(at) > 5*time.Minute {
			i = j
			if h.nodes[i] != nil {
				h.cut(i, false)
			}
		}
	}
	if h.nodes[i] == nil {
		h.nodes[i] = join(h.T, h.server, fmt.Sprint("node", i), h.dir, false)
		h.since[i] = time.Time{}
	}
	if h.views[i] == nil {
		h.views[i] = h.nodes[i].session(h.T, h.tree, h.limits)
	}
	return i
}

func (h *history) cut(i int, away bool) {
	h.nodes[i].engine.Cut(away)
	switch {
	case !away:
		h.since[i] = time.Time{}
	case h.since[i].IsZero():
		h.since[i] = time.Now()
	}
}

// end ends what goes on at a node, and the node, in an orderly way or not.
func (h *history) end(i int, kill bool) {
	if h.since[i].IsZero() {
		h.since[i] = time.Now()
	}
	if kill {
		h.nodes[i].kill()
	}
	for j := 0; j < len(h.open); j++ {
		if o := h.open[j]; o.node == i {
			o.Abort()
			h.open = append(h.open[:j], h.open[j+1:]...)
			j--
		}
	}
	h.views[i].leave(h.T)
	h.views[i] = nil
	if !kill {
		h.nodes[i].stop()
	}
	h.nodes[i] = nil
}

func (h *history) run() {
	for step := range 400 {
		i := h.node()
		switch k := h.random.IntN(40); {
		case k < 2:
			h.cut(i, h.random.IntN(3) == 0)
		case k == 2:
			h.nodes[i].engine.LoseAnswers(h.random.IntN(4))
		case k == 3:
			h.nodes[i].engine.Delay(time.Duration(h.random.IntN(500)) * time.Millisecond)
		case k == 4:
			h.server.Stop()
			time.Sleep(time.Duration(h.random.IntN(60)) * time.Second)
			h.server.Start(true)
		case k < 7:
			h.end(i, k == 5)
		case k == 7:
			time.Sleep(time.Duration(h.random.IntN(200)) * time.Second)
		default:
			h.change(i)
		}
		time.Sleep(time.Duration(h.random.IntN(1000)) * time.Millisecond)
		if there := h.scan(); there.Bytes > h.limits.Bytes || there.Files > h.limits.Files {
			h.Fatalf("step %d: %+v is there", step, there)
		}
	}
	h.settle()
}

// change has a session at node i do something. Names are of one node while they are uploaded.
func (h *history) change(i int) {
	ctx, f := h.Context(), h.views[i]
	mine := fmt.Sprint(i, "-", h.random.IntN(20))
	any := fmt.Sprint(h.random.IntN(4), "-", h.random.IntN(20))
	var err error
	switch k := h.random.IntN(12); {
	case k < 2:
		var u ftp.Upload
		if u, err = f.Create(ctx, "open"+fmt.Sprint(h.random.Uint64()), 0); err == nil {
			h.open = append(h.open, opened{u, i})
		}
	case k < 4 && len(h.open) > 0:
		_, err = h.open[h.random.IntN(len(h.open))].Write(make([]byte, h.random.IntN(60_000)))
	case k < 6 && len(h.open) > 0:
		j := h.random.IntN(len(h.open))
		if h.random.IntN(3) > 0 {
			err = h.open[j].Commit(ctx)
		}
		h.open[j].Abort()
		h.open = append(h.open[:j], h.open[j+1:]...)
	case k == 6:
		f.Remove(ctx, any)
	case k == 7:
		f.Rename(ctx, mine, any)
	case k == 8:
		err = put(f, mine, ftp.AtEnd, h.random.IntN(30_000), h.random.IntN(2) == 0)
	default:
		err = put(f, mine, 0, h.random.IntN(100_000), h.random.IntN(2) == 0)
	}
	if err != nil && !errors.Is(err, ftp.ErrQuota) {
		h.Fatal(err)
	}
}

func (h *history) scan() Usage {
	there, err := Scan(h.Context(), h.tree)
	if err != nil {
		h.Fatal(err)
	}
	return there
}

// settle has all nodes be reached, and compares what they have counted with what is there.
func (h *history) settle() {
	for i := range h.nodes {
		if h.nodes[i] == nil {
			h.nodes[i] = join(h.T, h.server, fmt.Sprint("node", i), h.dir, false)
		}
		h.nodes[i].engine.Cut(false)
		h.nodes[i].engine.LoseAnswers(0)
	}
	for _, o := range h.open {
		o.Abort()
	}
	time.Sleep(time.Minute)
	there := h.scan()
	for _, m := range h.nodes {
		m.expect(h.T, "after all", there)
		m.store.mu.Lock()
		for _, a := range m.store.accounts {
			a.mu.Lock()
			if a.reserved != (Usage{}) {
				h.Errorf("%+v is reserved", a.reserved)
			}
			a.mu.Unlock()
		}
		m.store.mu.Unlock()
	}
	c, _, err := h.nodes[0].store.nodes.get(h.Context(), "bob")
	if err != nil || c.others("", time.Now()) != (Usage{}) {
		h.Errorf("nobody stores anything, and it is leased: %+v, %v", c, err)
	}
}
