package cache

import (
	"errors"
	"io"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"ferry/disk"
	"ferry/disk/disktest"
)

// openMemory returns a Store on a disk in memory.
func openMemory(t *testing.T, d disk.Disk, o Options) *Store {
	t.Helper()
	s, err := Open(d, o)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// operations is the log of d, with IDs by the order of their appearance.
func operations(d *disktest.Disk) string {
	ids := map[string]string{}
	return regexp.MustCompile(`[0-9a-f]{16}`).ReplaceAllStringFunc(d.Log(), func(id string) string {
		if ids[id] == "" {
			ids[id] = string(rune('A' + len(ids)))
		}
		return ids[id]
	})
}

func TestTheOperationsOfACommit(t *testing.T) {
	for _, test := range []struct {
		name, want string
		do         func(t *testing.T, s *Store)
	}{
		{"durable", `
create tmp/?
write tmp/? 16384+5
write tmp/? 0+59
sync tmp/?
name tmp/? dirty/A
syncdir dirty`, func(t *testing.T, s *Store) { commitNow(t, s, Durable) }},
		{"spooled", `
create tmp/?
write tmp/? 16384+5
write tmp/? 0+62
name tmp/? dirty/A`, func(t *testing.T, s *Store) { commitNow(t, s, Spooled) }},
		{"removed", `
create tmp/A
write tmp/A 0+59
sync tmp/A
rename tmp/A dirty/A
syncdir dirty`, func(t *testing.T, s *Store) { addNow(t, s) }},
		{"renamed while it waits", `
create tmp/?
write tmp/? 16384+5
write tmp/? 0+59
sync tmp/?
name tmp/? dirty/A
syncdir dirty
open dirty/A
write dirty/A 8192+62
sync dirty/A`, func(t *testing.T, s *Store) {
			r := commitNow(t, s, Durable)
			r.Name, r.Removes = "b", []string{"name"}
			if _, err := s.Update(t.Context(), r, Durable); err != nil {
				t.Fatal(err)
			}
		}},
		{"deleted while it waits", `
create tmp/?
write tmp/? 16384+5
write tmp/? 0+59
sync tmp/?
name tmp/? dirty/A
syncdir dirty
remove dirty/A
syncdir dirty`, func(t *testing.T, s *Store) {
			if err := s.Drop(commitNow(t, s, Durable).ID, Durable); err != nil {
				t.Fatal(err)
			}
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			// A bubble, so that the header has the same length each time.
			synctest.Test(t, func(t *testing.T) {
				d := disktest.New()
				s := openMemory(t, d, Options{})
				d.StartLog()
				test.do(t, s)
				if got := operations(d); got != strings.TrimPrefix(test.want, "\n") {
					t.Errorf("the operations are\n%s", got)
				}
			})
		})
	}
}

func commitNow(t *testing.T, s *Store, dur Durability) Record {
	t.Helper()
	d, err := s.Create(t.Context(), CreateOptions{Name: "name"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(d, "hello"); err != nil {
		t.Fatal(err)
	}
	r, err := d.Commit(t.Context(), Record{Name: "name"}, dur)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func addNow(t *testing.T, s *Store) {
	t.Helper()
	if _, err := s.Add(t.Context(), Record{Kind: Removed, Name: "name"}, Durable); err != nil {
		t.Fatal(err)
	}
}

func TestCommitsThatWaitForTheDiskShareASync(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := disktest.New()
		s := openMemory(t, d, Options{})
		d.Delay(func(op, _ string) time.Duration {
			if op == "syncdir" {
				return time.Second
			}
			return 0
		})
		d.StartLog()
		var wg sync.WaitGroup
		for range 100 {
			wg.Go(func() { commitNow(t, s, Durable) })
		}
		begin := time.Now()
		wg.Wait()
		if took := time.Since(begin); took > 2*time.Second {
			t.Errorf("it took %v", took)
		}
		if n := strings.Count(d.Log(), "syncdir dirty"); n > 2 {
			t.Errorf("the directory was synced %d times", n)
		}
		if n := len(s.Pending()); n != 100 {
			t.Errorf("%d records wait", n)
		}
	})
}

func TestASyncThatFailsFailsAllWhoWaitedForIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := disktest.New()
		s := openMemory(t, d, Options{})
		d.Delay(func(op, _ string) time.Duration {
			if op == "syncdir" {
				return time.Second
			}
			return 0
		})
		d.Fail(func(op, _ string) error {
			if op == "syncdir" {
				return syscall.EIO
			}
			return nil
		})
		var wg sync.WaitGroup
		for range 10 {
			wg.Go(func() {
				_, err := s.Add(t.Context(), Record{Kind: Dir, Name: "d"}, Durable)
				if !errors.Is(err, syscall.EIO) {
					t.Errorf("it was acknowledged: %v", err)
				}
			})
		}
		wg.Wait()
		d.Fail(nil)
		if n := len(s.Pending()); n != 0 {
			t.Errorf("%d records wait", n)
		}
		if files := d.Files(); len(files) != 0 {
			t.Errorf("left are %q", files)
		}
		addNow(t, s) // the next one is as if nothing had been
	})
}

