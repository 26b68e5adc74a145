package cache

import (
	"slices"
	"testing"

	"ferry/disk/disktest"
)

// A process that was killed in the middle of a rename over a file leaves a record that claims the
// new name and may not be synced. The next process drops the file in its place: after that a loss
// of power must not take the name back.
func TestTheFileInTheWayOutlivesARenameThatWasKilled(t *testing.T) {
	for n := 1; ; n++ {
		d := disktest.New()
		s := openMemory(t, d, Options{})
		moving := commitText(t, s, "a", "text of a")
		commitText(t, s, "b", "text of b")
		d.StopAt(n, 0)
		moving.Name = "b"
		_, err := s.Update(t.Context(), moving, Durable)
		killed := d.Restart(disktest.Nothing())
		if _, err := reopen(killed); err != nil {
			t.Fatal(err)
		}
		for seed := range uint64(8) {
			loss := disktest.Everything()
			if seed > 0 {
				loss = disktest.Some(seed)
			}
			s, err := reopen(killed.Restart(loss))
			if err != nil {
				t.Fatal(err)
			}
			got := textsOf(t, s)
			if !slices.Equal(got, []string{"a=text of a", "b=text of b"}) && !slices.Equal(got, []string{"b=text of a"}) {
				t.Fatalf("stopped at change %d, seed %d: there is %q", n, seed, got)
			}
		}
		if err == nil {
			return
		}
	}
}

func commitText(t *testing.T, s *Store, name, text string) Record {
	t.Helper()
	d, err := s.Create(t.Context(), CreateOptions{Name: name})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := d.Write([]byte(text)); err != nil {
		t.Fatal(err)
	}
	r, err := d.Commit(t.Context(), Record{Name: name}, Durable)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func textsOf(t *testing.T, s *Store) []string {
	t.Helper()
	var all []string
	for _, r := range s.Pending() {
		all = append(all, r.Name+"="+contentOf(t, s, r.ID))
	}
	slices.Sort(all)
	return all
}
