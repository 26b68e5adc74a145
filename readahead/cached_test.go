package readahead

import (
	"bytes"
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"os"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"ferry/budget"
	"ferry/cache"
	"ferry/disk"
	"ferry/disk/disktest"
	"ferry/remote"
	"ferry/remote/wrap/faulty"
)

func newStore(t *testing.T, maxSize int64) *cache.Store {
	t.Helper()
	return openStore(t, disktest.New(), maxSize)
}

func openStore(t *testing.T, d disk.Disk, maxSize int64) *cache.Store {
	t.Helper()
	s, err := cache.Open(d, cache.Options{MaxSize: maxSize})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func newThrough(t *testing.T) *behind {
	t.Helper()
	return newBehind(t, Options{Buffer: 16 << 20, Store: newStore(t, 0)})
}

// wantFile reads name as a whole.
func (b *behind) wantFile(name string, want []byte) {
	b.t.Helper()
	r := b.open(name, 0)
	defer closeReader(b.t, r)
	if got, err := io.ReadAll(r); err != nil || !bytes.Equal(got, want) {
		b.t.Errorf("%s gives %d bytes, %v", name, len(got), err)
	}
}

func TestWhatIsHeldIsNotAskedForAgain(t *testing.T) {
	b := newThrough(t)
	data := content(5<<20 + 100)
	b.put("f", data)
	b.wantFile("f", data)
	b.wantFile("f", data)
	if b.far.taken != int64(len(data)) {
		t.Errorf("%d bytes were taken of a file of %d", b.far.taken, len(data))
	}
	if twice, _ := b.far.twice("f"); twice != 0 {
		t.Errorf("%d blocks were asked for twice", twice)
	}
}

func TestOnlyWhatIsReadIsKept(t *testing.T) {
	b := newThrough(t)
	data := content(16 << 20)
	b.put("f", data)
	r := b.open("f", 9<<20)
	got := make([]byte, 1<<20)
	if _, err := io.ReadFull(r, got); err != nil || !bytes.Equal(got, data[9<<20:10<<20]) {
		t.Fatal(err)
	}
	closeReader(t, r)
	if n := b.opt.Store.Stats().Clean.Bytes; n > 4<<20 {
		t.Errorf("%d bytes are kept, for 1 MiB that was read", n)
	}
	before := b.far.taken
	r = b.open("f", 9<<20)
	if _, err := io.ReadFull(r, got); err != nil || !bytes.Equal(got, data[9<<20:10<<20]) {
		t.Fatal(err)
	}
	closeReader(t, r)
	_, probe := b.far.twice("f")
	if twice, _ := b.far.twice("f"); twice > 0 || probe > 16 || b.far.taken-before > 3<<20 {
		t.Errorf("the same megabyte again: %d blocks of %d twice, %d bytes", twice, probe, b.far.taken-before)
	}
}

func TestReadAheadOnDisk(t *testing.T) {
	b := newBehind(t, Options{Buffer: 1 << 20, DiskAhead: 4 << 20, Store: newStore(t, 0)})
	data := content(8 << 20)
	b.put("f", data)
	r := b.open("f", 0)
	one := make([]byte, 1)
	if _, err := io.ReadFull(r, one); err != nil {
		t.Fatal(err)
	}
	b.waitFor(func() bool { return b.opt.Store.Stats().Clean.Bytes > 4<<20 })
	rest, err := io.ReadAll(r)
	if err != nil || !bytes.Equal(append(one, rest...), data) {
		t.Errorf("%d bytes, %v", len(rest), err)
	}
	closeReader(t, r)
	if twice, _ := b.far.twice("f"); twice > 0 {
		t.Errorf("%d blocks were asked for twice", twice)
	}
}

// waitFor returns when is says so.
func (b *behind) waitFor(is func() bool) {
	b.t.Helper()
	for end := time.Now().Add(time.Minute); !is(); {
		if time.Now().After(end) {
			b.t.Fatal("it never comes")
		}
		time.Sleep(time.Millisecond)
	}
}

func TestRequestsEndWithAChunk(t *testing.T) {
	const chunk = 5 << 20
	b := newBehind(t, Options{Buffer: 16 << 20, RoundTo: chunk, Store: newStore(t, 0)})
	data := content(12 << 20)
	b.put("f", data)
	b.wantFile("f", data)
	if n := b.remote.Calls(faulty.Open); n > 8 {
		t.Errorf("%d requests for a file of three chunks", n)
	}
	if twice, _ := b.far.twice("f"); twice > 0 {
		t.Errorf("%d blocks were asked for twice", twice)
	}
}

func TestReadersOfOneFileShareItsRequests(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newThrough(t)
		data := content(8 << 20)
		b.put("f", data)
		b.remote.Inject(faulty.Fault{Op: faulty.Open, Delay: 30 * time.Millisecond, Slow: true, Times: -1})
		var readers sync.WaitGroup
		for i := range 8 {
			readers.Go(func() {
				time.Sleep(time.Duration(i) * 10 * time.Millisecond)
				b.wantFile("f", data)
			})
		}
		readers.Wait()
		if twice, _ := b.far.twice("f"); twice > 0 {
			t.Errorf("%d blocks were asked for twice", twice)
		}
		if b.far.taken != int64(len(data)) {
			t.Errorf("%d bytes were taken of a file of %d", b.far.taken, len(data))
		}
	})
}

