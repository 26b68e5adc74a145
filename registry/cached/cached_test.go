package cached

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"ferry/cache"
	"ferry/disk/disktest"
	"ferry/remote"
	"ferry/remote/driver/memory"
	"ferry/remote/remotetest"
	"ferry/remote/wrap/faulty"
)

const chunk = 1 << 20

var options = Options{ChunkSize: chunk, InfoAge: time.Hour, Buffer: 4 << 20}

// over returns a cached remote over r, on d.
func over(t *testing.T, r remote.Remote, d *disktest.Disk, o Options) *Remote {
	t.Helper()
	c, err := open(r, d, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	})
	return c
}

func TestItKeepsTheContracts(t *testing.T) {
	remotetest.RunDecorator(t, func() remote.Remote { return memory.New() }, func(r remote.Remote) remote.Remote {
		c, err := open(r, disktest.New(), options)
		if err != nil {
			t.Fatal(err)
		}
		return c
	})
}

// remember is a remote that counts its calls, and a cached one over it.
type remembered struct {
	*Remote
	t     *testing.T
	store *memory.Remote
	calls *faulty.Remote
	disk  *disktest.Disk
}

func newRemembered(t *testing.T) *remembered {
	t.Helper()
	store := memory.New()
	r := &remembered{t: t, store: store, calls: faulty.New(store), disk: disktest.New()}
	r.Remote = over(t, r.calls, r.disk, options)
	return r
}

// restarted is r in the next process.
func (r *remembered) restarted(l disktest.Loss, o Options) *remembered {
	r.t.Helper()
	next := &remembered{t: r.t, store: r.store, calls: faulty.New(r.store), disk: r.disk.Restart(l)}
	next.Remote = over(r.t, next.calls, next.disk, o)
	return next
}

func (r *remembered) put(name, text string) {
	r.t.Helper()
	if _, err := r.store.Put(context.Background(), name, strings.NewReader(text), remote.PutOptions{}); err != nil {
		r.t.Fatal(err)
	}
}

func (r *remembered) shows(dir, want string) {
	r.t.Helper()
	var names []string
	for e, err := range r.List(r.t.Context(), dir) {
		if err != nil {
			r.t.Errorf("List(%s): %v", dir, err)
			return
		}
		names = append(names, e.Name)
	}
	slices.Sort(names)
	if got := strings.Join(names, " "); got != want {
		r.t.Errorf("%s holds %q, want %q", dir, got, want)
	}
}

func (r *remembered) gives(name string, want []byte) {
	r.t.Helper()
	rc, err := r.Open(r.t.Context(), name, 0, -1)
	if err != nil {
		r.t.Error(err)
		return
	}
	defer rc.Close()
	if got, err := io.ReadAll(rc); err != nil || !bytes.Equal(got, want) {
		r.t.Errorf("%s gives %d bytes, %v", name, len(got), err)
	}
}

func (r *remembered) asked(op faulty.Op, want int) {
	r.t.Helper()
	if got := r.calls.Calls(op); got != want {
		r.t.Errorf("%d calls of %s, want %d", got, op, want)
	}
}

func TestListingsOutliveTheProcess(t *testing.T) {
	r := newRemembered(t)
	r.put("a", "1")
	r.put("b\xff", "22")
	r.shows(".", "a b\xff")
	r.put("behind", "") // its back
	r.shows(".", "a b\xff")
	r.asked(faulty.List, 1)

	r = r.restarted(disktest.Nothing(), options)
	r.shows(".", "a b\xff")
	if e, err := r.Stat(t.Context(), "b\xff"); err != nil || e.Size != 2 {
		t.Errorf("got %+v, %v", e, err)
	}
	if _, err := r.Stat(t.Context(), "none"); !errors.Is(err, remote.ErrNotExist) {
		t.Errorf("what is not in the listing gives %v", err)
	}
	r.asked(faulty.List, 0)
	r.asked(faulty.Stat, 0)
}

func TestAListingOfAnotherRunOfTheMachineIsAskedForAgain(t *testing.T) {
	r := newRemembered(t)
	r.put("a", "1")
	r.shows(".", "a")
	r = r.restarted(disktest.Some(1), options)
	r.put("b", "1")
	r.shows(".", "a b")
	r.asked(faulty.List, 1)
}

