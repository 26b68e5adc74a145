package vfs

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"testing"
	"time"

	"ferry/disk/disktest"
	"ferry/remote"
	"ferry/remote/driver/local"
	"ferry/remote/driver/memory"
	"ferry/remote/wrap/faulty"
	"ferry/writeback"
)

// narrow is a far side that keeps times from 1970 to 2106 only, and puts the nearest in the place
// of others.
type narrow struct {
	*memory.Remote
	says bool // without asking anybody
}

func (n narrow) keeps(t time.Time) bool { return t.Unix() >= 0 && t.Unix() < 1<<32 }

func (n narrow) Put(ctx context.Context, name string, body io.Reader, o remote.PutOptions) (remote.Entry, error) {
	if !n.keeps(o.ModTime) {
		o.ModTime = time.Unix(min(max(o.ModTime.Unix(), 0), 1<<32-1), 0)
	}
	return n.Remote.Put(ctx, name, body, o)
}

func (n narrow) SetModTime(ctx context.Context, name string, t time.Time) error {
	if !n.keeps(t) {
		return &fs.PathError{Op: "setmodtime", Path: name, Err: remote.ErrInvalid}
	}
	return n.Remote.SetModTime(ctx, name, t)
}

func (n narrow) CheckTime(name string, t time.Time) error {
	switch {
	case !n.says:
		return &fs.PathError{Op: "checktime", Path: name, Err: remote.ErrUnsupported}
	case !n.keeps(t):
		return &fs.PathError{Op: "checktime", Path: name, Err: remote.ErrInvalid}
	}
	return nil
}

// A file that waits is given the times that it will have on the remote, and no others.
func TestTheTimeOfWhatWaitsIsKeptOrRefused(t *testing.T) {
	for _, mode := range []writeback.Mode{writeback.Minimal, writeback.Writes, writeback.Full} {
		for _, says := range []bool{true, false} {
			t.Run(fmt.Sprintf("%v, the remote says so %v", mode, says), func(t *testing.T) {
				b := newRigAt(t, writeback.Options{Mode: mode, WriteBack: time.Hour}, &rig{
					disk: disktest.New(), far: func(m *memory.Remote) remote.Remote { return narrow{m, says} },
				})
				b.has("f", "one")
				b.send("f", " two", AtEnd) // in every mode it waits
				first := b.time("f")
				for _, want := range []time.Time{
					time.Date(1900, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(2200, 1, 1, 0, 0, 0, 0, time.UTC),
				} {
					err := b.SetModTime(t.Context(), "f", want)
					var hint interface{ Hint() string }
					if !errors.Is(err, remote.ErrInvalid) || !errors.As(err, &hint) || hint.Hint() != hintBadTime {
						t.Errorf("%v: %v", want, err)
					}
					if got := b.time("f"); !got.Equal(first) {
						t.Errorf("%v: the file has another time, %v", want, got)
					}
				}
				for _, want := range []time.Time{
					time.Date(2050, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(1971, 1, 1, 0, 0, 0, 0, time.UTC),
					time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC),
				} {
					b.ok(b.SetModTime(t.Context(), "f", want))
					if got := b.time("f"); !got.Equal(want) {
						t.Errorf("the time is %v, want %v", got, want)
					}
				}
				if n := len(b.fs.Queue()); says && n != 1 {
					t.Errorf("%d files wait, although the remote need not be asked", n)
				}
				b.flush()
				b.wantThere("f=one two")
				e, err := b.inner.Stat(t.Context(), "f")
				b.ok(err)
				if want := time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC); !e.ModTime.Equal(want) {
					t.Errorf("the remote has %v, want %v", e.ModTime, want)
				}
			})
		}
	}
}

// What a file system keeps it alone knows: what it shows of a file that waits is what it has
// afterwards.
func TestTheTimeOfWhatWaitsForALocalDirectory(t *testing.T) {
	var far remote.Remote
	b := newRigAt(t, writeback.Options{Mode: writeback.Writes, WriteBack: time.Hour}, &rig{
		disk: disktest.New(), far: func(*memory.Remote) remote.Remote {
			l, err := local.New(t.TempDir(), local.Options{})
			if err != nil {
				t.Fatal(err)
			}
			far = l
			return l
		},
	})
	t.Cleanup(func() { far.Close() })
	for _, year := range []int{1, 1600, 1900, 1902, 1969, 1979, 2000, 2038, 2107, 2263, 2447, 9999} {
		b.upload("f", "x")
		want := b.time("f")
		when := time.Date(year, 6, 1, 12, 0, 0, 0, time.UTC)
		switch err := b.SetModTime(t.Context(), "f", when); {
		case err == nil:
			want = when
		case !errors.Is(err, remote.ErrInvalid):
			t.Errorf("%d: %v", year, err)
		}
		if got := b.time("f"); !got.Equal(want) {
			t.Errorf("%d: %v is shown, want %v", year, got, want)
		}
		b.flush()
		if e, err := far.Stat(t.Context(), "f"); err != nil || !e.ModTime.Equal(want) {
			t.Errorf("%d: the directory has %v, want %v, %v", year, e.ModTime, want, err)
		}
	}
}

// A file that the remote refuses when it is sent for its time, or its mode, gets neither; nor does
// the one that it was to replace.
func TestWhatIsRefusedGetsNoTimeOfAnother(t *testing.T) {
	for what, set := range map[string]func(b *rig) error{
		"time": func(b *rig) error { return b.SetModTime(b.t.Context(), "f", time.Unix(1e8, 0)) },
		"mode": func(b *rig) error { return b.SetMode(b.t.Context(), "f", 0o600) },
	} {
		t.Run(what, func(t *testing.T) {
			b := newRigAt(t, writeback.Options{Mode: writeback.Writes, WriteBack: time.Hour}, &rig{
				disk: disktest.New(), far: func(m *memory.Remote) remote.Remote { return narrow{m, false} },
			})
			old := b.has("f", "old")
			b.faults.Inject(faulty.Fault{Op: faulty.Put, Times: -1, Err: remote.ErrTooLarge})
			b.upload("f", "new")
			if err := set(b); !errors.Is(err, remote.ErrPermission) {
				t.Errorf("it was answered with %v", err)
			}
			e, err := b.inner.Stat(t.Context(), "f")
			b.ok(err)
			if !e.ModTime.Equal(old.ModTime) || e.Mode != old.Mode {
				t.Errorf("the old file has become %+v, was %+v", e, old)
			}
		})
	}
}

// time is that of a file as it is shown.
func (b *rig) time(name string) time.Time {
	b.t.Helper()
	e, err := b.Stat(b.t.Context(), name)
	b.ok(err)
	return e.ModTime()
}
