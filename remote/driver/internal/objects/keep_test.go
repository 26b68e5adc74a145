package objects_test

import (
	"errors"
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"ferry/remote"
	"ferry/remote/driver/internal/objects"
	"ferry/remote/driver/internal/objects/objectstest"
	"ferry/remote/remotetest"
)

func TestATreeThatKeepsParts(t *testing.T) {
	remotetest.Run(t, func(*testing.T) remote.Remote {
		s := objectstest.NewKeeping("b")
		s.Piece = 1000 // the suite cuts shorter contents anywhere
		return tree{openKept(s, objects.Config{})}
	})
}

// openKept opens a tree that keeps parts in s.
func openKept(s *objectstest.Keeping, o objects.Config) *objects.Tree {
	o.Name, o.Root, o.Holds, o.Buckets, o.KeepParts = "flat:b", "b", func(objects.Key) bool { return true }, s.Flat, true
	return objects.New(s, o)
}

const who = "alice"

func begin(t *testing.T, r *objects.Tree, o remote.StageOptions, content string) remote.Stage {
	t.Helper()
	o.Owner = who
	s, err := r.Stage(t.Context(), "d/f", o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Abort() })
	if _, err := io.WriteString(s, content); err != nil {
		t.Fatal(err)
	}
	return s
}

func commit(t *testing.T, s remote.Stage) error {
	t.Helper()
	_, err := s.Commit(t.Context(), time.Time{})
	return err
}

// has checks how long the part is; below 0 there is none.
func has(t *testing.T, r *objects.Tree, size int64) {
	t.Helper()
	e, err := r.Part(t.Context(), "d/f", who)
	switch {
	case size < 0 && !errors.Is(err, remote.ErrNotExist):
		t.Errorf("Part: %+v, %v", e, err)
	case size >= 0 && (err != nil || e.Size != size):
		t.Errorf("Part: %+v, %v, want %d bytes", e, err, size)
	}
}

// clean checks that nothing is kept.
func clean(t *testing.T, s *objectstest.Keeping, keys ...string) {
	t.Helper()
	if got := s.Keys("b"); strings.Join(got, " ") != strings.Join(keys, " ") || s.Uploads() != 0 {
		t.Errorf("there are %q, and %d uploads", got, s.Uploads())
	}
}

func onPart(off int64) remote.StageOptions {
	return remote.StageOptions{Base: remote.BasePart, Off: off}
}

// What a node has sent is written down every ten seconds, and belongs to it for 25.
func TestANodeThatIsKilled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := objectstest.NewKeeping("b")
		a, b := openKept(s, objects.Config{}), openKept(s, objects.Config{})
		dead := begin(t, a, remote.StageOptions{}, "0123456")
		time.Sleep(9 * time.Second)
		has(t, b, -1)
		time.Sleep(2 * time.Second)
		has(t, b, 4) // the rest was not sent
		has(t, a, -1)
		for range 6 { // it is renewed
			time.Sleep(10 * time.Second)
			if _, err := b.Stage(t.Context(), "d/f", remote.StageOptions{Owner: who, Base: remote.BasePart, Off: 4}); !errors.Is(err, remote.ErrChanged) {
				t.Fatalf("taken from one that lives: %v", err)
			}
		}
		a.StopNoting()
		time.Sleep(25 * time.Second)
		u := begin(t, b, onPart(4), "4567")
		if _, err := io.WriteString(dead, "x"); err != nil { // it does not know yet
			t.Error(err)
		}
		if err := commit(t, dead); !errors.Is(err, remote.ErrChanged) {
			t.Errorf("the dead one publishes: %v", err)
		}
		if err := dead.Keep(); err != nil {
			t.Error(err)
		}
		has(t, a, 4) // which is not the one that it has lost
		if err := commit(t, u); err != nil {
			t.Fatal(err)
		}
		has(t, a, -1)
		clean(t, s, "d/f")
		if got := s.Contents("b")["d/f"]; got != "01234567" {
			t.Errorf("%q", got)
		}
	})
}

// One that sleeps, and whose upload is taken, is told when it wakes up.
func TestANodeThatSleeps(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := objectstest.NewKeeping("b")
		a, b := openKept(s, objects.Config{Tick: time.Hour}), openKept(s, objects.Config{Tick: time.Minute})
		if err := begin(t, a, remote.StageOptions{}, "01234567").Keep(); err != nil {
			t.Fatal(err)
		}
		sleeping := begin(t, b, onPart(8), "89")
		b.StopNoting() // 2.5 minutes
		time.Sleep(3 * time.Minute)
		u := begin(t, a, onPart(8), "abcdefgh")
		if err := sleeping.Abort(); err != nil {
			t.Error(err)
		}
		if s.Uploads() != 1 {
			t.Error("who has lost an upload aborts it")
		}
		if err := u.Keep(); err != nil {
			t.Fatal(err)
		}
		has(t, b, 16)
	})
}

