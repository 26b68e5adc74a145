package vfs

import (
	"context"
	"errors"
	"io/fs"
	"strings"
	"testing"

	"ferry/remote/wrap/faulty"
)

func TestWhatMayNotBeMadeIsRefusedBeforeItIsSent(t *testing.T) {
	refused := errors.New("refused")
	b := newBehind(t, Options{AllowCreate: func(_ context.Context, name string, dir bool) error {
		if !dir && strings.HasSuffix(name, ".tmp") || dir && strings.HasSuffix(name, ".d") {
			return refused
		}
		return nil
	}})
	b.put("f")
	ctx := t.Context()
	if err := b.Mkdir(ctx, "dir"); err != nil {
		t.Fatal(err)
	}
	asked := b.asked(faulty.Stage, func() {
		if _, err := b.Create(ctx, "f.tmp", 0); !errors.Is(err, refused) {
			t.Errorf("Create: %v", err)
		}
	})
	asked += b.asked(faulty.Move, func() {
		if err := b.Rename(ctx, "f", "f.tmp"); !errors.Is(err, refused) {
			t.Errorf("Rename: %v", err)
		}
	})
	asked += b.asked(faulty.Mkdir, func() {
		if err := b.Mkdir(ctx, "x.d"); !errors.Is(err, refused) {
			t.Errorf("Mkdir: %v", err)
		}
	})
	if asked != 0 {
		t.Error("the remote was asked")
	}
	if err := b.Rename(ctx, "dir", "dir.tmp"); err != nil {
		t.Errorf("Rename of a directory to a name that only files may not have: %v", err)
	}
	if err := b.Rename(ctx, "none", "f2"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("Rename of nothing: %v", err)
	}
}