func TestADraftOutlivesACommitThatFailed(t *testing.T) {
	for _, broken := range []string{"write", "name", "syncdir"} {
		t.Run(broken, func(t *testing.T) {
			d := disktest.New()
			s := openMemory(t, d, Options{})
			draft, err := s.Create(t.Context(), CreateOptions{Name: "f", Owner: "bob"})
			if err != nil {
				t.Fatal(err)
			}
			if _, err := io.WriteString(draft, "text"); err != nil {
				t.Fatal(err)
			}
			d.Fail(func(op, _ string) error {
				if op == broken {
					return syscall.EIO
				}
				return nil
			})
			if _, err := draft.Commit(t.Context(), Record{Name: "f"}, Durable); !errors.Is(err, syscall.EIO) {
				t.Fatalf("committed: %v", err)
			}
			d.Fail(nil)
			if n := len(s.Pending()); n != 0 {
				t.Errorf("%d records wait", n)
			}
			r, err := draft.Commit(t.Context(), Record{Name: "f"}, Durable)
			if err != nil {
				t.Fatal(err)
			}
			if got := contentOf(t, s, r.ID); got != "text" {
				t.Errorf("the content is %q", got)
			}
			for range 2 {
				if err := errors.Join(draft.Keep(), draft.Abort()); err != nil {
					t.Errorf("afterwards: %v", err)
				}
			}
			if st := s.Stats(); st.Drafts != (Usage{}) || st.Parts != (Usage{}) || st.Waiting.Files != 1 {
				t.Errorf("there is %+v", st)
			}
		})
	}
}

// A system may drop what it could not sync, and then the next sync succeeds.
func TestWhatCouldNotBeSyncedIsNotAcknowledgedLater(t *testing.T) {
	failing := func(d *disktest.Disk, op string) {
		d.Fail(func(o, _ string) error {
			if o == op {
				return syscall.EIO
			}
			return nil
		})
	}
	t.Run("draft", func(t *testing.T) {
		d := disktest.New()
		s := openMemory(t, d, Options{})
		draft := begin(t, s, "f")
		if _, err := io.WriteString(draft, "text"); err != nil {
			t.Fatal(err)
		}
		failing(d, "sync")
		if _, err := draft.Commit(t.Context(), Record{Name: "f"}, Durable); !errors.Is(err, syscall.EIO) {
			t.Fatalf("committed: %v", err)
		}
		failing(d, "")
		if _, err := draft.Commit(t.Context(), Record{Name: "f"}, Durable); !errors.Is(err, syscall.EIO) {
			t.Errorf("committed later: %v", err)
		}
		if err := draft.Keep(); err != nil {
			t.Error(err)
		}
		if st := s.Stats(); st != (Stats{}) || len(d.Files()) != 0 {
			t.Errorf("there is %+v, %q", st, d.Files())
		}
	})
	t.Run("spooled", func(t *testing.T) {
		d := disktest.New()
		s := openMemory(t, d, Options{})
		r := commitNow(t, s, Spooled)
		failing(d, "sync")
		if err := s.syncSpooled(); !errors.Is(err, syscall.EIO) {
			t.Errorf("settled: %v", err)
		}
		failing(d, "")
		if err := s.syncSpooled(); err != nil {
			t.Errorf("it is said again: %v", err)
		}
		if _, err := s.Update(t.Context(), r, Durable); !errors.Is(err, syscall.EIO) && s.dirty[r.ID].durability == Durable {
			t.Errorf("updated: %v", err)
		}
		if err := d.SyncDir(dirtyDir); err != nil {
			t.Fatal(err)
		}
		if n := len(openMemory(t, d.Restart(disktest.Everything()), Options{}).Pending()); n != 0 {
			t.Errorf("%d would be sent", n)
		}
		if err := s.Fail(r.ID, errors.New("refused")); err != nil {
			t.Error(err)
		}
	})
}

func TestAnUpdateThatFailedLeavesTheRecord(t *testing.T) {
	for seed := range uint64(8) {
		d := disktest.New()
		s := openMemory(t, d, Options{})
		r := commitNow(t, s, Durable)
		for i := range 3 {
			d.Fail(func(op, _ string) error {
				if op == "sync" {
					return syscall.EIO
				}
				return nil
			})
			r.Name = strings.Repeat("x", 600+i)
			if _, err := s.Update(t.Context(), r, Durable); !errors.Is(err, syscall.EIO) {
				t.Fatalf("updated: %v", err)
			}
		}
		d.Fail(nil)
		if got := s.Pending()[0].Name; got != "name" {
			t.Errorf("the name is %q", got)
		}
		// Whatever those attempts left on the disk, the slot that was synced is whole.
		s = openMemory(t, d.Restart(disktest.Some(seed)), Options{})
		if n := len(s.Pending()); n != 1 {
			t.Fatalf("seed %d: %d records wait", seed, n)
		}
	}
}

func TestANameThatDoesNotFitIsRefusedBeforeData(t *testing.T) {
	s := openMemory(t, disktest.New(), Options{})
	long := strings.Repeat("n", slotSize)
	if _, err := s.Create(t.Context(), CreateOptions{Name: long}); !errors.Is(err, ErrNameTooLong) {
		t.Errorf("created: %v", err)
	}
	if _, err := s.Add(t.Context(), Record{Kind: Removed, Name: long}, Durable); !errors.Is(err, ErrNameTooLong) {
		t.Errorf("added: %v", err)
	}
	r := commitNow(t, s, Durable)
	r.Removes = []string{long}
	if _, err := s.Update(t.Context(), r, Durable); !errors.Is(err, ErrNameTooLong) {
		t.Errorf("updated: %v", err)
	}
	if st := s.Stats(); st.Drafts.Files != 0 || st.Waiting.Files != 1 {
		t.Errorf("there is %+v", st)
	}
}