func TestUploadsOfOneNameOnTwoNodes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := objectstest.NewKeeping("b")
		a, b := openKept(s, objects.Config{}), openKept(s, objects.Config{})
		one := begin(t, a, remote.StageOptions{}, "11111")
		time.Sleep(time.Minute)
		two := begin(t, b, remote.StageOptions{}, "222222")
		time.Sleep(time.Minute)
		if err := two.Keep(); err != nil { // it takes the place of what is written down of the other
			t.Fatal(err)
		}
		has(t, a, 6)
		time.Sleep(time.Minute)
		if err := commit(t, one); err != nil {
			t.Fatalf("an upload that was kept disturbs another one: %v", err)
		}
		has(t, b, -1)
		clean(t, s, "d/f")

		for _, content := range []string{"1234567", "12345678 9"} {
			if err := begin(t, a, remote.StageOptions{}, content).Keep(); err != nil {
				t.Fatal(err)
			}
		}
		if has(t, b, 10); s.Uploads() != 1 {
			t.Errorf("%d uploads are kept", s.Uploads())
		}
		dropped := begin(t, b, onPart(10), "012")
		if err := a.DropPart(t.Context(), "d/f", who); err != nil {
			t.Error(err)
		}
		time.Sleep(time.Minute)
		if err := commit(t, dropped); err != nil {
			t.Errorf("an upload that nobody can continue any more: %v", err)
		}
		clean(t, s, "d/f")
	})
}

func TestPartsThatAreTooOld(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const day = 24 * time.Hour
		s := objectstest.NewKeeping("b")
		o := objects.Config{PartMaxAge: day}
		r := openKept(s, o)
		keep := func() {
			if err := begin(t, r, remote.StageOptions{}, "1234567").Keep(); err != nil {
				t.Fatal(err)
			}
		}
		keep()
		time.Sleep(day - time.Minute)
		has(t, r, 7)
		time.Sleep(2 * time.Minute)
		has(t, r, -1)
		clean(t, s)

		keep()
		s.Set("b", ".ferry-parts/x/alice-y.z.tail", "whose?", time.Now())
		time.Sleep(day + time.Minute)
		if err := r.SweepParts(t.Context()); err != nil {
			t.Error(err)
		}
		clean(t, s, ".ferry-parts/x/alice-y.z.tail")
		time.Sleep(day)
		if err := r.SweepParts(t.Context()); err != nil {
			t.Error(err)
		}
		clean(t, s)

		under := begin(t, r, remote.StageOptions{}, "1234567") // which is not old as long as it goes on
		time.Sleep(3 * day)
		if err := r.SweepParts(t.Context()); err != nil {
			t.Error(err)
		}
		if err := commit(t, under); err != nil {
			t.Error(err)
		}
		clean(t, s, "d/f")
	})
}

// Whoever keeps nothing pays for one listing in half a minute.
func TestWhatPartsCostThoseWhoHaveNone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := objectstest.NewKeeping("b")
		r := openKept(s, objects.Config{})
		for range 20 {
			if err := commit(t, begin(t, r, remote.StageOptions{}, "x")); err != nil {
				t.Fatal(err)
			}
			for _, err := range r.List(t.Context(), "d") {
				if err != nil {
					t.Fatal(err)
				}
			}
			if err := r.DropPart(t.Context(), "d/f", who); !errors.Is(err, remote.ErrNotExist) {
				t.Error(err)
			}
			time.Sleep(time.Second)
		}
		if s.Lists() != 1 {
			t.Errorf("%d listings", s.Lists())
		}
	})
}

func TestAStoreThatRefusesManifests(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := objectstest.NewKeeping("b")
		s.Refuses = remote.ErrPermission
		r := openKept(s, objects.Config{})
		long := begin(t, r, remote.StageOptions{}, "12345678")
		time.Sleep(time.Minute)
		for range 2 {
			_ = begin(t, r, remote.StageOptions{}, "1234567").Keep()
		}
		if has(t, r, -1); s.Uploads() != 1 {
			t.Errorf("%d uploads", s.Uploads())
		}
		if err := commit(t, long); err != nil {
			t.Error(err)
		}
		clean(t, s, "d/f")
	})
}

// What is kept has no name.
func TestWhatIsKeptIsHidden(t *testing.T) {
	s := objectstest.NewKeeping("b")
	r := openKept(s, objects.Config{})
	if err := begin(t, r, remote.StageOptions{}, "1234567").Keep(); err != nil {
		t.Fatal(err)
	}
	for e, err := range r.List(t.Context(), ".") {
		t.Errorf("%+v, %v", e, err)
	}
	for _, name := range []string{".ferry-parts", ".ferry-parts/x"} {
		if _, err := r.Stat(t.Context(), name); !errors.Is(err, remote.ErrBadName) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := r.CheckName("d/.ferry-parts"); err != nil {
		t.Error(err)
	}
	all := objects.New(s, objects.Config{Holds: func(objects.Key) bool { return true }, Buckets: s.Flat, KeepParts: true})
	for e, err := range all.List(t.Context(), "b") {
		t.Errorf("%+v, %v", e, err)
	}
	if err := all.Rmdir(t.Context(), "b"); err != nil {
		t.Errorf("a bucket with nothing but that: %v", err)
	}
}