func TestReadersAtRandomPlaces(t *testing.T) {
	b := newBehind(t, Options{Buffer: 1 << 20, Budget: budget.New(4 << 20), Store: newStore(t, 0)})
	data := content(3<<20 + 12345)
	b.put("f", data)
	var readers sync.WaitGroup
	for i := range 8 {
		random := rand.New(rand.NewPCG(1, uint64(i)))
		readers.Go(func() {
			for range 8 {
				off := random.Int64N(int64(len(data)))
				n := random.Int64N(int64(len(data)) - off)
				r := b.open("f", off)
				var got bytes.Buffer
				if random.IntN(2) == 0 {
					io.CopyN(&got, r, n)
				} else {
					io.CopyN(&got, struct{ io.Reader }{r}, n)
				}
				if !bytes.Equal(got.Bytes(), data[off:off+n]) {
					t.Errorf("%d bytes from %d on are others", n, off)
				}
				closeReader(t, r)
			}
		})
	}
	readers.Wait()
}

func TestAReaderThatGoesAwayLeavesItsRequestToOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newThrough(t)
		data := content(blockSize)
		b.put("f", data)
		b.remote.Inject(faulty.Fault{Op: faulty.Read, After: 1000, Delay: time.Second, Slow: true})
		first := b.open("f", 0)
		second := b.open("f", 0)
		done := make(chan error)
		go func() {
			got, err := io.ReadAll(second)
			if !bytes.Equal(got, data) {
				t.Errorf("the other one gets %d bytes", len(got))
			}
			done <- err
		}()
		synctest.Wait()
		closeReader(t, first) // does not wait for a request that the other one wants
		if err := <-done; err != nil {
			t.Error(err)
		}
		closeReader(t, second)
		if n := b.remote.Calls(faulty.Open); n != 1 {
			t.Errorf("%d requests", n)
		}
	})
}

func TestTheLastReaderThatGoesAwayEndsTheRequests(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newThrough(t)
		b.put("f", content(8<<20))
		b.remote.Inject(faulty.Fault{Op: faulty.Open, Skip: 1, Block: true, Times: -1})
		first, second := b.open("f", 0), b.open("f", 0)
		for _, r := range []io.Reader{first, second} {
			if _, err := io.ReadFull(r, make([]byte, blockSize)); err != nil {
				t.Fatal(err)
			}
		}
		synctest.Wait() // a request blocks
		closeReader(t, first)
		closeReader(t, second)
		b.Close()
	})
}

