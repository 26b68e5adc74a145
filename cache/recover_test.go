package cache

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"ferry/disk/disktest"
)

// overwrite puts bytes into a file of a disk.
func overwrite(t *testing.T, d *disktest.Disk, name string, off int64, b []byte) {
	t.Helper()
	f, err := d.OpenFile(name, os.O_RDWR|os.O_CREATE)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.WriteAt(b, off); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestADamagedFileGoesToLostAndIsNotTouched(t *testing.T) {
	for name, damage := range map[string]func(t *testing.T, d *disktest.Disk, file string){
		"a header that is overwritten": func(t *testing.T, d *disktest.Disk, file string) {
			overwrite(t, d, file, 0, make([]byte, 100))
		},
		"data that is missing": func(t *testing.T, d *disktest.Disk, file string) {
			f, err := d.OpenFile(file, os.O_RDWR)
			if err != nil {
				t.Fatal(err)
			}
			if err := errors.Join(f.Truncate(dataStart+2), f.Close()); err != nil {
				t.Fatal(err)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			d := disktest.New()
			r := commitNow(t, openMemory(t, d, Options{}), Durable)
			d = d.Restart(disktest.Nothing())
			damage(t, d, path.Join(dirtyDir, r.ID))
			s := openMemory(t, d, Options{})
			if len(s.Pending()) != 0 {
				t.Error("it waits to be sent")
			}
			lost, err := s.Lost()
			if err != nil || len(lost) != 1 || lost[0].ID != r.ID || lost[0].Reason == "" {
				t.Fatalf("lost: %+v, %v", lost, err)
			}
			c, err := s.OpenLost(r.ID)
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			text, err := io.ReadAll(c.Section())
			if err != nil || !strings.HasPrefix("hello", string(text)) || len(text) < 2 {
				t.Errorf("left is %q, %v", text, err)
			}
			if lost[0].Damaged {
				if _, err := s.Retry(r.ID); err == nil {
					t.Error("it can be retried")
				}
			}
			if again, err := openMemory(t, d.Restart(disktest.Everything()), Options{}).Lost(); err != nil || len(again) != 1 {
				t.Errorf("after a restart: %+v, %v", again, err)
			}
		})
	}
}

func TestWhatIsNoFileOfTheCacheGoesToLost(t *testing.T) {
	d := disktest.New()
	openMemory(t, d, Options{})
	d = d.Restart(disktest.Nothing())
	overwrite(t, d, "dirty/README", 0, []byte("hello"))
	s := openMemory(t, d, Options{})
	if lost, err := s.Lost(); err != nil || len(lost) != 1 || lost[0].ID != "README" || !lost[0].Damaged {
		t.Errorf("lost: %+v, %v", lost, err)
	}
}

func TestANewerFormatIsNotOpened(t *testing.T) {
	d := disktest.New()
	r := commitNow(t, openMemory(t, d, Options{}), Durable)
	d = d.Restart(disktest.Nothing())
	h := full()
	b, err := h.encode(9)
	if err != nil {
		t.Fatal(err)
	}
	binary.LittleEndian.PutUint32(b[8:], versionSent+1)
	overwrite(t, d, path.Join(dirtyDir, r.ID), slotSize, sealed(b))
	files := d.Files()
	_, err = Open(d, Options{})
	if !errors.Is(err, ErrVersion) || !strings.Contains(err.Error(), "start the version of ferry") {
		t.Errorf("opened: %v", err)
	}
	if got := d.Files(); !slices.Equal(got, files) {
		t.Errorf("there were %q, now %q", files, got)
	}
	lock, err := d.Lock(lockName)
	if err != nil {
		t.Fatalf("the lock is still held: %v", err)
	}
	if err := lock.Close(); err != nil {
		t.Error(err)
	}
}

func TestOfTwoRecordsTheLaterCounts(t *testing.T) {
	d := disktest.New()
	s := openMemory(t, d, Options{})
	put := func(name, text string, removes ...string) {
		t.Helper()
		draft := begin(t, s, name)
		if _, err := io.WriteString(draft, text); err != nil {
			t.Fatal(err)
		}
		if _, err := draft.Commit(t.Context(), Record{Name: name, Removes: removes}, Durable); err != nil {
			t.Fatal(err)
		}
	}
	put("a", "first", "x", "y")
	put("b", "of b")
	put("a", "second", "z")
	put("x", "of x")
	put("c", "was b", "b")

	for range 2 { // recovery has nothing to do the second time
		s = openMemory(t, d.Restart(disktest.Everything()), Options{})
		var got []string
		for _, r := range s.Pending() {
			got = append(got, fmt.Sprintf("%s=%s-%s", r.Name, contentOf(t, s, r.ID), strings.Join(r.Removes, "-")))
		}
		if want := []string{"a=second-z-y", "x=of x-", "c=was b-b"}; !slices.Equal(got, want) {
			t.Errorf("there is %q, not %q", got, want)
		}
	}
}

func TestWhatIsRenamedAgainIsDoneFirst(t *testing.T) {
	d := disktest.New()
	s := openMemory(t, d, Options{})
	add := func(r Record) {
		t.Helper()
		if _, err := s.Add(t.Context(), r, Durable); err != nil {
			t.Fatal(err)
		}
	}
	when := time.Date(2020, 1, 2, 3, 4, 5, 6, time.UTC)
	add(Record{Kind: Moved, Name: "y", Source: "x", Size: 5, ModTime: when, Removes: []string{"x"}})
	add(Record{Kind: Moved, Name: "z", Source: "y", Size: 5, ModTime: when, Removes: []string{"y"}})
	add(Record{Kind: Removed, Name: "y"}) // what was stored there since
	add(Record{Kind: Removed, Name: "y"})
	add(Record{Kind: Moved, Name: "b", Source: "a", Removes: []string{"a", "old"}})
	add(Record{Kind: Removed, Name: "b"})
	add(Record{Kind: RemovedDir, Name: "d"})
	add(Record{Kind: Dir, Name: "d"})
	add(Record{Kind: RemovedDir, Name: "e"})
	for range 2 {
		s = openMemory(t, d.Restart(disktest.Everything()), Options{})
		var got []string
		for _, r := range s.Pending() {
			got = append(got, fmt.Sprintf("%v %s<-%s %d %s", r.Kind, r.Name, r.Source, r.Size, strings.Join(r.Removes, "-")))
			if r.Kind == Moved && !r.ModTime.Equal(when) {
				t.Errorf("%s is of %v", r.Name, r.ModTime)
			}
		}
		want := []string{"moved y<-x 5 x", "moved z<-y 5 y", "removed y<- 0 ", "removed b<- 0 a-old", "dir d<- 0 ", "removed dir e<- 0 "}
		if !slices.Equal(got, want) {
			t.Errorf("there is %q, not %q", got, want)
		}
	}
}

func TestAnUploadThatWasKilledIsAPartOfItsOwner(t *testing.T) {
	d := disktest.New()
	s := openMemory(t, d, Options{})
	draft := begin(t, s, "big")
	content := strings.Repeat("x", describeAfter+1000)
	if _, err := io.WriteString(draft, content); err != nil {
		t.Fatal(err)
	}
	small := begin(t, s, "small")
	if _, err := io.WriteString(small, "x"); err != nil {
		t.Fatal(err)
	}
	s = openMemory(t, d.Restart(disktest.Nothing()), Options{})
	if info, err := s.Part("big", "bob"); err != nil || info.Size != int64(len(content)) || info.ModTime.IsZero() {
		t.Errorf("the part is %+v, %v", info, err)
	}
	if _, err := s.Part("small", "bob"); err == nil {
		t.Error("a short one is kept without having been described")
	}
	again, err := s.Create(t.Context(), CreateOptions{Name: "big", Owner: "bob", Part: true, Off: describeAfter})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(again, "end"); err != nil {
		t.Fatal(err)
	}
	r, err := again.Commit(t.Context(), Record{Name: "big"}, Durable)
	if err != nil {
		t.Fatal(err)
	}
	if got := contentOf(t, s, r.ID); got != content[:describeAfter]+"end" {
		t.Errorf("the content has %d bytes", len(got))
	}
	s = openMemory(t, d.Restart(disktest.Everything()), Options{})
	if parts := s.PartsIn("."); len(parts) != 0 {
		t.Errorf("after a loss of power there are %+v", parts)
	}
}

// What another owner has taken over and written to is not given back to the first one by a restart.
func TestAPartThatWasTakenOverBelongsToWhoTookIt(t *testing.T) {
	d := disktest.New()
	s := openMemory(t, d, Options{})
	head := strings.Repeat("x", describeAfter+1000)
	draft := begin(t, s, "big") // of bob
	if _, err := io.WriteString(draft, head); err != nil {
		t.Fatal(err)
	}
	if err := draft.Keep(); err != nil {
		t.Fatal(err)
	}
	for _, off := range []int64{0, describeAfter, int64(len(head)) + 1} {
		if _, err := s.Create(t.Context(), CreateOptions{Name: "big", Owner: "eve", Part: true, From: "bob", Off: off}); !errors.Is(err, fs.ErrInvalid) {
			t.Errorf("at %d: %v", off, err)
		}
	}
	taken, err := s.Create(t.Context(), CreateOptions{Name: "big", Owner: "eve", Part: true, From: "bob", Off: int64(len(head))})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(taken, "of eve"); err != nil {
		t.Fatal(err)
	}
	for _, loss := range []disktest.Loss{disktest.Nothing(), disktest.Everything()} {
		s := openMemory(t, d.Restart(loss), Options{})
		if parts := s.PartsIn("."); len(parts) != 1 || parts[0].Owner != "eve" || parts[0].Size < int64(len(head)) {
			t.Errorf("there are %+v", parts)
		}
	}
}

// running runs the Store until the returned function is called.
func running(t *testing.T, s *Store) (stop func()) {
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() { ended <- s.Run(ctx) }()
	return func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	}
}

