package cache

import (
	"errors"
	"io"
	"path"
	"strings"
	"testing"

	"ferry/disk/disktest"
)

// TestTheOriginGoesWithARecord: through renames, loss, retry and the next process; a record without
// one has the version of before.
func TestTheOriginGoesWithARecord(t *testing.T) {
	d := disktest.New()
	s := openMemory(t, d, Options{})
	commit := func(name, origin string) Record {
		draft, err := s.Create(t.Context(), CreateOptions{Name: name})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(draft, "x"); err != nil {
			t.Fatal(err)
		}
		r, err := draft.Commit(t.Context(), Record{Name: name, Origin: origin}, Durable)
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	plain, r := commit("plain", ""), commit("f.part", "bob")
	for id, want := range map[string]uint32{plain.ID: 1, r.ID: 4} {
		if got := versionOf(t, d, path.Join(dirtyDir, id)); got != want {
			t.Errorf("the version is %d, want %d", got, want)
		}
	}
	r.Name, r.Origin = "f", "bob, before f.part"
	if _, err := s.Update(t.Context(), r, Durable); err != nil {
		t.Fatal(err)
	}
	restart := func() {
		closeStore(t, s)
		s = openMemory(t, d, Options{})
	}
	restart()
	for _, got := range s.Pending() {
		if got.ID == r.ID && got.Origin != r.Origin {
			t.Errorf("renamed, it is of %q", got.Origin)
		}
	}
	if err := s.Fail(r.ID, errors.New("refused")); err != nil {
		t.Fatal(err)
	}
	restart()
	if lost, err := s.Lost(); err != nil || len(lost) != 1 || lost[0].Origin != r.Origin {
		t.Errorf("lost is %+v, %v", lost, err)
	}
	if got, err := s.Retry(r.ID); err != nil || got.Origin != r.Origin {
		t.Errorf("tried again is %+v, %v", got, err)
	}
	closeStore(t, s)
}

// TestNoNameIsTooLongBecauseOfAnOrigin: it is left out of the header.
func TestNoNameIsTooLongBecauseOfAnOrigin(t *testing.T) {
	h := header{State: stateWaiting, Name: strings.Repeat("n", maxFields-100), Origin: strings.Repeat("o", 200)}
	b, err := h.encode(1)
	if err != nil {
		t.Fatal(err)
	}
	if got, _, err := decodeHeader(b); err != nil || got.Name != h.Name || got.Origin != "" {
		t.Errorf("%d bytes of a name, the origin %q, %v", len(got.Name), got.Origin, err)
	}
	h.Name += strings.Repeat("n", 100)
	if _, err := h.encode(1); !errors.Is(err, ErrNameTooLong) {
		t.Errorf("a name that is too long by itself: %v", err)
	}
}
