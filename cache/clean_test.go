package cache

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"testing"
	"testing/synctest"
	"time"

	"ferry/disk"
	"ferry/disk/disktest"
)

// text is n bytes that only this version of this file has at this place.
func text(version string, off, n int64) []byte {
	b := make([]byte, n)
	for i := range b {
		at := off + int64(i)
		b[i] = version[int(at)%len(version)] ^ byte(at>>8)
	}
	return b
}

func fingerprintOf(version string, size int64) Fingerprint {
	return Fingerprint{Version: version, Size: size}
}

func openStore(t *testing.T, d disk.Disk, o Options) *Store {
	t.Helper()
	s, err := Open(d, o)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func openCopy(t *testing.T, s *Store, name, version string, size int64) *Copy {
	t.Helper()
	c, err := s.Copy(name, fingerprintOf(version, size))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// put writes the bytes of a version into its copy.
func put(t *testing.T, c *Copy, off, n int64) {
	t.Helper()
	if err := c.WriteAt(text(c.c.fingerprint.Version, off, n), off); err != nil {
		t.Fatal(err)
	}
}

func closeCopy(t *testing.T, c *Copy) {
	t.Helper()
	if err := c.Close(); err != nil {
		t.Error(err)
	}
}

// checkHeld compares what c holds with the version that it is of, and returns how much that is.
func checkHeld(t *testing.T, c *Copy, size int64) (total int64) {
	t.Helper()
	for off := int64(0); off < size; {
		n := c.Held(off)
		if n == 0 {
			_, missing := c.Missing(off, size-off)
			off += missing
			continue
		}
		b := make([]byte, n)
		if m, err := c.ReadAt(b, off); int64(m) != n || err != nil {
			t.Fatalf("%d of %d bytes at %d, %v", m, n, off, err)
		}
		if !bytes.Equal(b, text(c.c.fingerprint.Version, off, n)) {
			t.Fatalf("the %d bytes at %d of version %s are others", n, off, c.c.fingerprint.Version)
		}
		off += n
		total += n
	}
	return total
}

func wantHeld(t *testing.T, s *Store, name, version string, size, want int64) {
	t.Helper()
	c := openCopy(t, s, name, version, size)
	defer closeCopy(t, c)
	if got := checkHeld(t, c, size); got != want {
		t.Errorf("%d bytes of version %s of %s are held, want %d", got, version, name, want)
	}
}

// wantCounted compares what the store counts with what is on the disk.
func wantCounted(t *testing.T, s *Store, files int, bytes int64) {
	t.Helper()
	if got, want := s.Stats().Clean, (Usage{Files: files, Bytes: int64(files)*dataStart + bytes}); got != want {
		t.Errorf("it counts %+v, want %+v", got, want)
	}
}

func TestACopyHoldsWhatWasWritten(t *testing.T) {
	d, err := disk.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	s := openStore(t, d, Options{})
	c := openCopy(t, s, "f", "v1", 1000)
	put(t, c, 100, 200)
	put(t, c, 500, 500)
	if off, n := c.Missing(150, 600); off != 300 || n != 200 {
		t.Errorf("from %d on %d bytes are missing", off, n)
	}
	if n, err := c.ReadAt(make([]byte, 10), 50); n != 0 || err != nil {
		t.Errorf("what is not there gives %d bytes, %v", n, err)
	}
	put(t, c, 100, 200) // it is there
	if got := checkHeld(t, c, 1000); got != 700 {
		t.Errorf("it holds %d bytes", got)
	}
	wantCounted(t, s, 1, 700)
	closeCopy(t, c)
	wantHeld(t, s, "f", "v1", 1000, 700)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}

	s = openStore(t, d, Options{})
	defer s.Close()
	if p, ok := s.Last("f"); !ok || p.Version != "v1" {
		t.Errorf("the last version is %v, %v", p, ok)
	}
	wantHeld(t, s, "f", "v1", 1000, 700)
	wantCounted(t, s, 1, 700)
}

func TestACopyIsSentFromTheFile(t *testing.T) {
	d, err := disk.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	s := openStore(t, d, Options{})
	defer s.Close()
	c := openCopy(t, s, "f", "v1", 1000)
	defer closeCopy(t, c)
	put(t, c, 0, 1000)
	from := c.Sender()
	defer from.Close()
	for _, piece := range []span{{0, 10}, {10, 500}, {100, 300}} {
		w := &fileSpy{}
		n, fault, err := from.Send(w, piece.off, piece.len())
		if n != piece.len() || fault != nil || err != nil || !bytes.Equal(w.Bytes(), text("v1", piece.off, n)) {
			t.Errorf("%v: %d bytes, %v, %v", piece, n, fault, err)
		}
		if !w.file {
			t.Error("it is not handed over as a file")
		}
	}
	if n, fault, err := from.Send(io.Discard, 990, 100); n != 10 || fault != nil || err != nil {
		t.Errorf("beyond the end: %d bytes, %v, %v", n, fault, err)
	}
	broken := errors.New("broken")
	if _, fault, err := from.Send(failingWriter{broken}, 0, 100); fault != nil || err != broken {
		t.Errorf("a connection that breaks is %v, %v", fault, err)
	}
}

// fileSpy is a connection that sees whether it is given a file.
type fileSpy struct {
	bytes.Buffer
	file bool
}

func (s *fileSpy) ReadFrom(r io.Reader) (int64, error) {
	l, limited := r.(*io.LimitedReader)
	if limited {
		_, s.file = l.R.(*os.File)
	}
	return s.Buffer.ReadFrom(r)
}

type failingWriter struct{ err error }

func (w failingWriter) Write([]byte) (int, error) { return 0, w.err }

func TestAnotherVersionReplacesTheCopy(t *testing.T) {
	s := openStore(t, disktest.New(), Options{})
	defer s.Close()
	old := openCopy(t, s, "f", "v1", 1000)
	put(t, old, 0, 1000)
	c := openCopy(t, s, "f", "v2", 800)
	wantCounted(t, s, 2, 1000)
	put(t, c, 0, 100)
	put(t, old, 0, 1000)
	if got := checkHeld(t, old, 1000); got != 1000 {
		t.Errorf("who reads the old version has %d bytes", got)
	}
	var sent fileSpy
	from := old.Sender()
	if n, fault, err := from.Send(&sent, 0, 1000); n != 1000 || fault != nil || err != nil || !bytes.Equal(sent.Bytes(), text("v1", 0, 1000)) {
		t.Errorf("it is sent %d bytes, %v, %v", n, fault, err)
	}
	from.Close()
	closeCopy(t, old)
	closeCopy(t, c)
	wantCounted(t, s, 1, 100)
	wantHeld(t, s, "f", "v2", 800, 100)
}

func TestWhatIsForgottenGoes(t *testing.T) {
	d := disktest.New()
	s := openStore(t, d, Options{})
	defer s.Close()
	idle, used := openCopy(t, s, "idle", "v", 10), openCopy(t, s, "used", "v", 10)
	put(t, idle, 0, 10)
	put(t, used, 0, 10)
	closeCopy(t, idle)
	for _, name := range []string{"idle", "used", "none"} {
		if err := s.Forget(name); err != nil {
			t.Error(err)
		}
		if _, ok := s.Last(name); ok {
			t.Errorf("%s is still there", name)
		}
	}
	if got := checkHeld(t, used, 10); got != 10 {
		t.Errorf("who reads it has %d bytes", got)
	}
	closeCopy(t, used)
	wantCounted(t, s, 0, 0)
	if files := d.Files(); len(files) != 0 {
		t.Errorf("there still are %v", files)
	}
}

func TestACopyMovesWithItsFile(t *testing.T) {
	d := disktest.New()
	s := openStore(t, d, Options{})
	for _, name := range []string{"a", "b"} {
		c := openCopy(t, s, name, name, 1000)
		put(t, c, 0, 300)
		closeCopy(t, c)
	}
	if err := s.MoveCopy("a", "b"); err != nil {
		t.Fatal(err)
	}
	wantCounted(t, s, 1, 300)
	wantHeld(t, s, "b", "a", 1000, 300)
	s.Close()
	s = openStore(t, d.Restart(disktest.Nothing()), Options{})
	defer s.Close()
	wantHeld(t, s, "b", "a", 1000, 300)
	wantHeld(t, s, "a", "a", 1000, 0)
	used := openCopy(t, s, "b", "a", 1000)
	if err := s.MoveCopy("b", "c"); err != nil {
		t.Error(err)
	}
	closeCopy(t, used)
	wantHeld(t, s, "c", "a", 1000, 0)
	wantCounted(t, s, 0, 0)
}

func TestWhatTheRemoteHasBecomesACopy(t *testing.T) {
	s := openStore(t, disktest.New(), Options{})
	defer s.Close()
	d, err := s.Create(t.Context(), CreateOptions{Name: "f", Owner: "bob"})
	if err != nil {
		t.Fatal(err)
	}
	d.Write(text("v7", 0, 3<<20))
	r, err := d.Commit(t.Context(), Record{Name: "f"}, Durable)
	if err != nil {
		t.Fatal(err)
	}
	reader, err := s.OpenContent(r.ID)
	if err != nil {
		t.Fatal(err)
	}
	old := openCopy(t, s, "f", "v6", 10) // of the version before
	if err := s.Done(r.ID, fingerprintOf("v7", 3<<20), true); err != nil {
		t.Fatal(err)
	}
	closeCopy(t, old)
	wantHeld(t, s, "f", "v7", 3<<20, 3<<20)
	wantCounted(t, s, 1, 3<<20)

	if freed := s.copies.evict(1); freed != 0 {
		t.Errorf("%d bytes of a file that is still open were given back", freed)
	}
	c := openCopy(t, s, "f", "v7", 3<<20)
	if freed := s.copies.evict(1); freed != 0 {
		t.Errorf("%d bytes were taken from under its reader", freed)
	}
	got := make([]byte, 3<<20)
	if _, err := reader.ReadAt(got, 0); err != nil || !bytes.Equal(got, text("v7", 0, 3<<20)) {
		t.Errorf("who read it as a record has something else, %v", err)
	}
	reader.Close()
	if freed := s.copies.evict(1); freed != holeSize {
		t.Errorf("%d bytes were freed", freed)
	}
	closeCopy(t, c)
	wantHeld(t, s, "f", "v7", 3<<20, 2<<20)
}

func TestIdleCopiesGoBeforeThoseInUse(t *testing.T) {
	s := openStore(t, disktest.New(), Options{MaxSize: 8 << 20})
	defer s.Close()
	for _, name := range []string{"first", "second", "first"} {
		c := openCopy(t, s, name, "v", 2<<20)
		put(t, c, 0, 2<<20)
		closeCopy(t, c)
	}
	used := openCopy(t, s, "used", "v", 16<<20)
	for off := int64(0); off < 5<<20; off += 1 << 20 {
		put(t, used, off, 1<<20)
	}
	wantHeld(t, s, "second", "v", 2<<20, 0)
	wantHeld(t, s, "first", "v", 2<<20, 2<<20)
	for off := int64(5 << 20); off < 16<<20; off += 1 << 20 {
		put(t, used, off, 1<<20)
	}
	wantHeld(t, s, "first", "v", 2<<20, 0)
	if got := used.Held(0); got != 0 {
		t.Errorf("the %d bytes that were written first are still there", got)
	}
	if got := checkHeld(t, used, 16<<20); got < 6<<20 || got > 8<<20 {
		t.Errorf("%d bytes of it are there", got)
	}
	closeCopy(t, used)
	if u := s.Stats().Used; u > 9<<20 {
		t.Errorf("%d bytes are used", u)
	}
}

func TestWhatIsBeingReadIsNotPunchedOut(t *testing.T) {
	s := openStore(t, disktest.New(), Options{})
	defer s.Close()
	c := openCopy(t, s, "f", "v", 4<<20)
	defer closeCopy(t, c)
	put(t, c, 0, 4<<20)
	pinned, _ := c.c.pin(1<<20, 1<<20)
	if freed := s.copies.evict(100 << 20); freed != 3<<20 {
		t.Errorf("%d bytes were freed", freed)
	}
	if got := c.Held(1 << 20); got != 1<<20 {
		t.Errorf("%d bytes are left of what is read", got)
	}
	c.c.unpin(pinned)
	if freed := s.copies.evict(100 << 20); freed != 1<<20 {
		t.Errorf("%d bytes were freed", freed)
	}
}

func TestAFullDiskIsNoPlaceForCopies(t *testing.T) {
	d := disktest.New()
	d.SetSize(1 << 20)
	s := openStore(t, d, Options{})
	defer s.Close()
	idle := openCopy(t, s, "idle", "v", 600<<10)
	put(t, idle, 0, 600<<10)
	closeCopy(t, idle)
	c := openCopy(t, s, "f", "v", 4<<20)
	defer closeCopy(t, c)
	put(t, c, 0, 700<<10)
	wantHeld(t, s, "idle", "v", 600<<10, 0)
	pinned, _ := c.c.pin(0, 700<<10)
	defer c.c.unpin(pinned)
	if err := c.WriteAt(make([]byte, 1<<20), 1<<20); !errors.Is(err, ErrNoSpace) {
		t.Errorf("it gives %v", err)
	}
	wantCounted(t, s, 1, 700<<10)
}

func TestOldCopiesExpire(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := disktest.New()
		s := openStore(t, d, Options{MaxAge: time.Hour, PollInterval: time.Minute})
		stop := background(t, s)
		for _, name := range []string{"old", "new"} {
			c := openCopy(t, s, name, "v", 10)
			put(t, c, 0, 10)
			closeCopy(t, c)
			time.Sleep(40 * time.Minute)
		}
		if _, ok := s.Last("old"); ok {
			t.Error("what was used 80 minutes ago is still there")
		}
		if _, ok := s.Last("new"); !ok {
			t.Error("what was used 40 minutes ago is gone")
		}
		stop()
	})
}