func TestWithoutTheRemoteWhatIsHeldIsServed(t *testing.T) {
	d := disktest.New()
	b := newBehind(t, Options{Buffer: 16 << 20, Store: openStore(t, d, 0)})
	data := content(4 << 20)
	b.put("f", data)
	r := b.open("f", 0)
	if _, err := io.ReadFull(r, make([]byte, 1<<20)); err != nil {
		t.Fatal(err)
	}
	closeReader(t, r)
	b.put("gone", data)
	b.wantFile("gone", data)
	if err := b.store.Remove(t.Context(), "gone"); err != nil {
		t.Fatal(err)
	}
	if _, err := b.Open(t.Context(), "gone", 0, -1); !errors.Is(err, remote.ErrNotExist) {
		t.Errorf("what the remote says is gone gives %v", err)
	}
	if _, held := b.opt.Store.Last("gone"); held {
		t.Error("what is gone is still held")
	}

	again := newBehind(t, Options{Buffer: 16 << 20, Store: openStore(t, d.Restart(disktest.Nothing()), 0)})
	again.remote.Inject(faulty.Fault{Times: -1, Err: io.ErrUnexpectedEOF})
	r = again.open("f", 0)
	defer closeReader(t, r)
	got := make([]byte, 1<<20)
	if _, err := io.ReadFull(r, got); err != nil || !bytes.Equal(got, data[:1<<20]) {
		t.Errorf("what is held gives %v", err)
	}
	if _, err := io.ReadAll(r); err == nil {
		t.Error("what is not held was read")
	}
	if _, err := again.Open(t.Context(), "other", 0, -1); !again.remote.Surfaced(err) {
		t.Errorf("a file that is not held gives %v", err)
	}
}

func TestAnotherVersionIsReadAnew(t *testing.T) {
	b := newThrough(t)
	before, after := content(2<<20), bytes.Repeat([]byte("x"), 1<<20)
	b.put("f", before)
	old := b.open("f", 0)
	b.wantFile("f", before)
	b.put("f", after)
	b.wantFile("f", after)
	if got, err := io.ReadAll(old); err != nil || !bytes.Equal(got, before) {
		t.Errorf("who reads the old version gets %d bytes, %v", len(got), err)
	}
	closeReader(t, old)
	b.wantFile("f", after)
}

func TestWhatIsKnownToBeOldIsFoundOut(t *testing.T) {
	b := newThrough(t)
	b.put("f", content(1000))
	stale, err := b.store.Stat(t.Context(), "f")
	if err != nil {
		t.Fatal(err)
	}
	b.below.known = func(string) (remote.Entry, bool) { return stale, true }
	after := bytes.Repeat([]byte("x"), 3<<20)
	b.put("f", after)
	b.wantFile("f", after)
	if len(b.below.invalidated) == 0 {
		t.Error("nobody was told")
	}
	b.store.Remove(t.Context(), "f")
	stale.Version = "other"
	if _, err := b.Open(t.Context(), "f", 0, -1); !errors.Is(err, remote.ErrNotExist) {
		t.Errorf("a file that is gone gives %v", err)
	}
}

func TestAFullCacheReadsOn(t *testing.T) {
	d := disktest.New()
	b := newBehind(t, Options{Buffer: 2 << 20, Store: openStore(t, d, 1<<20)})
	data := content(4 << 20)
	b.put("f", data)
	for range 2 {
		b.wantFile("f", data)
	}
	if peak := d.Peak(); peak > 2<<20 {
		t.Errorf("%d bytes were on the disk of a cache of 1 MiB", peak)
	}
	if kept := b.opt.Store.Stats().Clean.Bytes; kept < blockSize {
		t.Errorf("only %d bytes are kept", kept)
	}
}

// TestAReaderIsNotHeldUpByOneThatStands: nor where nothing can be written to the copy, so that the
// requests of the one that stands wait for memory.
func TestAReaderIsNotHeldUpByOneThatStands(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := disktest.New()
		b := newBehind(t, Options{Buffer: 4 << 20, Store: openStore(t, d, 0)})
		data := content(16 << 20)
		b.put("f", data)
		b.remote.Inject(faulty.Fault{Op: faulty.Open, Delay: 30 * time.Millisecond, Slow: true, Times: -1})
		d.Fail(func(op, _ string) error {
			if op == "write" {
				return errors.New("broken")
			}
			return nil
		})
		standing := b.open("f", 0)
		defer closeReader(t, standing)
		if _, err := io.CopyN(io.Discard, standing, 3<<20); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Minute)
		f := standing.(*reader).file
		f.mu.Lock()
		if f.crowds == 0 {
			t.Error("no request waits for memory")
		}
		f.mu.Unlock()
		b.wantFile("f", data)
	})
}