func TestAnUploadThatWasKilledInItsCommitIsAPart(t *testing.T) {
	d := disktest.New()
	draft := begin(t, openMemory(t, d, Options{}), "f")
	if _, err := draft.Write(make([]byte, describeAfter)); err != nil { // a shorter one has no name yet
		t.Fatal(err)
	}
	d.StopAt(2, 0) // between header and sync
	if _, err := draft.Commit(t.Context(), Record{Name: "f"}, Durable); !errors.Is(err, disktest.ErrStopped) {
		t.Fatal(err)
	}
	s := openMemory(t, d.Restart(disktest.Nothing()), Options{})
	if info, err := s.Part("f", "bob"); err != nil || info.Size != describeAfter {
		t.Errorf("the part is %+v, %v", info, err)
	}
	if n := len(s.Pending()); n != 0 {
		t.Errorf("%d records wait", n)
	}
}

func TestPartsExpire(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := disktest.New()
		s := openMemory(t, d, Options{PartMaxAge: 24 * time.Hour})
		stop := running(t, s)
		for _, name := range []string{"dir/a", "dir/b"} {
			draft := begin(t, s, name)
			if _, err := io.WriteString(draft, "part"); err != nil {
				t.Fatal(err)
			}
			if err := draft.Keep(); err != nil {
				t.Fatal(err)
			}
			time.Sleep(12 * time.Hour)
		}
		time.Sleep(2 * time.Minute)
		if parts := s.PartsIn("dir"); len(parts) != 1 || parts[0].Name != "dir/b" {
			t.Errorf("there are %+v", parts)
		}
		stop()
		closeStore(t, s)
		time.Sleep(24 * time.Hour)
		s = openMemory(t, d.Restart(disktest.Everything()), Options{PartMaxAge: 24 * time.Hour})
		defer running(t, s)()
		time.Sleep(clockGrace + 2*time.Minute)
		if parts := s.PartsIn("dir"); len(parts) != 0 {
			t.Errorf("then %+v", parts)
		}
	})
}

