package vfs

import (
	"testing"

	"ferry/remote/driver/memory"
	"ferry/remote/wrap/faulty"
)

func TestASizeIsKnownWhereNobodyHasToBeAsked(t *testing.T) {
	b := newBehind(t, fiveMinutes)
	b.put("file")
	ctx := t.Context()
	if n := b.asked(faulty.Stat, func() {
		if size := b.fs.KnownSize(ctx, "file"); size >= 0 {
			t.Errorf("a file that nobody has looked at has %d bytes", size)
		}
		b.shows(".", "file")
		if size := b.fs.KnownSize(ctx, "file"); size != 4 {
			t.Errorf("a file that was listed has %d bytes", size)
		}
	}); n != 0 {
		t.Errorf("%d requests", n)
	}
	near := New(memory.New(), Options{})
	defer near.Close()
	upload(t, near.View("bob"), "file", "content")
	if size := near.KnownSize(ctx, "file"); size != 7 {
		t.Errorf("a file on this machine has %d bytes", size)
	}
	if size := near.KnownSize(ctx, "."); size >= 0 {
		t.Errorf("a directory has %d bytes", size)
	}
}

func upload(t *testing.T, v *View, name, content string) {
	t.Helper()
	u, err := v.Create(t.Context(), name, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := u.Write([]byte(content)); err != nil {
		t.Fatal(err)
	}
	if err := u.Commit(t.Context()); err != nil {
		t.Fatal(err)
	}
}