// background runs s until stop is called.
func background(t *testing.T, s *Store) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error)
	go func() { done <- s.Run(ctx) }()
	return func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
}

func TestRunFindsTheCopiesOfTheProcessBefore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := disktest.New()
		s := openStore(t, d, Options{})
		c := openCopy(t, s, "f", "v", 10<<20)
		put(t, c, 0, 1<<20)
		put(t, c, 5<<20, 1<<20)
		closeCopy(t, c)
		open := openCopy(t, s, "f", "v", 10<<20)
		put(t, open, 8<<20, 1<<20) // and then the process dies
		wild, _ := d.OpenFile("clean/wild", os.O_RDWR|os.O_CREATE)
		wild.Close()
		d = d.Restart(disktest.Nothing())
		before := d.Used()

		s = openStore(t, d, Options{})
		stop := background(t, s)
		synctest.Wait()
		wantCounted(t, s, 1, 2<<20)
		if freed := before - d.Used(); freed != 1<<20 {
			t.Errorf("%d bytes were freed of what no header claims", freed)
		}
		for _, name := range d.Files() {
			if name == "clean/wild" {
				t.Error("what is no copy is still there")
			}
		}
		wantHeld(t, s, "f", "v", 10<<20, 2<<20)
		stop()
	})
}

func TestCopiesSurviveALossOfPowerOnceTheyAreSynced(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := disktest.New()
		s := openStore(t, d, Options{PollInterval: time.Minute})
		stop := background(t, s)
		idle, used := openCopy(t, s, "idle", "v", 100), openCopy(t, s, "used", "v", 100)
		put(t, idle, 0, 50)
		put(t, used, 0, 50)
		closeCopy(t, idle)
		lost := openStore(t, d.Restart(disktest.Everything()), Options{})
		for _, name := range []string{"idle", "used"} {
			if _, ok := lost.Last(name); ok {
				t.Errorf("%s is believed to be there", name)
			}
		}
		d.SyncDir("clean")
		d.SyncDir(copyKeyOf("idle").path()[:len("clean/xx")])
		d.SyncDir(copyKeyOf("used").path()[:len("clean/xx")])
		time.Sleep(3 * time.Minute)
		synctest.Wait()
		for _, name := range []string{"idle", "used"} { // as the system does it after a while
			f, err := d.OpenFile(copyKeyOf(name).path(), os.O_RDWR)
			if err != nil {
				t.Fatal(err)
			}
			f.Sync()
			f.Close()
		}
		kept := openStore(t, d.Restart(disktest.Everything()), Options{})
		wantHeld(t, kept, "idle", "v", 100, 50)
		wantHeld(t, kept, "used", "v", 100, 50)
		closeCopy(t, used)
		stop()
	})
}