func TestADiskThatFailsIsReadAround(t *testing.T) {
	broken := errors.New("broken")
	for _, op := range []string{"create", "write", "read", "open", "punch"} {
		t.Run(op, func(t *testing.T) {
			d := disktest.New()
			b := newBehind(t, Options{Buffer: 2 << 20, Store: openStore(t, d, 1<<20)})
			data := content(3 << 19)
			b.put("f", data)
			b.wantFile("f", data)
			d.Fail(func(o, name string) error {
				if o == op {
					return broken
				}
				return nil
			})
			b.wantFile("f", data)
			b.put("g", data)
			b.wantFile("g", data)
			d.Fail(nil)
			b.wantFile("g", data)
		})
	}
}

func TestACopyThatIsTooShortIsReadAround(t *testing.T) {
	d := disktest.New()
	b := newBehind(t, Options{Buffer: 2 << 20, Store: openStore(t, d, 0)})
	data := content(4 << 20)
	b.put("f", data)
	b.wantFile("f", data)
	for _, name := range d.Files() {
		f, err := d.OpenFile(name, os.O_RDWR)
		if err != nil {
			t.Fatal(err)
		}
		f.Truncate(1 << 20)
		f.Close()
	}
	b.wantFile("f", data)
	var got struct{ readFrom }
	r := b.open("f", 0)
	if _, err := io.Copy(&got, r); err != nil || !bytes.Equal(got.Bytes(), data) {
		t.Errorf("%d bytes, %v", got.Len(), err)
	}
	closeReader(t, r)
}

// readFrom is a connection that would rather have a file.
type readFrom struct{ bytes.Buffer }

func TestWhatIsHeldIsSentAsAFile(t *testing.T) {
	d, err := disk.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	s, err := cache.Open(d, cache.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	b := newBehind(t, Options{Buffer: 16 << 20, Store: s})
	data := content(9<<20 + 5)
	b.put("f", data)
	b.wantFile("f", data)
	r := b.open("f", 3)
	defer closeReader(t, r)
	var w fileCounter
	if _, err := io.Copy(&w, r); err != nil || !bytes.Equal(w.Bytes(), data[3:]) {
		t.Errorf("%d bytes, %v", w.Len(), err)
	}
	if w.files != int64(len(data)-3) {
		t.Errorf("%d bytes of %d came as a file", w.files, len(data)-3)
	}
}

// fileCounter counts the bytes that come as a file.
type fileCounter struct {
	bytes.Buffer
	files int64
}

func (c *fileCounter) ReadFrom(r io.Reader) (int64, error) {
	n, err := c.Buffer.ReadFrom(r)
	if l, limited := r.(*io.LimitedReader); limited {
		if _, is := l.R.(*os.File); is {
			c.files += n
		}
	}
	return n, err
}

func TestAnUnknownFileIsKnownByItsFingerprint(t *testing.T) {
	b := newThrough(t)
	e := remote.Entry{Size: 5, ModTime: time.Unix(1, 0)}
	b.put("f", []byte("hello"))
	p := b.fingerprint(context.Background(), "f", e)
	if p.Hash == "" {
		t.Error("a file without a version is known without a hash")
	}
	b.opt.FastFingerprint = true
	if p := b.fingerprint(context.Background(), "f", e); p.Hash != "" {
		t.Error("it asked for a hash")
	}
	b.opt.FastFingerprint = false
	e.Version = "v"
	if p := b.fingerprint(context.Background(), "f", e); p.Hash != "" || p.Version != "v" {
		t.Errorf("a version is known as %v", p)
	}
}
