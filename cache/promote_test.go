package cache

import (
	"errors"
	"io"
	"strings"
	"testing"

	"ferry/disk/disktest"
)

func TestNothingIsCutOutOfACopyThatMayWaitAgain(t *testing.T) {
	d := disktest.New()
	s := openMemory(t, d, Options{})
	r := fill(t, s, "f", mebi)
	as := Fingerprint{Version: "v", Size: r.Size}
	evictCopy := func() {
		t.Helper()
		c, err := s.Copy("f", as)
		if err != nil {
			t.Fatal(err)
		}
		s.quota.evictOwn(mebi / 2)
		if err := c.Close(); err != nil {
			t.Fatal(err)
		}
	}
	asked := false
	d.Fail(func(op, name string) error {
		if op == "syncdir" && name == dirtyDir && !asked {
			asked = true
			evictCopy()
		}
		return nil
	})
	d.StartLog()
	if err := s.Done(r.ID, as, true); err != nil {
		t.Fatal(err)
	}
	if !asked || strings.Contains(d.Log(), "punch") {
		t.Errorf("asked: %t; it did\n%s", asked, d.Log())
	}
	evictCopy()
	if !strings.Contains(d.Log(), "punch") {
		t.Errorf("afterwards nothing is evicted either:\n%s", d.Log())
	}
}

func TestADraftThatWasSentBecomesACopy(t *testing.T) {
	s := openMemory(t, disktest.New(), Options{})
	for _, keep := range []bool{true, false} {
		d := begin(t, s, "f")
		if _, err := io.WriteString(d, "text"); err != nil {
			t.Fatal(err)
		}
		as := Fingerprint{Version: "v", Size: 4}
		if err := d.CommitClean(as, keep); err != nil {
			t.Fatal(err)
		}
		if st := s.Stats(); st.Drafts != (Usage{}) || keep && st.Clean.Files != 1 {
			t.Errorf("there is %+v", st)
		}
		if err := errors.Join(d.Abort(), d.Keep()); err != nil {
			t.Errorf("afterwards: %v", err)
		}
		if !keep {
			continue
		}
		c, err := s.Copy("f", as)
		if err != nil {
			t.Fatal(err)
		}
		text := make([]byte, 4)
		if _, err := c.ReadAt(text, 0); err != nil || string(text) != "text" {
			t.Errorf("it has %q, %v", text, err)
		}
		if err := c.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

func TestACommitForgetsThePartOfItsOwner(t *testing.T) {
	s := openMemory(t, disktest.New(), Options{})
	for _, end := range []func(d *Draft) error{
		(*Draft).Keep,
		func(d *Draft) error { _, err := d.Commit(t.Context(), Record{Name: "f"}, Durable); return err },
	} {
		d := begin(t, s, "f")
		if _, err := io.WriteString(d, "text"); err != nil {
			t.Fatal(err)
		}
		if err := end(d); err != nil {
			t.Fatal(err)
		}
	}
	if parts := s.PartsIn("."); len(parts) != 0 {
		t.Errorf("left are %+v", parts)
	}
}
