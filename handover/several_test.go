package handover

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"ferry/cache"
	"ferry/cluster/clustertest"
	"ferry/disk/disktest"
	"ferry/remote"
)

// Two nodes that take at the same time, lease or not, take each change once.
func TestTwoTakersAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		a, b, c := prepare(w, "a"), w.node("b", disktest.New()), w.node("c", disktest.New())
		const more = 3 * takeAtOnce
		for i := range more {
			a.add(cache.Record{Name: fmt.Sprint("more", i)}, fmt.Sprint("content ", i))
		}
		a.end()
		a.start()
		a.ok(a.give())
		w.latency = time.Second // both have fetched all before one has something
		var took [2]Taken
		done := make(chan error)
		for i, n := range []*node{b, c} {
			go func() {
				queues, err := n.place.list(t.Context(), treeName)
				for _, e := range queues {
					if e.Dir {
						err = errors.Join(err, n.place.takeQueue(t.Context(), treeName, e.Name, n.tree, &took[i]))
					}
				}
				done <- err
			}()
		}
		b.ok(errors.Join(<-done, <-done))
		if n := took[0].Changes + took[1].Changes; n != prepared+more {
			t.Errorf("%d changes were taken", n)
		}
		// Each node makes what it has. The order between them is not kept, so that one directory
		// may be missing.
		b.run()
		c.run()
		for _, name := range []string{"replaced", "d/one", "last\xff"} {
			if w.content(name) == "" {
				t.Errorf("%q is lost", name)
			}
		}
		made := w.changes()
		for i := range more {
			name := fmt.Sprint("more", i)
			times := 0
			for _, change := range made {
				if change == "put "+name {
					times++
				}
			}
			if got := w.content(name); times != 1 || got != fmt.Sprint("content ", i) {
				t.Errorf("%s was stored %d times, and is %q", name, times, got)
			}
		}
		for _, n := range []*node{a, b, c} {
			n.end()
		}
	})
}

// Others are told while a node gives, and when it has given all: they take within two seconds.
// Where nobody can tell them, the giver does not wait.
func TestOthersAreTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.server = clustertest.New()
		a, b := prepare(w, "a"), w.node("b", disktest.New())
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		heard := make(chan struct{}, 100)
		listening := make(chan struct{})
		go func() {
			defer close(listening)
			b.place.Listen(ctx, func() { heard <- struct{}{} })
		}()
		synctest.Wait()
		<-heard // nobody knows what was told before
		began := time.Now()
		a.ok(a.give())
		for changes := 0; changes < prepared; {
			<-heard
			taken, err := b.take()
			b.ok(err)
			changes += taken.Changes
		}
		if d := time.Since(began); d > 2*time.Second {
			t.Errorf("taken %v after they were given", d)
		}
		synctest.Wait()
		for len(heard) > 0 {
			<-heard
		}
		b.run()
		wantAll(w, "in the end")
		b.place.rung(ctx)
		if synctest.Wait(); len(heard) != 0 {
			t.Error("a node hears what it tells itself")
		}
		w.server.Stop()
		a.add(cache.Record{Name: "later"}, "later")
		a.end()
		a.start()
		began = time.Now()
		a.ok(a.give())
		if d := time.Since(began); d > ringTime {
			t.Errorf("the giver waits %v for the engine", d)
		}
		taken, err := b.take()
		if b.ok(err); taken.Changes != 1 {
			t.Errorf("without the engine %+v is taken", taken)
		}
		cancel()
		<-listening
		a.end()
		b.end()
	})
}

// Several changes are fetched at a time. A directory is there before what is in it, and of one name
// the last one counts.
func TestSeveralAreTakenAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		a, b := w.node("a", disktest.New()), w.node("b", disktest.New())
		const files = 4 * takeAtOnce
		for i := range files {
			if i == files/2 {
				a.add(cache.Record{Kind: cache.Dir, Name: "d"}, "")
			}
			dir := "."
			if i > files/2 {
				dir = "d"
			}
			a.add(cache.Record{Name: remote.Join(dir, fmt.Sprint("f", i))}, fmt.Sprint("content ", i))
		}
		a.end()
		a.start()
		a.ok(a.give())
		w.latency = time.Second
		began := time.Now()
		taken, err := b.take()
		if b.ok(err); taken.Changes != files+1 || taken.Bytes == 0 {
			t.Errorf("taken: %+v", taken)
		}
		// One after another it takes 33 s, and as long again to read the owners at the end.
		if d := time.Since(began); d > files/2*time.Second {
			t.Errorf("it took %v", d)
		}
		for i, rec := range b.kept.Pending() {
			if (rec.Kind == cache.Dir) != (i == files/2) {
				t.Errorf("the change %d is %v of %q", i, rec.Kind, rec.Name)
			}
		}
		b.run()
		for i := range files {
			name := fmt.Sprint("f", i)
			if i > files/2 {
				name = "d/" + name
			}
			if got := w.content(name); got != fmt.Sprint("content ", i) {
				t.Errorf("%s is %q", name, got)
			}
		}
		a.end()
		b.end()
	})
}
