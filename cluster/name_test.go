package cluster_test

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"ferry/cluster"
	"ferry/cluster/clustertest"
)

// A holder is a process that wants a name.
type holder struct {
	*cluster.Name
	log strings.Builder
}

func newHolder(e cluster.Engine, id string) *holder {
	h := &holder{}
	h.Name = cluster.NewName(e, "n1", id, "process "+id, slog.New(slog.NewTextHandler(&h.log, nil)))
	return h
}

// takes checks how Take ends, and that it takes no longer than that.
func (h *holder) takes(t *testing.T, what, by string, within time.Duration) {
	t.Helper()
	began := time.Now()
	err := h.Take(t.Context())
	var taken *cluster.TakenError
	switch {
	case by == "" && err != nil:
		t.Errorf("%s: %v", what, err)
	case by != "" && (!errors.As(err, &taken) || taken.By != "process "+by || h.Twin() != taken.By):
		t.Errorf("%s: %v, want that of %s", what, err, by)
	}
	if took := time.Since(began); took > within {
		t.Errorf("%s: it took %v", what, took)
	}
}

func (h *holder) run(t *testing.T) (stop func()) { return clustertest.Start(t, h.Run) }

func TestOneProcessHasAName(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := clustertest.New()
		nodes := []*clustertest.Node{s.Node(), s.Node(), s.Node()}
		a, b, c := newHolder(nodes[0], "a"), newHolder(nodes[1], "b"), newHolder(nodes[2], "c")
		a.takes(t, "a free one", "", 0)
		end := a.run(t)
		const soon = 200 * time.Millisecond
		b.takes(t, "while a lives", "a", soon)
		time.Sleep(5 * time.Hour)
		b.takes(t, "while a lives on", "a", soon)
		end()
		b.takes(t, "when a has ended", "", 0)
		end = b.run(t)
		nodes[1].Cut(true) // as by kill -9, or by the loss of the way
		a.takes(t, "when b is dead", "", 3*time.Second)
		a.run(t)
		c.takes(t, "when a has taken over", "a", soon)
		nodes[1].Cut(false)
		time.Sleep(time.Minute)
		if b.Twin() != "process a" || strings.Count(b.log.String(), "--node") != 1 {
			t.Errorf("who comes back has a twin: %q; its log: %s", b.Twin(), b.log.String())
		}
		a.takes(t, "which is not taken back", "", 0)
		end()
	})
}

// Of several that want a name of a dead process at once one has it.
func TestOneOfManyHasTheName(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := clustertest.New()
		newHolder(s.Node(), "dead").takes(t, "a free one", "", 0)
		got := make(chan error)
		const many = 8
		for i := range many {
			h := newHolder(s.Node(), string(rune('a'+i)))
			go func() {
				err := h.Take(t.Context())
				if err == nil {
					h.run(t)
				}
				got <- err
			}()
		}
		winners := 0
		for range many {
			var taken *cluster.TakenError
			switch err := <-got; {
			case err == nil:
				winners++
			case !errors.As(err, &taken) || taken.By == "process dead":
				t.Error(err)
			}
		}
		if winners != 1 {
			t.Errorf("%d have the name", winners)
		}
	})
}

// Without the engine nobody is refused; when it is back, the first one has the name, and the other
// knows.
func TestANameWithoutTheEngine(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := clustertest.New()
		s.Stop()
		a, b := newHolder(s.Node(), "a"), newHolder(s.Node(), "b")
		if err := a.Take(t.Context()); !errors.Is(err, cluster.ErrAway) {
			t.Fatal(err)
		}
		a.run(t)
		time.Sleep(time.Hour)
		s.Start(true)
		time.Sleep(3 * time.Second)
		end := b.run(t)
		time.Sleep(3 * time.Second)
		if a.Twin() != "" || b.Twin() != "process a" {
			t.Errorf("twins: %q, %q", a.Twin(), b.Twin())
		}
		s.Start(false) // it has lost all
		time.Sleep(3 * time.Minute)
		if (a.Twin() == "") == (b.Twin() == "") {
			t.Errorf("after a loss of all: twins %q, %q", a.Twin(), b.Twin())
		}
		end()
		time.Sleep(2 * time.Minute)
		if a.Twin() != "" {
			t.Errorf("alone: %q", a.Twin())
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if err := b.Take(ctx); err == nil {
			t.Error("without time")
		}
	})
}