func TestWhatWasSpooledIsSettled(t *testing.T) {
	settled := map[string]func(t *testing.T, s *Store){
		"by Run": func(t *testing.T, s *Store) {
			defer running(t, s)()
			time.Sleep(2 * syncInterval)
		},
		"by Close": closeStore,
	}
	for name, settle := range settled {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				d := disktest.New()
				s := openMemory(t, d, Options{})
				for range 100 {
					commitNow(t, s, Spooled)
				}
				if n := len(openMemory(t, d.Restart(disktest.Everything()), Options{}).Pending()); n != 0 {
					t.Errorf("%d are durable before", n)
				}
				settle(t, s)
				s = openMemory(t, d.Restart(disktest.Everything()), Options{})
				if lost, err := s.Lost(); err != nil || len(lost) != 0 {
					t.Errorf("lost: %d, %v", len(lost), err)
				}
				if r := s.Pending(); len(r) != 1 || contentOf(t, s, r[0].ID) != "hello" { // all have one name
					t.Errorf("left are %d", len(r))
				}
			})
		})
	}
}

func TestASpooledRecordOfAnotherBootIsLostAndCanBeRetried(t *testing.T) {
	d := disktest.New()
	s := openMemory(t, d, Options{})
	r := commitNow(t, s, Spooled)
	if err := d.SyncDir(dirtyDir); err != nil {
		t.Fatal(err)
	}
	f, err := d.OpenFile(path.Join(dirtyDir, r.ID), os.O_RDWR)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(f.Sync(), f.Close()); err != nil { // the system may write it by itself; nobody knows
		t.Fatal(err)
	}
	s = openMemory(t, d.Restart(disktest.Everything()), Options{})
	lost, err := s.Lost()
	if err != nil || len(lost) != 1 || !strings.Contains(lost[0].Reason, "spooled") {
		t.Fatalf("lost: %+v, %v", lost, err)
	}
	if _, err := s.Retry(r.ID); err != nil {
		t.Fatal(err)
	}
	if got := contentOf(t, s, r.ID); got != "hello" {
		t.Errorf("the content is %q", got)
	}
}

func TestOpenDoesNotLookIntoClean(t *testing.T) {
	d := disktest.New()
	openMemory(t, d, Options{})
	d = d.Restart(disktest.Nothing())
	before := ""
	for _, files := range []int{0, 2000} {
		for i := range files {
			if err := d.Mkdir(fmt.Sprintf("clean/%02x", i%256)); err != nil {
				t.Fatal(err)
			}
			overwrite(t, d, fmt.Sprintf("clean/%02x/%032x", i%256, i), 0, []byte(magic))
		}
		d.StartLog()
		s := openMemory(t, d, Options{})
		opened := d.Log()
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		if before != "" && opened != before {
			t.Errorf("with %d files in clean/ it does\n%s", files, opened)
		}
		before = opened
	}
	if strings.Contains(before, "clean/") || strings.Contains(before, "readdir clean") {
		t.Errorf("it does\n%s", before)
	}
}
