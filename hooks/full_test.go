package hooks

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"ferry/disk/disktest"
	"ferry/events"
	"ferry/hooks/settings"
)

func away(string) (int, string) { return 500, "" }

func TestTheOldestIsDropped(t *testing.T) {
	bubble(t, func(t *testing.T) {
		g := newRig(t, Options{Limit: 20_000})
		g.r.setAnswer(away)
		for i := range 200 {
			g.happens(events.Mkdir, fmt.Sprint("/", i))
		}
		s := g.Status()
		if s.Bytes > 20_000 || s.Bytes < 15_000 || s.Hooks[0].Dropped+uint64(s.Hooks[0].Waiting) != 200 {
			t.Errorf("%+v", s)
		}
		g.r.setAnswer(nil)
		g.after(2 * time.Hour)
		got := g.r.told()
		if last := got[len(got)-1]; uint64(len(got))+s.Hooks[0].Dropped != 200 || last != "mkdir /199" && !strings.Contains(strings.Join(got, "\n"), "mkdir /199") {
			t.Errorf("%d were told, the last is %s", len(got), last)
		}
	})
}

func TestUploadsAreHeld(t *testing.T) {
	bubble(t, func(t *testing.T) {
		g := newRig(t, Options{Limit: 20_000, Hold: true})
		g.r.setAnswer(away)
		n := 0
		for ; n < 200; n++ {
			if err := g.try(events.UploadStored, fmt.Sprint("/", n)); err != nil {
				if !errors.Is(err, ErrFull) || !errors.Is(err, syscall.ENOSPC) {
					t.Fatal(err)
				}
				break
			}
		}
		if n < 10 || n == 200 {
			t.Fatalf("%d went in", n)
		}
		if err := g.Prepare(t.Context(), &events.Event{Kind: events.UploadStored, ID: "p", Path: "/p"}); !errors.Is(err, ErrFull) {
			t.Errorf("prepared: %v", err)
		}
		g.happens(events.Login, "") // which nobody holds
		g.r.setAnswer(nil)
		g.after(2 * time.Hour)
		if got := len(g.r.told()); got != n {
			t.Errorf("%d were told, not %d", got, n)
		}
		g.happens(events.UploadStored, "/again")
	})
}

// A full disk is an error of what is recorded, and no more.
func TestAFullDisk(t *testing.T) {
	bubble(t, func(t *testing.T) {
		g := newRig(t, Options{})
		g.happens(events.UploadStored, "/a")
		g.d.SetSize(g.d.Used())
		failed := 0
		for i := range 100 {
			if g.try(events.UploadStored, fmt.Sprint("/b", i)) != nil {
				failed++
			}
		}
		if failed == 0 || failed == 100 {
			t.Errorf("%d failed", failed)
		}
		g.d.SetSize(1 << 30)
		g.happens(events.UploadStored, "/c")
		g.after(time.Hour)
		if got := len(g.r.told()); got != 102-failed {
			t.Errorf("%d were told, %d failed", got, failed)
		}
	})
}

// An upload that was stored survives a loss of power, once that is said.
func TestALossOfPower(t *testing.T) {
	bubble(t, func(t *testing.T) {
		for _, unsynced := range []bool{false, true} {
			g := newRig(t, Options{Unsynced: func(*events.Event) bool { return unsynced }}, uploads())
			g.happens(events.UploadStored, "/a")
			e := &events.Event{Kind: events.UploadStored, ID: "p", User: "bob", Path: "/p"}
			if err := g.Prepare(t.Context(), e); err != nil {
				t.Fatal(err)
			}
			g.d = g.d.Restart(disktest.Everything())
			g.stop()
			g.start()
			if got := len(g.List()); got != map[bool]int{false: 2, true: 0}[unsynced] {
				t.Errorf("%d are left, unsynced: %v", got, unsynced)
			}
			g.stop()
		}
	})
}

