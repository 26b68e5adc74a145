package vfs_test

import (
	"testing"

	"ferry/remote"
	"ferry/vfs"
)

// An append goes on where its client was told that it does, or is refused until it asks again.
func TestAnAppendGoesOnWhereItWasTold(t *testing.T) {
	eachStager(t, func(t *testing.T, r remote.Remote) {
		here, elsewhere := vfs.New(r, vfs.Options{}).View("bob"), vfs.New(r, vfs.Options{}).View("bob")
		refused := func(what string) {
			t.Helper()
			_, err := here.Create(t.Context(), "f", vfs.AtEnd)
			if err == nil {
				t.Fatalf("%s: an append is taken", what)
			}
			wantErr(t, err, remote.ErrChanged, "ask for its size again")
		}
		wantGone(t, here, "f")
		cut(t, elsewhere, "f", "012", 0)
		refused("there was nothing")
		if got := size(t, here, "f"); got != 3 {
			t.Fatal(got)
		}
		cut(t, elsewhere, "f", "345", 3)
		refused("it was continued")
		if got := size(t, here, "f"); got != 6 {
			t.Fatal(got)
		}
		cut(t, here, "f", "67", vfs.AtEnd)
		cut(t, here, "f", "8", vfs.AtEnd) // what happened here needs no question
		if got := size(t, here, "f"); got != 9 {
			t.Fatal(got)
		}
		upload(t, elsewhere, "f", "9", 9)
		refused("it was published")
		if got := size(t, here, "f"); got != 10 {
			t.Fatal(got)
		}
		if got := content(t, here, "f"); got != "0123456789" {
			t.Errorf("got %q", got)
		}
	})
}
