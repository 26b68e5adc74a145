package cache

import (
	"bytes"
	"crypto/md5"
	"errors"
	"io"
	"net"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"ferry/disk"
	"ferry/disk/disktest"
)

// Two write bytes that overlap; one of them fails when the other has written, and has not yet said
// so.
func TestAWriteThatFailsDoesNotTakeBackWhatAnotherWrites(t *testing.T) {
	for name, failing := range map[string]span{"the same": {0, 8192}, "overlapping": {4096, 12288}, "around": {0, 16384}} {
		t.Run(name, func(t *testing.T) {
			d := disktest.New()
			s := openStore(t, d, Options{})
			defer s.Close()
			c := openCopy(t, s, "f", "v", 1<<20)
			defer closeCopy(t, c)
			good := span{0, 8192}
			if name == "around" {
				good = span{4096, 8192}
			}
			begun, proceed := make(chan struct{}), make(chan struct{})
			goOn := sync.OnceFunc(func() { close(proceed) })
			used := d.Used()
			var writes atomic.Int32
			d.Fail(func(op, name string) error {
				switch {
				case !strings.HasPrefix(name, cleanDir):
				case op == "write" && writes.Add(1) == 1:
					close(begun)
					<-proceed
				case op == "write" && writes.Load() == 2:
					return errors.New("broken")
				case op == "punch":
					goOn()
					for end := time.Now().Add(10 * time.Second); d.Used() == used && time.Now().Before(end); { // it has written
					}
				}
				return nil
			})
			written := make(chan error)
			go func() { written <- c.WriteAt(text("v", good.off, good.len()), good.off) }()
			<-begun
			if err := c.WriteAt(text("v", failing.off, failing.len()), failing.off); err == nil {
				t.Error("the other write does not fail")
			}
			goOn()
			if err := <-written; err != nil {
				t.Fatal(err)
			}
			got := make([]byte, good.len())
			if n, err := c.ReadAt(got, good.off); n != len(got) || err != nil || !bytes.Equal(got, text("v", good.off, good.len())) {
				t.Errorf("%d bytes, %v; %d of them are zeros", n, err, bytes.Count(got[:n], []byte{0}))
			}
			wantCounted(t, s, 1, good.len())
			if pins := c.c.pinned; len(pins) > 0 {
				t.Errorf("pinned are %v", pins)
			}
		})
	}
}

// pipe returns a connection whose other end has taken nothing yet.
func pipe(t *testing.T) (in, out *net.TCPConn) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	c, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	a, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close(); a.Close() })
	out = c.(*net.TCPConn)
	if err := errors.Join(out.SetWriteBuffer(1<<20), a.(*net.TCPConn).SetReadBuffer(1<<20)); err != nil {
		t.Fatal(err)
	}
	return a.(*net.TCPConn), out
}

// onDisk is a Store on a real disk, from which the kernel sends.
func onDisk(t *testing.T, o Options) *Store {
	t.Helper()
	d, err := disk.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	s := openStore(t, d, o)
	t.Cleanup(func() {
		if err := errors.Join(s.Close(), d.Close()); err != nil {
			t.Error(err)
		}
	})
	return s
}

func wantArrived(t *testing.T, in io.Reader, want []byte) {
	t.Helper()
	got := make([]byte, len(want))
	if _, err := io.ReadFull(in, got); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("of %d bytes that arrive %d are zeros", len(got), bytes.Count(got, []byte{0})-bytes.Count(want, []byte{0}))
	}
}

func TestWhatIsOnItsWayIsNotPunchedOut(t *testing.T) {
	const n = 300<<10 + 1000
	for what, end := range map[string]func(t *testing.T, s *Store, c *Copy, from *Sender) *Copy{
		"while it is sent": func(_ *testing.T, _ *Store, c *Copy, _ *Sender) *Copy { return c },
		"when all is sent": func(t *testing.T, _ *Store, c *Copy, from *Sender) *Copy { from.Close(); return c },
		"when another reads": func(t *testing.T, s *Store, c *Copy, from *Sender) *Copy {
			from.Close()
			closeCopy(t, c)
			return openCopy(t, s, "f", "v", n)
		},
	} {
		t.Run(what, func(t *testing.T) {
			s := onDisk(t, Options{})
			c := openCopy(t, s, "f", "v", n)
			put(t, c, 0, n)
			in, out := pipe(t)
			from := c.Sender()
			if sent, fault, err := from.Send(out, 0, n); sent != n || fault != nil || err != nil {
				t.Fatal(sent, fault, err)
			}
			c = end(t, s, c, from)
			s.copies.evict(1 << 30)
			wantArrived(t, in, text("v", 0, n))
			closeCopy(t, c)
			s.copies.evict(1 << 30)
			wantCounted(t, s, 0, 0)
		})
	}
}

func TestWhatWasSentOfAWaitingFileIsNotPunchedOut(t *testing.T) {
	const n = 300<<10 + 1000
	s := onDisk(t, Options{})
	content := string(text("v", 0, n))
	r := store(t, s, "f", content)
	c, err := s.OpenContent(r.ID)
	if err != nil {
		t.Fatal(err)
	}
	from, err := c.Reader(0)
	if err != nil {
		t.Fatal(err)
	}
	in, out := pipe(t)
	if sent, err := io.Copy(out, io.LimitReader(from, n)); sent != n || err != nil {
		t.Fatal(sent, err)
	}
	if err := errors.Join(from.Close(), c.Close(), s.Done(r.ID, Fingerprint{Version: "v", Size: n}, true)); err != nil {
		t.Fatal(err)
	}
	copied := openCopy(t, s, "f", "v", n)
	defer closeCopy(t, copied)
	s.copies.evict(1 << 30)
	wantArrived(t, in, []byte(content))
}