func TestADamagedCopyIsDropped(t *testing.T) {
	for name, damage := range map[string]func(t *testing.T, f disk.File){
		"header": func(t *testing.T, f disk.File) { f.WriteAt(make([]byte, dataStart), 0) },
		"empty":  func(t *testing.T, f disk.File) { f.Truncate(0) },
	} {
		t.Run(name, func(t *testing.T) {
			d := disktest.New()
			s := openStore(t, d, Options{})
			defer s.Close()
			c := openCopy(t, s, "f", "v", 100)
			put(t, c, 0, 100)
			closeCopy(t, c)
			f, err := d.OpenFile(copyKeyOf("f").path(), os.O_RDWR)
			if err != nil {
				t.Fatal(err)
			}
			damage(t, f)
			f.Close()
			if _, ok := s.Last("f"); ok {
				t.Error("it is believed")
			}
			wantHeld(t, s, "f", "v", 100, 0)
			wantCounted(t, s, 0, 0)
		})
	}
}

func TestAShortFileIsNoticedWhenItIsRead(t *testing.T) {
	d := disktest.New()
	s := openStore(t, d, Options{})
	defer s.Close()
	c := openCopy(t, s, "f", "v", 100)
	put(t, c, 0, 100)
	defer closeCopy(t, c)
	f, err := d.OpenFile(copyKeyOf("f").path(), os.O_RDWR)
	if err != nil {
		t.Fatal(err)
	}
	f.Truncate(dataStart + 50)
	f.Close()
	if n, err := c.ReadAt(make([]byte, 100), 0); n != 50 || !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("%d bytes, %v", n, err)
	}
	from := c.Sender()
	defer from.Close()
	if n, fault, err := from.Send(&fileSpy{}, 0, 100); n != 50 || fault == nil || err != nil {
		t.Errorf("%d bytes, %v, %v", n, fault, err)
	}
}

func TestOnlyTheLargestRangesThatFitAHeaderAreRemembered(t *testing.T) {
	d := disktest.New()
	s := openStore(t, d, Options{})
	const size = 8 << 20
	c := openCopy(t, s, "f", "v", size)
	for off := int64(0); off < size; off += 8 << 10 {
		put(t, c, off, disktest.PageSize)
	}
	put(t, c, 0, 100<<10)
	closeCopy(t, c)
	held := s.Stats().Clean.Bytes - dataStart
	if held < 200*disktest.PageSize || held > 600*disktest.PageSize {
		t.Errorf("%d bytes are held", held)
	}
	wantHeld(t, s, "f", "v", size, held)
	s = openStore(t, d.Restart(disktest.Nothing()), Options{})
	wantHeld(t, s, "f", "v", size, held)
	again := openCopy(t, s, "f", "v", size)
	defer closeCopy(t, again)
	if got := again.Held(0); got < 100<<10 {
		t.Errorf("%d bytes of the largest range are left", got)
	}
}