// What was prepared is told when it has become true, also when only the remote knows.
func TestPrepared(t *testing.T) {
	bubble(t, func(t *testing.T) {
		g := newRig(t, Options{}, uploads(), settings.Hook{Events: []string{"upload.stored"}, Users: []string{"ann"}})
		prepare := func(path string) *events.Event {
			t.Helper()
			e := &events.Event{Kind: events.UploadStored, ID: "id" + path, User: "bob", Path: path}
			if err := g.Prepare(t.Context(), e); err != nil {
				t.Fatal(err)
			}
			return e
		}
		stored, never, asked, gone := prepare("/stored"), prepare("/never"), prepare("/asked"), prepare("/gone")
		g.after(time.Hour)
		g.wants()
		if got := len(g.List()); got != 4 {
			t.Errorf("%d are prepared", got)
		}
		stored.Size = 7
		if err := g.Record(t.Context(), stored); err != nil {
			t.Error(err)
		}
		g.Withdraw(t.Context(), never.ID)
		g.after(time.Hour)
		g.wants("stored /stored")
		calls := 0
		g.o.Resolve = func(_ context.Context, e *events.Event) (bool, error) {
			if calls++; calls < 4 {
				return false, errors.New("no network")
			}
			return e.ID == asked.ID, nil
		}
		g.kill()
		prepare("/new") // which is nobody's question
		g.after(5 * time.Second)
		g.wants("stored /stored")
		g.after(time.Minute)
		g.wants("stored /stored", "stored /asked")
		if list := g.List(); len(list) != 1 || list[0].Path != "/new" {
			t.Errorf("left: %+v", list)
		}
		_ = gone
	})
}

func TestAFailedPrepareLeavesNothing(t *testing.T) {
	bubble(t, func(t *testing.T) {
		g := newRig(t, Options{}, uploads(), uploads())
		writes := 0
		g.d.Fail(func(op, _ string) error {
			if op == "write" {
				if writes++; writes == 2 {
					return syscall.EIO
				}
			}
			return nil
		})
		if err := g.Prepare(t.Context(), &events.Event{Kind: events.UploadStored, ID: "p", Path: "/p"}); !errors.Is(err, syscall.EIO) {
			t.Errorf("%v", err)
		}
		if got := len(g.List()); got != 0 {
			t.Errorf("%d are left", got)
		}
	})
}

// A rename that was made, and not recorded before a kill, counts if the remote says so.
func TestRenamesThatAreCutOff(t *testing.T) {
	bubble(t, func(t *testing.T) {
		g := newRig(t, Options{}, uploads())
		rename := func(from, to string) *events.Event {
			t.Helper()
			e := &events.Event{Kind: events.Rename, ID: "r" + from, User: "bob", Path: from, To: to}
			if err := g.Prepare(t.Context(), e); err != nil {
				t.Fatal(err)
			}
			return e
		}
		for _, path := range []string{"/made.part", "/not.part", "/in/dir.part", "/settles", "/recorded.part", "/failed.part", "/other.part"} {
			g.happens(events.UploadStored, path)
		}
		rename("/made.part", "/made")
		rename("/not.part", "/not")
		rename("/in", "/out")
		rename("/settles", "/settled")
		rename("/late.part", "/late")
		g.happens(events.UploadStored, "/late.part") // after the rename began
		if err := g.Record(t.Context(), rename("/recorded.part", "/recorded")); err != nil {
			t.Error(err)
		}
		g.Withdraw(t.Context(), rename("/failed.part", "/failed").ID)
		if err := g.Prepare(t.Context(), &events.Event{Kind: events.Rename, User: "ann", Path: "/other.part", To: "/other"}); err != nil {
			t.Error(err)
		}
		asked := 0
		g.o.Renamed = func(_ context.Context, e *events.Event, to string) (bool, error) {
			if asked++; asked < 3 {
				return false, errors.New("no network")
			}
			return e.Path != "/not.part", nil
		}
		g.kill()
		g.after(5 * time.Minute)
		want := []string{"stored /late was /late.part", "stored /made was /made.part", "stored /recorded was /recorded.part", "stored /settled was /settles"}
		if got := slices.Sorted(slices.Values(g.r.told())); !slices.Equal(got, want) {
			t.Errorf("told %q", got)
		}
		for _, e := range g.List() {
			if e.State != "ignored" {
				t.Errorf("left: %+v", e)
			}
		}
		g.happens(events.Rename, "/not.part", "/not")
		g.happens(events.Rename, "/out/dir.part", "/out/dir")
		g.after(time.Minute)
		want = append(want, "stored /not was /not.part", "stored /out/dir was /in/dir.part /out/dir.part")
		if got := slices.Sorted(slices.Values(g.r.told())); !slices.Equal(got, slices.Sorted(slices.Values(want))) {
			t.Errorf("told %q", got)
		}
	})
}