func TestWhatWasSentLongAgoIsPunchedOut(t *testing.T) {
	c := &clean{}
	c.inFlight.add(span{0, 10}, time.Now())
	if !c.inUse(span{9, 20}) || c.inUse(span{10, 20}) {
		t.Error("other bytes are in use than those that were inFlight")
	}
	synctest.Test(t, func(t *testing.T) {
		var l inFlight
		l.add(span{0, 10}, time.Now())
		time.Sleep(inFlightTime / 2)
		l.add(span{0, 10}, time.Now())
		l.add(span{}, time.Now())
		time.Sleep(inFlightTime / 2)
		if l.expire(time.Now()); len(l) != 1 {
			t.Errorf("inFlight are %v", l)
		}
		time.Sleep(inFlightTime / 2)
		if l.expire(time.Now()); len(l) != 0 {
			t.Errorf("inFlight are %v", l)
		}
		for i := range int64(1000) {
			l.add(span{i, i + 1}, time.Now())
		}
		if !l.overlaps(span{0, 1}) || len(l) > maxInFlightSpans {
			t.Errorf("inFlight are %v", l)
		}
	})
}

func TestOfALongTransferTheBeginningCanBePunchedOut(t *testing.T) {
	const size = maxInFlight + 8<<20
	s := onDisk(t, Options{})
	c := openCopy(t, s, "f", "v", size)
	defer closeCopy(t, c)
	if err := c.c.file.Truncate(dataStart + size); err != nil {
		t.Fatal(err)
	}
	c.c.held, c.c.bytes = ranges{{0, size}}, dataStart+size
	s.quota.addFile(stateClean, size)
	from := c.Sender()
	defer from.Close()
	for off := int64(0); off < size; off += 4 << 20 {
		if n, fault, err := from.Send(io.Discard, off, 4<<20); n != 4<<20 || fault != nil || err != nil {
			t.Fatal(n, fault, err)
		}
	}
	if freed := s.copies.evict(1 << 30); freed != size-maxInFlight {
		t.Errorf("%d bytes were freed", freed)
	}
}

func TestASmallCacheDoesNotLendItsFiles(t *testing.T) {
	s := onDisk(t, Options{MaxSize: 64 << 20})
	c := openCopy(t, s, "f", "v", 1000)
	put(t, c, 0, 1000)
	from := c.Sender()
	w := &fileSpy{}
	if n, fault, err := from.Send(w, 0, 1000); n != 1000 || fault != nil || err != nil || w.file {
		t.Error(n, fault, err, w.file)
	}
	from.Close()
	if freed := c.c.shrink(1000); freed != 1000 {
		t.Errorf("%d bytes are freed", freed)
	}
	closeCopy(t, c)
	content, err := s.OpenContent(store(t, s, "g", "x").ID)
	if err != nil {
		t.Fatal(err)
	}
	defer content.Close()
	r, err := content.Reader(0)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if _, isFile := r.(*os.File); isFile {
		t.Error("a content that waits is given away as a file")
	}
}

func TestACopyIsVerifiedOnce(t *testing.T) {
	d := disktest.New()
	s := openStore(t, d, Options{})
	defer s.Close()
	const n = 600 << 10
	sum := md5.Sum(text("v", 0, n))
	c := openCopy(t, s, "f", "v", n)
	put(t, c, 0, n-1)
	verify := func(want []byte, right bool) {
		t.Helper()
		h := md5.New()
		if got, err := c.Verify(h, func() bool { return bytes.Equal(h.Sum(nil), want) }); got != right || err != nil {
			t.Errorf("it is right: %v, %v", got, err)
		}
	}
	verify(nil, true) // a part of it cannot be compared
	put(t, c, n-1, 1)
	verify(make([]byte, 16), false)
	verify(sum[:], true)
	verify(nil, true) // it is not read again
	closeCopy(t, c)
	c = openCopy(t, s, "f", "v", n)
	if !c.State().Verified {
		t.Error("it has been forgotten")
	}
	if c.c.shrink(1); c.State().Verified || c.State().Whole {
		t.Error("what was punched out is verified")
	}
	put(t, c, 0, n)
	before := c.State()
	if before.Verified || !before.Whole {
		t.Errorf("it is %+v", before)
	}
	c.SetVerified(before)
	if !c.State().Verified {
		t.Error("it cannot be said")
	}
	c.c.shrink(1)
	put(t, c, 0, n)
	c.SetVerified(before)
	if c.State().Verified {
		t.Error("what was found before counts for what came since")
	}
	overwrite(t, d, copyKeyOf("f").path(), dataStart+5, []byte{0})
	verify(sum[:], false)
	f, err := d.OpenFile(copyKeyOf("f").path(), os.O_RDWR)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(f.Truncate(dataStart+n-1), f.Close()); err != nil {
		t.Fatal(err)
	}
	verify(sum[:], false)
	closeCopy(t, c)
}
