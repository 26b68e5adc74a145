package handover

import (
	"context"
	"errors"
	"fmt"
	"io"
	"reflect"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"ferry/cache"
	"ferry/disk/disktest"
	"ferry/remote"
	"ferry/remote/wrap/intercept"
	"ferry/writeback"
)

// big is a content of several reads.
var big = strings.Repeat("0123456789abcdef", 20_000)

// prepared is how many changes prepare makes.
const prepared = 9

// prepare returns a node on which a change of each kind waits.
func prepare(w *world, name string) *node {
	w.t.Helper()
	for file, content := range map[string]string{"old": "to be deleted", "source": "to be renamed", "replaced": "before"} {
		w.has(file, content)
	}
	n := w.node(name, disktest.New())
	n.add(cache.Record{Name: "replaced", ModTime: time.Unix(1e9, 5)}, big)
	n.add(cache.Record{Kind: cache.Dir, Name: "d"}, "")
	n.add(cache.Record{Name: "d/one", Removes: []string{"d/two"}, Origin: "whose"}, "first")
	n.add(cache.Record{Name: "d/empty"}, "")
	n.add(cache.Record{Name: "d/beside"}, "beside") // these two and the one before are taken at a time
	n.add(cache.Record{Name: "d/besides"}, "besides")
	n.add(cache.Record{Kind: cache.Removed, Name: "old"}, "")
	n.add(cache.Record{Kind: cache.Moved, Name: "target", Source: "source", Removes: []string{"source"}}, "")
	n.add(cache.Record{Name: "last\xff"}, "end")
	n.end()
	n.start()
	return n
}

// wantAll compares the store with what prepare wants, each change made once.
func wantAll(w *world, what string) {
	w.t.Helper()
	for name, want := range map[string]string{
		"replaced": big, "d/one": "first", "d/empty": "", "d/beside": "beside", "d/besides": "besides", "old": "", "source": "", "target": "to be renamed", "last\xff": "end",
	} {
		if got := w.content(name); got != want {
			w.t.Errorf("%s: %q has %.20q (%d bytes), want %.20q", what, name, got, len(got), want)
		}
	}
	want := []string{"mkdir d", "move source", "put d/beside", "put d/besides", "put d/empty", "put d/one", "put last\xff", "put replaced", "remove old"}
	if got := w.changes(); !slices.Equal(got, want) {
		w.t.Errorf("%s: the changes were %q, want %q", what, got, want)
	}
}

// Whatever kind of change waits on a node that ends is made by another one, once, and nothing
// stays in the place but who had it.
func TestAnotherNodeMakesWhatWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		a, b := prepare(w, "a"), w.node("b", disktest.New())
		made := a.kept.Pending()[0].Committed
		time.Sleep(time.Minute)
		a.ok(a.place.Prepare(t.Context()))
		a.ok(a.give())
		if left := a.kept.Pending(); len(left)+len(a.kept.Claimed()) > 0 {
			t.Errorf("the giver still has %v", left)
		}
		if w := a.tree.Waiting(); w.Changes != 0 || w.Bytes != 0 {
			t.Errorf("the giver still shows %+v", w)
		}
		if trees, err := b.place.Trees(t.Context()); err != nil || !slices.Equal(trees, []string{treeName}) {
			t.Errorf("the trees are %q, %v", trees, err)
		}
		if about, err := b.place.About(t.Context(), treeName); err != nil || about.Remote != "store:" {
			t.Errorf("about the tree: %+v, %v", about, err)
		}
		taken, err := b.take()
		if b.ok(err); taken.Changes != prepared || taken.From != "a" {
			t.Errorf("taken: %+v", taken)
		}
		if rec := b.kept.Pending(); rec[0].Name != "replaced" || !rec[0].ModTime.Equal(time.Unix(1e9, 5)) || !rec[0].Committed.Equal(made) || rec[2].Origin != "whose" {
			t.Errorf("the records have become %+v", rec)
		}
		if len(w.changes()) != 0 {
			t.Error("something was made before it was due")
		}
		b.run()
		wantAll(w, "in the end")
		left := w.left(".")
		if len(left) != 3 || !strings.HasSuffix(left[0]+left[1]+left[2], "") {
			t.Errorf("the place still has %q", left)
		}
		for _, name := range left {
			if name != marker && name != treeName+"/about" && !strings.HasSuffix(name, ownersSuffix) {
				t.Errorf("the place still has %q", name)
			}
		}
		time.Sleep(ownersTime + time.Hour)
		_, err = b.take()
		b.ok(err)
		if left := w.left("."); len(left) != 2 {
			t.Errorf("after a month the place has %q", left)
		}
		a.end()
		b.end()
	})
}

// losses are what a crash takes.
var losses = map[string]disktest.Loss{"killed": disktest.Nothing(), "power lost": disktest.Everything()}

