package union

import (
	"context"
	"errors"
	"io"
	"iter"
	"net"
	"net/url"
	"os"
	"sync/atomic"
	"syscall"
	"testing"

	"ferry/remote"
	"ferry/remote/driver/internal/conns"
	"ferry/remote/driver/memory"
	"ferry/remote/remotetest"
)

// flat is like an object store: directories are there by themselves, and no parts are kept.
type flat struct{ *memory.Remote }

func (f flat) Info() remote.Info {
	info := f.Remote.Info()
	info.Caps.ImplicitDirs, info.Caps.NoParts = true, true
	return info
}

func (f flat) Mkdir(ctx context.Context, dir string) error {
	if above, _ := remote.Split(dir); above != "." {
		if err := f.Mkdir(ctx, above); err != nil && !errors.Is(err, remote.ErrExist) {
			return err
		}
	}
	return f.Remote.Mkdir(ctx, dir)
}

// TestNothingComesBelowAFileOfAnother upstream, however deep.
func TestNothingComesBelowAFileOfAnother(t *testing.T) {
	t.Parallel()
	disk := memory.New()
	r := newUnion(t, Options{Create: "ff"}, up(flat{memory.New()}), up(disk))
	put(t, disk, "f", "x")
	for _, dir := range []string{"f/a", "f/a/b", "f/a/b/c"} {
		if err := r.Mkdir(t.Context(), dir); !errors.Is(err, remote.ErrNotDir) {
			t.Errorf("%s: %v", dir, err)
		}
	}
	if err := r.Mkdir(t.Context(), "d/a/b"); err != nil {
		t.Error(err)
	}
}

// TestPartsAreKeptByAllOrNone: where one upstream keeps no parts, the union says so, and none is
// there.
func TestPartsAreKeptByAllOrNone(t *testing.T) {
	t.Parallel()
	disk := memory.New()
	r := newUnion(t, Options{Create: "ff"}, up(disk), up(flat{memory.New()}))
	if !r.Info().Caps.NoParts {
		t.Fatal("it says that parts are kept")
	}
	s, err := r.(remote.Stager).Stage(t.Context(), "f", remote.StageOptions{Owner: "alice"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(s, "content"); err != nil {
		t.Fatal(err)
	}
	if err := s.Keep(); err != nil {
		t.Fatal(err)
	}
	if e, err := disk.Part(t.Context(), "f", "alice"); !errors.Is(err, remote.ErrNotExist) {
		t.Errorf("%+v, %v", e, err)
	}
	if _, err := r.(remote.Stager).Part(t.Context(), "f", "no owner!"); !errors.Is(err, remote.ErrInvalid) {
		t.Error(err)
	}
}

// keepPart leaves an unfinished upload in an upstream.
func keepPart(t *testing.T, r remote.Stager, name, content string) {
	t.Helper()
	s, err := r.Stage(t.Context(), name, remote.StageOptions{Owner: "alice"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(s, content); err != nil {
		t.Error(err)
	}
	if err := s.Keep(); err != nil {
		t.Fatal(err)
	}
}

// TestPartsAreListedAsTheyAreFound: a listing shows what Part describes and nothing else, whichever
// upstream is listed first.
func TestPartsAreListedAsTheyAreFound(t *testing.T) {
	t.Parallel()
	one, two := memory.New(), memory.New()
	keepPart(t, one, "f", "12345")
	keepPart(t, two, "f", "123")
	fixed := up(one)
	fixed.ReadOnly = true
	for what, c := range map[string]struct {
		r    remote.Remote
		want int64
	}{
		"the first one":     {newUnion(t, Options{Search: "ff"}, up(one), up(two)), 5},
		"the second one":    {newUnion(t, Options{Search: "ff"}, up(two), up(one)), 3},
		"listed at random":  {newUnion(t, Options{Search: "rand"}, up(one), up(two)), 5},
		"fixed":             {newUnion(t, Options{}, fixed, up(two)), 3},
		"beside one of few": {newUnion(t, Options{}, up(one), up(flat{memory.New()})), 0},
		"beside no Stager":  {newUnion(t, Options{}, up(one), up(plain{memory.New()})), 0},
		"read-only":         {newUnion(t, Options{}, fixed), 0},
	} {
		for range 8 {
			listed := int64(0)
			for e, err := range c.r.List(t.Context(), ".") {
				if err != nil || e.Part != "alice" {
					t.Errorf("%s: %+v, %v", what, e, err)
				}
				listed += e.Size
			}
			if listed != c.want {
				t.Errorf("%s: %d bytes are listed, want %d", what, listed, c.want)
			}
		}
		s, ok := remote.AsStager(c.r)
		if !ok {
			continue
		}
		if e, err := s.Part(t.Context(), "f", "alice"); e.Size != c.want || (err == nil) != (c.want > 0) {
			t.Errorf("%s: %+v, %v", what, e, err)
		}
	}
}

// finished is a store in which another process has finished what was cut.
type finished struct{ *memory.Remote }

func (finished) Part(_ context.Context, name, _ string) (remote.Entry, error) {
	return remote.Entry{}, remote.Fail("part", name, remote.ErrFinished)
}

// TestWhatWasFinishedElsewhereIsTold although other upstreams know nothing of it.
func TestWhatWasFinishedElsewhereIsTold(t *testing.T) {
	t.Parallel()
	for _, ups := range [][]Upstream{{up(finished{memory.New()}), up(memory.New())}, {up(memory.New()), up(finished{memory.New()})}} {
		if _, err := newUnion(t, Options{}, ups...).(remote.Stager).Part(t.Context(), "f", "alice"); !errors.Is(err, remote.ErrFinished) {
			t.Error(err)
		}
	}
}

// idle finds at the first call after rest that its connection is broken.
type idle struct {
	remote.Remote
	broken  atomic.Bool
	failure error
}

func (i *idle) rest() { i.broken.Store(true) }

func (i *idle) Stat(ctx context.Context, name string) (remote.Entry, error) {
	if i.broken.Swap(false) {
		return remote.Entry{}, i.failure
	}
	return i.Remote.Stat(ctx, name)
}

func (i *idle) List(ctx context.Context, dir string) iter.Seq2[remote.Entry, error] {
	if i.broken.Swap(false) {
		return remote.Entries(func(func(remote.Entry) bool) error { return i.failure })
	}
	return i.Remote.List(ctx, dir)
}

// TestAConnectionThatWasIdleDoesNotHideAnUpstream: the other one answers, so that nobody above asks
// again.
func TestAConnectionThatWasIdleDoesNotHideAnUpstream(t *testing.T) {
	t.Parallel()
	for _, failure := range []error{
		conns.ErrLost, &url.Error{Op: "Propfind", URL: "http://host/", Err: io.EOF}, &net.OpError{Op: "read", Net: "tcp", Err: os.NewSyscallError("read", syscall.ECONNRESET)},
	} {
		first := &idle{Remote: memory.New(), failure: failure}
		second := memory.New()
		put(t, first.Remote, "f", "newer")
		put(t, second, "f", "old")
		r := newUnion(t, Options{}, up(first), up(second))
		first.rest()
		names, omitted, err := remotetest.ListOmitting(t.Context(), r, ".")
		if err != nil || len(names) != 1 || len(omitted) != 0 {
			t.Errorf("%v: %q, without %q, %v", failure, names, omitted, err)
		}
		first.rest()
		if e, err := r.Stat(t.Context(), "f"); err != nil || e.Size != 5 {
			t.Errorf("%v: %+v, %v", failure, e, err)
		}
	}
}
