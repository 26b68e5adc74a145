package cache

import (
	"errors"
	"fmt"
	"path"
	"reflect"
	"strings"
	"testing"
	"time"

	"ferry/disk/disktest"
)

// What was sent before goes with a record: through renames, loss, retry and the next process. A
// record without it has the version of before.
func TestWhatWasSentGoesWithARecord(t *testing.T) {
	d := disktest.New()
	s := openMemory(t, d, Options{})
	sent := []Sent{{Size: 3, ModTime: time.Unix(1, 2).UTC()}, {Name: "f", Size: -1, Version: "v"}}
	plain, r := commitText(t, s, "plain", "x"), commitText(t, s, "f", "x")
	r.Name, r.Removes, r.Sent = "g", []string{"f"}, sent
	if _, err := s.Update(t.Context(), r, Durable); err != nil {
		t.Fatal(err)
	}
	removed, err := s.Add(t.Context(), Record{Kind: Removed, Name: "h", Sent: sent[:1]}, Durable)
	if err != nil {
		t.Fatal(err)
	}
	for id, want := range map[string]uint32{plain.ID: version, r.ID: versionSent, removed.ID: versionSent} {
		if got := versionOf(t, d, path.Join(dirtyDir, id)); got != want {
			t.Errorf("the version is %d, want %d", got, want)
		}
	}
	restart := func() {
		closeStore(t, s)
		s = openMemory(t, d, Options{})
	}
	restart()
	for _, got := range s.Pending() {
		if want := map[string][]Sent{"g": sent, "h": sent[:1]}[got.Name]; !reflect.DeepEqual(got.Sent, want) {
			t.Errorf("sent before %s were %+v, want %+v", got.Name, got.Sent, want)
		}
	}
	if err := s.Fail(r.ID, errors.New("refused")); err != nil {
		t.Fatal(err)
	}
	restart()
	if got, err := s.Retry(r.ID); err != nil || !reflect.DeepEqual(got.Sent, sent[:1]) {
		t.Errorf("tried again is %+v, %v", got, err)
	}
	closeStore(t, s)
}

// A record that inherits a removal inherits what may be under that name.
func TestWhatWasSentIsInheritedWithARemoval(t *testing.T) {
	d := disktest.New()
	s := openMemory(t, d, Options{})
	older := commitText(t, s, "f", "x")
	older.Removes = []string{"e", "k"}
	older.Sent = []Sent{{Size: 1}, {Name: "e", Size: 2}, {Name: "k", Size: 3}}
	if _, err := s.Update(t.Context(), older, Durable); err != nil {
		t.Fatal(err)
	}
	commitText(t, s, "k", "y")
	commitText(t, s, "f", "z")
	closeStore(t, s)
	s = openMemory(t, d, Options{})
	for _, r := range s.Pending() {
		if got, want := fmt.Sprint(r.Removes, len(r.Sent)), map[string]string{"f": "[e] 1", "k": "[] 0"}[r.Name]; got != want {
			t.Errorf("%s removes %s, want %s", r.Name, got, want)
		}
	}
	closeStore(t, s)
}

// No name is too long because of what was sent: that is left out of the header.
func TestNoNameIsTooLongBecauseOfWhatWasSent(t *testing.T) {
	h := header{
		State: stateWaiting, Name: strings.Repeat("n", maxFields-100), Origin: "bob", Sent: []Sent{{Version: strings.Repeat("v", 200)}},
	}
	b, err := h.encode(1)
	if err != nil {
		t.Fatal(err)
	}
	if got, _, err := decodeHeader(b); err != nil || got.Name != h.Name || got.Sent != nil || got.Origin != h.Origin {
		t.Errorf("%d bytes of a name, sent %v, of %q, %v", len(got.Name), got.Sent, got.Origin, err)
	}
}