func TestListingsAgeAndAreBetterThanNone(t *testing.T) {
	r := newRemembered(t)
	r.put("a", "1")
	r.shows(".", "a")
	o := options
	o.InfoAge = time.Nanosecond
	r = r.restarted(disktest.Nothing(), o)
	r.put("b", "1")
	r.calls.Inject(faulty.Fault{Times: -1})
	r.shows(".", "a")
	if _, err := r.Stat(t.Context(), "a"); err != nil {
		t.Error(err)
	}
	r.calls.Heal()
	r.shows(".", "a b")
}

func TestADirectoryThatWasListedIsThereWhileTheRemoteDoesNotAnswer(t *testing.T) {
	r := newRemembered(t)
	if err := r.store.Mkdir(t.Context(), "d"); err != nil {
		t.Fatal(err)
	}
	r.put("d/a", "one")
	r.shows("d", "a")
	r.calls.Inject(faulty.Fault{Times: -1})
	if e, err := r.Stat(t.Context(), "d"); err != nil || !e.Dir || e.Name != "d" {
		t.Errorf("the directory is %+v, %v", e, err)
	}
	if _, err := r.Stat(t.Context(), "e"); !errors.Is(err, faulty.ErrInjected) {
		t.Errorf("a name that was never heard of is %v", err)
	}
}

func TestWhatIsChangedShowsAtOnce(t *testing.T) {
	ctx := t.Context()
	r := newRemembered(t)
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Error(err)
		}
	}
	put := func(name string) {
		t.Helper()
		_, err := r.Put(ctx, name, strings.NewReader(name), remote.PutOptions{})
		must(err)
	}
	r.shows(".", "")
	put("a")
	r.shows(".", "a")
	must(r.Mkdir(ctx, "d"))
	r.shows(".", "a d")
	r.shows("d", "")
	put("d/x")
	r.shows("d", "x")
	must(r.Move(ctx, "a", "d/a"))
	r.shows(".", "d")
	r.shows("d", "a x")
	r.gives("d/a", []byte("a"))
	must(r.Move(ctx, "d", "e"))
	r.shows(".", "e")
	r.shows("e", "a x")
	put("e/a")
	r.gives("e/a", []byte("e/a"))
	must(r.Remove(ctx, "e/a"))
	must(r.Remove(ctx, "e/x"))
	r.shows("e", "")
	must(r.Rmdir(ctx, "e"))
	r.shows(".", "")
	s, err := r.Stage(ctx, "staged", remote.StageOptions{Owner: "bob"})
	must(err)
	r.shows(".", "")
	_, err = io.WriteString(s, "text")
	must(err)
	_, err = s.Commit(ctx, time.Time{})
	must(err)
	r.shows(".", "staged")
	mtime := time.Unix(1e9, 0)
	must(r.SetModTime(ctx, "staged", mtime))
	if e, err := r.Stat(ctx, "staged"); err != nil || !e.ModTime.Equal(mtime) {
		t.Errorf("got %+v, %v", e, err)
	}
}

func TestContentsOutliveTheProcess(t *testing.T) {
	r := newRemembered(t)
	data := bytes.Repeat([]byte("0123456789abcdef"), 3*chunk/16)
	r.put("f", string(data))
	r.shows(".", "f")
	r.gives("f", data)
	before := r.calls.Calls(faulty.Open)
	r.gives("f", data)
	r.asked(faulty.Open, before)
	r = r.restarted(disktest.Nothing(), options)
	r.gives("f", data)
	r.asked(faulty.Open, 0)
	r.asked(faulty.Stat, 0)
}