// The giver is killed at each call to the place, before it was carried out and after, and at each
// operation of its disk; another node takes what is there, and the giver comes back: every change
// is made, by one of the two.
func TestTheGiverIsKilledAtEachStep(t *testing.T) {
	t.Parallel()
	for how, loss := range losses {
		for _, where := range []string{"before", "after", "disk"} {
			for step := 1; ; step++ {
				more := true
				synctest.Test(t, func(t *testing.T) { more = killGiver(t, fmt.Sprintf("%s %s %d", how, where, step), where, step, loss) })
				if t.Failed() || !more {
					break
				}
			}
		}
	}
}

func killGiver(t *testing.T, what, where string, step int, loss disktest.Loss) (more bool) {
	w := newWorld(t)
	a, b := prepare(w, "a"), w.node("b", disktest.New())
	a.ok(b.place.Prepare(t.Context()))
	if where == "disk" {
		a.disk.StopAt(a.disk.Changes()+step, step%512)
	} else {
		a.at, a.after = step, where == "after"
	}
	gave := a.give()
	taken, err := b.take()
	b.ok(err)
	b.run()
	a = a.again(loss)
	a.ok(a.place.Settle(t.Context(), a.tree))
	a.run()
	more = gave != nil || a.disk.Stopped()
	again, err := b.take() // what has arrived, and is nobody's any more
	b.ok(err)
	b.run()
	if n := taken.Changes + again.Changes; n > prepared {
		t.Errorf("%s: %d changes were taken", what, n)
	}
	wantAll(w, what)
	if open := append(a.kept.Claimed(), b.kept.Claimed()...); len(open) > 0 {
		t.Errorf("%s: it is open whose %v are", what, open)
	}
	a.end()
	b.end()
	return more
}

// The taker is killed at each step; another one takes the rest when its lease has ended, and the
// first one comes back.
func TestTheTakerIsKilledAtEachStep(t *testing.T) {
	t.Parallel()
	for how, loss := range losses {
		for _, where := range []string{"before", "after", "disk"} {
			for step := 1; ; step++ {
				more := true
				synctest.Test(t, func(t *testing.T) { more = killTaker(t, fmt.Sprintf("%s %s %d", how, where, step), where, step, loss) })
				if t.Failed() || !more {
					break
				}
			}
		}
	}
}

func killTaker(t *testing.T, what, where string, step int, loss disktest.Loss) (more bool) {
	w := newWorld(t)
	a, b, c := prepare(w, "a"), w.node("b", disktest.New()), w.node("c", disktest.New())
	a.ok(a.place.Prepare(t.Context()))
	a.ok(a.give())
	if where == "disk" {
		b.disk.StopAt(b.disk.Changes()+step, step%512)
	} else {
		b.at, b.after = step, where == "after"
	}
	taken, err := b.take()
	time.Sleep(2 * leaseTime)
	rest, restErr := c.take()
	c.ok(restErr)
	c.run()
	b = b.again(loss)
	b.ok(b.place.Settle(t.Context(), b.tree))
	b.run()
	again, err2 := b.take()
	b.ok(err2)
	b.run()
	if n := taken.Changes + rest.Changes + again.Changes; n > prepared {
		t.Errorf("%s: %d changes were taken", what, n)
	}
	wantAll(w, what)
	if open := append(c.kept.Claimed(), b.kept.Claimed()...); len(open) > 0 {
		t.Errorf("%s: it is open whose %v are", what, open)
	}
	for _, n := range []*node{a, b, c} {
		n.end()
	}
	return err != nil
}

// While one node takes, another does not; when the lease is lost, the first one stops.
func TestTheLease(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		a, b := prepare(w, "a"), w.node("b", disktest.New())
		a.ok(a.give())
		l, err := a.place.acquire(t.Context(), treeName)
		if err != nil || l == nil {
			t.Fatal(l, err)
		}
		lost := make(chan error)
		released := make(chan struct{})
		go func() {
			lost <- l.hold(t.Context(), func(ctx context.Context) error {
				select {
				case <-ctx.Done():
					return context.Cause(ctx)
				case <-released:
					return nil
				}
			})
		}()
		time.Sleep(5 * leaseTime) // it is prolonged
		if taken, err := b.take(); err != nil || taken.Changes != 0 {
			t.Errorf("taken beside another: %+v, %v", taken, err)
		}
		b.ok(w.place.Remove(t.Context(), treeName+"/"+leaseName)) // as a node with another clock
		if taken, err := b.take(); err != nil || taken.Changes != prepared {
			t.Errorf("taken: %+v, %v", taken, err)
		}
		if err := <-lost; !errors.Is(err, errLeaseLost) {
			t.Errorf("the lease that is lost: %v", err)
		}
		b.run()
		wantAll(w, "in the end")
		a.end()
		b.end()
	})
}

