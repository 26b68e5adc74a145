package main

import (
	"bytes"
	"strings"
	"testing"

	"ferry/cmd/ferry/internal/flags"
	"ferry/remote"
	"ferry/remote/driver/chunker"
	"ferry/remote/driver/crypt"
	"ferry/remote/driver/crypt/cipher"
	"ferry/remote/driver/local"
	"ferry/remote/driver/memory"
	"ferry/remote/wrap/faulty"
)

func TestCheckOfAGoodRemote(t *testing.T) {
	store := memory.New()
	var out bytes.Buffer
	if err := (&checker{remote: store, out: &out}).run(t.Context()); err != nil {
		t.Errorf("%v\n%s", err, out.String())
	}
	for _, step := range []string{"reach", "list", "write", "read", "range", "overwrite", "checksums", "modtime", "move", "continue", "move dir", "remove"} {
		if !strings.Contains(out.String(), "  "+step+strings.Repeat(" ", 13-len(step))+"ok") {
			t.Errorf("%s is not ok:\n%s", step, out.String())
		}
	}
	for e := range store.List(t.Context(), ".") {
		t.Errorf("the check left %s behind", e.Name)
	}
}

// With a wrong password nothing of a crypt can be read, and no call fails.
func TestCheckTellsWhatIsLeftOut(t *testing.T) {
	store := memory.New()
	for _, name := range []string{"one", "two"} {
		if _, err := store.Put(t.Context(), name, strings.NewReader("x"), remote.PutOptions{}); err != nil {
			t.Fatal(err)
		}
	}
	keys, err := cipher.DeriveKeys("s3cret", "")
	if err != nil {
		t.Fatal(err)
	}
	encrypted, err := crypt.New(store, crypt.Options{Keys: keys})
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := (&checker{remote: encrypted, out: &out}).run(t.Context()); err != nil {
		t.Errorf("%v\n%s", err, out.String())
	}
	if want := `0 entries, and 2 left out, the first "one": the name is not encrypted with this password`; !strings.Contains(out.String(), want) {
		t.Errorf("%q is not told:\n%s", want, out.String())
	}
}

// What cannot be stored for an option of the remote is told with that option, and the steps that
// need a file are left out.
func TestCheckOfARemoteThatStoresNothing(t *testing.T) {
	below, err := local.New(t.TempDir(), local.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer below.Close()
	r, err := chunker.New(below, chunker.Options{NoRecords: true})
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := (&checker{remote: r, out: &out}).run(t.Context()); err != nil {
		t.Errorf("%v\n%s", err, out.String())
	}
	if text := out.String(); strings.Contains(text, "FAILED") || !strings.Contains(text, "not offered by this remote\n") || !strings.Contains(text, "write        -       not offered by this remote: ") || !strings.Contains(text, "take meta_format = none away") {
		t.Errorf("it says\n%s", text)
	}
}

func TestCheckOfABrokenRemote(t *testing.T) {
	tests := []struct{ op, step string }{
		{"stat", "reach"}, {"list", "list"}, {"put", "write"}, {"open", "read"}, {"hash", "checksums"}, {"mkdir", "move dir"}, {"rmdir", "move dir"}, {"setmodtime", "modtime"}, {"move", "move"},
		{"stage", "continue"}, {"remove", "remove"},
	}
	for _, tt := range tests {
		r := faulty.New(memory.New())
		r.Inject(faulty.Fault{Op: faulty.Op(tt.op), Err: remote.ErrPermission, Times: -1})
		var out bytes.Buffer
		if err := (&checker{remote: r, out: &out}).run(t.Context()); err == nil {
			t.Errorf("%s fails and nobody says so:\n%s", tt.op, out.String())
		}
		if want := "  " + tt.step + strings.Repeat(" ", 13-len(tt.step)) + "FAILED"; !strings.Contains(out.String(), want) {
			t.Errorf("%s fails, and %s is not named:\n%s", tt.op, tt.step, out.String())
		}
	}
}

func TestEveryTypeHasAHelpTopic(t *testing.T) {
	for _, topic := range flags.Topics() {
		if topic.Long == "" {
			t.Errorf("%s says nothing", topic.Name())
		}
		for _, sub := range topic.Commands() {
			if !strings.Contains(sub.Long, "type = ") {
				t.Errorf("%s: %s", sub.Name(), sub.Long)
			}
		}
	}
}