// Whoever calls Run decides how long the work in the background goes on.
func TestNothingGoesOnThatNobodyRuns(t *testing.T) {
	store := memory.New()
	if _, err := store.Put(t.Context(), "f", strings.NewReader("content"), remote.PutOptions{}); err != nil {
		t.Fatal(err)
	}
	d := disktest.New()
	over(t, store, d, options) // a directory to begin with
	d = d.Restart(disktest.Nothing())
	const junk = "clean/junk"
	f, err := d.OpenFile(junk, os.O_CREATE|os.O_RDWR)
	if err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	synctest.Test(t, func(t *testing.T) {
		r := over(t, store, d, options)
		rc, err := r.Open(t.Context(), "f", 0, -1)
		if err != nil {
			t.Fatal(err)
		}
		_, readErr := io.ReadAll(rc)
		if err := errors.Join(readErr, rc.Close()); err != nil {
			t.Error(err)
		}
		there := func() bool {
			synctest.Wait()
			return slices.Contains(d.Files(), junk)
		}
		if !there() {
			t.Error("the store tidies up, and nobody runs it")
		}
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- remote.Run(ctx, r) }()
		if there() {
			t.Error("Run does not tidy up")
		}
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
}

func TestRequestsGoOnToTheEndOfAChunk(t *testing.T) {
	r := newRemembered(t)
	data := bytes.Repeat([]byte("0123456789abcdef"), 3*chunk/16)
	r.put("f", string(data))
	rc, err := r.Open(t.Context(), "f", 300_000, 10)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := io.ReadAll(rc); err != nil || !bytes.Equal(got, data[300_000:300_010]) {
		t.Errorf("%q, %v", got, err)
	}
	rc.Close()
	for end := time.Now().Add(time.Minute); r.Remote.store.Stats().Clean.Bytes < chunk/4; time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("%d bytes are kept", r.Remote.store.Stats().Clean.Bytes)
		}
	}
}

// The clock of a synctest is decades behind that of this test.
func TestAListingFromTheFutureIsTooOld(t *testing.T) {
	r := newRemembered(t)
	r.put("a", "1")
	r.shows(".", "a")
	if _, isFresh := r.listings.get("."); !isFresh {
		t.Error("it is too old at once")
	}
	l := r.listings.read(".")
	synctest.Test(t, func(t *testing.T) {
		s, err := newListings(disktest.New(), time.Hour)
		if err != nil {
			t.Fatal(err)
		}
		s.remember(&listing{Dir: ".", Boot: s.disk.Boot(), At: l.At}, 0)
		if _, isFresh := s.get("."); isFresh {
			t.Error("it counts until then")
		}
	})
}

func TestADamagedListingIsNone(t *testing.T) {
	r := newRemembered(t)
	r.put("a", "1")
	r.shows(".", "a")
	f, err := r.disk.OpenFile(pathOf("."), os.O_RDWR)
	if err != nil {
		t.Fatal(err)
	}
	size, _ := f.Size()
	for off := range size {
		var b [1]byte
		f.ReadAt(b[:], off)
		f.WriteAt([]byte{b[0] ^ 0x10}, off)
		if l := r.listings.read("."); l != nil {
			t.Fatalf("with another byte at %d it is %+v", off, l)
		}
		f.WriteAt(b[:], off)
	}
	if r.listings.read(".") == nil {
		t.Error("it cannot be read at all")
	}
	f.Truncate(0)
	f.Close()
	r = r.restarted(disktest.Nothing(), options)
	r.put("b", "1")
	r.shows(".", "a b")
}

func TestADiskThatFailsKeepsNothing(t *testing.T) {
	r := newRemembered(t)
	r.put("a", "1")
	r.disk.Fail(func(op, _ string) error { return errors.New("broken") })
	r.shows(".", "a")
	r.gives("a", []byte("1"))
	r.put("b", "1")
	r.shows(".", "a b")
	r.disk.Fail(nil)
}

func TestTheDirectoryIsForOneProcess(t *testing.T) {
	o := options
	o.Dir = filepath.Join(t.TempDir(), "kept")
	r, err := New(memory.New(), o)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if _, err := New(memory.New(), o); !errors.Is(err, cache.ErrInUse) {
		t.Errorf("a second one gets %v", err)
	}
}

func TestChangesThatAreToldOfCount(t *testing.T) {
	r := newRemembered(t)
	r.shows(".", "")
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	for c, err := range r.Watch(ctx, time.Minute) {
		if err != nil {
			t.Fatal(err)
		}
		if c.Below {
			r.shows(".", "")
			r.put("a", "1")
			continue
		}
		r.shows(".", "a")
		break
	}
}