// What a client of the taker has changed under the same name is sent first, so that the remote
// decides.
func TestWhatWaitsAtTheTakerGoesFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		a, b := w.node("a", disktest.New()), w.node("b", disktest.New())
		for n, content := range map[*node]string{a: "of a", b: "of b"} {
			s, err := n.tree.Stage(t.Context(), "f", remote.StageOptions{Owner: "bob"})
			n.ok(err)
			_, err = io.WriteString(s, content)
			n.ok(err)
			_, err = s.Commit(t.Context(), time.Time{})
			n.ok(err)
		}
		a.ok(a.give())
		running(b, func() {
			taken, err := b.take()
			if b.ok(err); taken.Changes != 1 {
				t.Errorf("taken: %+v", taken)
			}
			if got := w.content("f"); got != "of b" {
				t.Errorf("before it is sent, the store has %q", got)
			}
		})
		a.end()
		b.end()
	})
}

// Another node has stored a file of the name since the change was made: the taker keeps both.
func TestAConflictOfWhatWasTaken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		a, b := w.node("a", disktest.New()), w.node("b", disktest.New())
		a.add(cache.Record{Name: "f", Base: cache.BaseAbsent}, "of a")
		a.end()
		a.start()
		time.Sleep(time.Second)
		w.has("f", "of another")
		a.ok(a.give())
		_, err := b.take()
		b.ok(err)
		b.run()
		var beside string
		for e, err := range w.store.List(t.Context(), ".") {
			if b.ok(err); e.Name != "f" {
				beside = e.Name
			}
		}
		if w.content("f") != "of a" || beside == "" || w.content(beside) != "of another" {
			t.Errorf("f is %q, and beside there is %q of %q", w.content("f"), beside, w.content(beside))
		}
		a.end()
		b.end()
	})
}

// What was sent before a record goes with it.
func TestWhatWasSentIsHandedOver(t *testing.T) {
	want := cache.Record{Kind: cache.Removed, Name: "f", Removes: []string{"g"}, Sent: []cache.Sent{
		{Size: 3, ModTime: time.Unix(1, 2).UTC()}, {Name: "g", Size: -1, Version: "v\xff"},
	}}
	h := headerOf("tree", "a", &writeback.Offered{Record: want})
	r, _, err := encode(&h, nil)
	if err != nil {
		t.Fatal(err)
	}
	got, err := decode(r, func(*header) (io.Writer, error) { return io.Discard, nil })
	if err != nil || !reflect.DeepEqual(got.record(), want) {
		t.Errorf("%+v, %v", got, err)
	}
}

// A record that was damaged on the way is not taken, is told of, and does not keep others from
// being taken.
func TestADamagedRecord(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		a, b := w.node("a", disktest.New()), w.node("b", disktest.New())
		for _, name := range []string{"x", "y"} {
			a.add(cache.Record{Name: name}, "content of "+name)
		}
		a.end()
		a.start()
		a.ok(a.give())
		var first string
		for _, name := range w.left(".") {
			if strings.Contains(name, "/0000000000000001-") {
				first = name
			}
		}
		text := read(t, w.place, first)
		damaged := strings.Replace(text, "content of x", "content of z", 1)
		if damaged == text {
			t.Fatal("nothing to damage")
		}
		_, err := w.place.Put(t.Context(), first, strings.NewReader(damaged), remote.PutOptions{})
		b.ok(err)
		for range 2 {
			_, err := b.take()
			b.ok(err)
		}
		b.run()
		if w.content("x") != "" || w.content("y") != "content of y" {
			t.Errorf("x is %q, y is %q", w.content("x"), w.content("y"))
		}
		if read(t, w.place, first) != damaged {
			t.Error("the damaged record is gone")
		}
		a.end()
		b.end()
	})
}

// A claim of another place is not decided here.
func TestAClaimOfAnotherPlace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		n := w.node("a", disktest.New())
		n.add(cache.Record{Name: "f", Claim: "s3:elsewhere/x store-1/q/1-2"}, "x")
		if err := n.place.Settle(t.Context(), n.tree); err == nil || !strings.Contains(err.Error(), "s3:elsewhere/x") {
			t.Errorf("it is settled: %v", err)
		}
		if len(n.kept.Claimed()) != 1 || len(n.kept.Pending()) != 0 {
			t.Error("the record is pending")
		}
		n.end()
	})
}

// A remote that knows no conditions cannot be a place.
func TestAPlaceNeedsConditions(t *testing.T) {
	p := New(noConditions{remote.Forward{Remote: newWorld(t).place}}, Options{Node: "a"})
	if err := p.Prepare(t.Context()); !errors.Is(err, ErrNoConditions) {
		t.Errorf("it is prepared: %v", err)
	}
}

// That a place is there does not say that this node may write: it is tried.
func TestAPlaceThatCannotBeWritten(t *testing.T) {
	w := newWorld(t)
	if err := New(w.place, Options{Node: "a"}).Prepare(t.Context()); err != nil {
		t.Fatal(err)
	}
	readable := intercept.New(w.place, func(ctx context.Context, c *intercept.Call) error {
		if c.Op == intercept.Put {
			return remote.ErrPermission
		}
		return c.Do(ctx)
	})
	if err := New(readable, Options{Node: "b"}).Prepare(t.Context()); !errors.Is(err, remote.ErrPermission) {
		t.Errorf("it is prepared: %v", err)
	}
}

var _ Tree = (*writeback.Tree)(nil)
