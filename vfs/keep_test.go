package vfs

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"sync"
	"testing"

	"ferry/disk/disktest"
	"ferry/ftp"
	"ferry/remote"
	"ferry/remote/driver/memory"
	"ferry/writeback"
)

// plain hides every ability of a remote.
type plain struct{ remote.Remote }

// kept calls do with a tree of each kind: what an upload passes differs.
func kept(t *testing.T, do func(t *testing.T, b *rig)) {
	for name, c := range map[string]writeback.Options{
		"off": {}, "writes": {Mode: writeback.Writes}, "remote": {Mode: writeback.Writes, Ack: writeback.AckRemote}, "minimal": {Mode: writeback.Minimal},
	} {
		for _, stages := range []bool{true, false} {
			t.Run(fmt.Sprint(name, " stages=", stages), func(t *testing.T) {
				b := &rig{disk: disktest.New(), off: name == "off"}
				if !stages {
					b.far = func(r *memory.Remote) remote.Remote { return plain{r} }
				}
				do(t, newRigAt(t, c, b))
			})
		}
	}
}

// begun is an upload that has sent content.
func (b *rig) begun(t *testing.T, content string, create func() (ftp.Upload, error)) ftp.Upload {
	t.Helper()
	u, err := create()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(u.Abort)
	if _, err := io.WriteString(u, content); err != nil {
		t.Fatal(err)
	}
	return u
}

func TestANewFileReplacesNone(t *testing.T) {
	kept(t, func(t *testing.T, b *rig) {
		ctx := t.Context()
		fresh := func(name string, alone bool) func() (ftp.Upload, error) {
			return func() (ftp.Upload, error) { return b.CreateNew(ctx, name, 0, alone) }
		}
		b.upload("there", "there")
		if _, err := fresh("there", false)(); !errors.Is(err, fs.ErrExist) {
			t.Errorf("a name that a file has: %v", err)
		}
		first := b.begun(t, "first", fresh("f", true))
		if _, err := fresh("f", true)(); !errors.Is(err, fs.ErrExist) {
			t.Errorf("a name that an upload has: %v", err)
		}
		second := b.begun(t, "second", fresh("f", false))
		if err := first.Commit(ctx); err != nil {
			t.Fatal(err)
		}
		if err := second.Commit(ctx); !errors.Is(err, fs.ErrExist) {
			t.Errorf("the first one was replaced: %v", err)
		}
		third := b.begun(t, "third", fresh("g", true))
		b.upload("g", "other")
		if err := third.Commit(ctx); !errors.Is(err, fs.ErrExist) {
			t.Errorf("what was stored meanwhile was replaced: %v", err)
		}
		for name, want := range map[string]string{"f": "first", "g": "other"} {
			if got := readAll(t, b.View, name); got != want {
				t.Errorf("%s is %q", name, got)
			}
		}
		// What has ended holds no name.
		third.Abort()
		if err := b.Remove(ctx, "g"); err != nil {
			t.Fatal(err)
		}
		if err := b.begun(t, "fourth", fresh("g", true)).Commit(ctx); err != nil {
			t.Error(err)
		}
	})
}

func TestARenameReplacesNone(t *testing.T) {
	kept(t, func(t *testing.T, b *rig) {
		ctx := t.Context()
		b.upload("a", "a")
		b.upload("b", "b")
		if err := b.RenameNew(ctx, "a", "b", false); !errors.Is(err, fs.ErrExist) {
			t.Errorf("a name that a file has: %v", err)
		}
		if err := b.RenameNew(ctx, "a", "c", true); err != nil {
			t.Error(err)
		}
		for name, want := range map[string]string{"b": "b", "c": "a"} {
			if got := readAll(t, b.View, name); got != want {
				t.Errorf("%s is %q", name, got)
			}
		}
	})
}

// Of many that store a file at once, by sending and by renaming, one succeeds.
func TestOneOfManyHasTheName(t *testing.T) {
	kept(t, func(t *testing.T, b *rig) {
		ctx := t.Context()
		const many = 8
		var ends [many]func() error
		for i := range many {
			if i%2 == 0 {
				u := b.begun(t, fmt.Sprint(i), func() (ftp.Upload, error) { return b.CreateNew(ctx, "f", 0, false) })
				ends[i] = func() error { return u.Commit(ctx) }
				continue
			}
			from := fmt.Sprint("from", i)
			b.upload(from, fmt.Sprint(i))
			ends[i] = func() error { return b.RenameNew(ctx, from, "f", false) }
		}
		var errs [many]error
		var wg sync.WaitGroup
		for i := range many {
			wg.Go(func() { errs[i] = ends[i]() })
		}
		wg.Wait()
		stored := -1
		for i, err := range errs {
			switch {
			case err == nil && stored >= 0:
				t.Errorf("%d and %d have it", stored, i)
			case err == nil:
				stored = i
			case !errors.Is(err, fs.ErrExist):
				t.Errorf("%d: %v", i, err)
			}
		}
		if got := readAll(t, b.View, "f"); got != fmt.Sprint(stored) {
			t.Errorf("%d has it, and it is %q", stored, got)
		}
	})
}

// readAll returns what a file has.
func readAll(t *testing.T, v *View, name string) string {
	t.Helper()
	r, err := v.Open(t.Context(), name, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	text, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
