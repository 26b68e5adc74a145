package cache

import (
	"encoding/binary"
	"io"
	"os"
	"path"
	"testing"

	"ferry/disk/disktest"
)

// versionOf is the version of the newest header of a file.
func versionOf(t *testing.T, d *disktest.Disk, name string) uint32 {
	t.Helper()
	f, err := d.OpenFile(name, os.O_RDONLY)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	_, sl, err := readHeader(f, make([]byte, dataStart))
	if err != nil {
		t.Fatal(err)
	}
	var b [4]byte
	if _, err := f.ReadAt(b[:], int64(sl.newest)*slotSize+8); err != nil {
		t.Fatal(err)
	}
	return binary.LittleEndian.Uint32(b[:])
}

func TestARecordSaysWhatItContinues(t *testing.T) {
	d := disktest.New()
	s := openMemory(t, d, Options{})
	commit := func(name, factsOf string) Record {
		draft, err := s.Create(t.Context(), CreateOptions{Name: name, Continues: factsOf != ""})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(draft, "x"); err != nil {
			t.Fatal(err)
		}
		r, err := draft.Commit(t.Context(), Record{Name: name, FactsOf: factsOf}, Durable)
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	plain, continued := commit("plain", ""), commit("f", "f")
	for r, want := range map[string]uint32{plain.ID: 1, continued.ID: 3} {
		if got := versionOf(t, d, path.Join(dirtyDir, r)); got != want {
			t.Errorf("the version is %d, want %d", got, want)
		}
	}
	continued.Name, continued.Removes = "g", []string{"f"}
	if _, err := s.Update(t.Context(), continued, Durable); err != nil {
		t.Fatal(err)
	}
	closeStore(t, s)
	s = openMemory(t, d, Options{})
	for _, r := range s.Pending() {
		if want := map[string]string{"g": "f"}[r.Name]; r.FactsOf != want {
			t.Errorf("%s has the facts of %q, want %q", r.Name, r.FactsOf, want)
		}
	}
	continued.FactsOf = ""
	if _, err := s.Update(t.Context(), continued, Durable); err != nil {
		t.Fatal(err)
	}
	if got := versionOf(t, d, path.Join(dirtyDir, continued.ID)); got != 1 {
		t.Errorf("what continues nothing any more has version %d", got)
	}
	closeStore(t, s)
}

func TestAPartSaysThatItContinuesAFile(t *testing.T) {
	for _, long := range []bool{false, true} {
		d := disktest.New()
		s := openMemory(t, d, Options{})
		for owner, continues := range map[string]bool{"alice": false, "bob": true} {
			draft, err := s.Create(t.Context(), CreateOptions{Name: "f", Owner: owner, Continues: continues})
			if err != nil {
				t.Fatal(err)
			}
			content := []byte("0123456789")
			if long {
				content = make([]byte, describeAfter+1)
			}
			if _, err := draft.Write(content); err != nil {
				t.Fatal(err)
			}
			if long {
				continue // it is killed
			}
			if err := draft.Keep(); err != nil {
				t.Fatal(err)
			}
		}
		for range 2 { // what is cut and given back says so still
			closeStore(t, s)
			s = openMemory(t, d, Options{})
			for owner, continues := range map[string]bool{"alice": false, "bob": true} {
				p, err := s.Part("f", owner)
				if err != nil || p.Continues != continues {
					t.Fatalf("%+v, %v", p, err)
				}
				draft, err := s.Create(t.Context(), CreateOptions{Name: "f", Owner: owner, Part: true, Off: p.Size - 1})
				if err != nil || draft.Continues() != continues {
					t.Fatalf("%v, %v", draft.Continues(), err)
				}
				if err := draft.Keep(); err != nil {
					t.Fatal(err)
				}
			}
		}
		closeStore(t, s)
	}
}
