package vfs_test

import (
	"context"
	"errors"
	"io"
	"iter"
	"testing"
	"time"

	"ferry/remote"
	"ferry/remote/driver/memory"
	"ferry/vfs"
)

// unreliable is a remote whose calls fail where an error is set.
type unreliable struct {
	*memory.Remote
	stat, part, list, publish error
}

func (u *unreliable) Stat(ctx context.Context, name string) (remote.Entry, error) {
	if u.stat != nil {
		return remote.Entry{}, u.stat
	}
	return u.Remote.Stat(ctx, name)
}

func (u *unreliable) Part(ctx context.Context, name, owner string) (remote.Entry, error) {
	if u.part != nil {
		return remote.Entry{}, u.part
	}
	return u.Remote.Part(ctx, name, owner)
}

func (u *unreliable) List(ctx context.Context, dir string) iter.Seq2[remote.Entry, error] {
	return func(yield func(remote.Entry, error) bool) {
		for e, err := range u.Remote.List(ctx, dir) {
			if !yield(e, err) {
				return
			}
		}
		if u.list != nil {
			yield(remote.Entry{}, u.list)
		}
	}
}

func (u *unreliable) Stage(ctx context.Context, name string, o remote.StageOptions) (remote.Stage, error) {
	s, err := u.Remote.Stage(ctx, name, o)
	return unreliableStage{s, u}, err
}

type unreliableStage struct {
	remote.Stage
	u *unreliable
}

func (s unreliableStage) Commit(ctx context.Context, modTime time.Time) (remote.Entry, error) {
	if s.u.publish != nil {
		return remote.Entry{}, s.u.publish
	}
	return s.Stage.Commit(ctx, modTime)
}

func newUnreliable() (*unreliable, *vfs.View) {
	u := &unreliable{Remote: memory.New()}
	return u, vfs.New(u, vfs.Options{}).View("bob")
}

func TestACommitThatFailsLeavesTheOldContentAndKeepsTheUpload(t *testing.T) {
	r, v := newUnreliable()
	upload(t, v, "f", "old", 0)
	r.publish = errRemote
	u, err := v.Create(t.Context(), "f", 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(u, "new con"); err != nil {
		t.Fatal(err)
	}
	wantErr(t, u.Commit(t.Context()), errRemote, "")
	u.Abort()
	if got := content(t, v, "f"); got != "old" {
		t.Errorf("got %q", got)
	}
	r.publish = nil
	upload(t, v, "f", "tent", 7)
	if got := content(t, v, "f"); got != "new content" {
		t.Errorf("the upload was not kept: %q", got)
	}
}

func TestUnreachableIsNotMissing(t *testing.T) {
	ctx := t.Context()
	r, v := newUnreliable()
	cut(t, v, "f", "12", 0)
	wantUnreachable := func(what string, err error) {
		t.Helper()
		if !errors.Is(err, errRemote) || errors.Is(err, remote.ErrNotExist) {
			t.Errorf("%s: got %v", what, err)
		}
	}
	r.part = errRemote
	_, err := v.Stat(ctx, "f")
	wantUnreachable("Stat, the part unknown", err)
	_, err = v.Create(ctx, "f", 2)
	wantUnreachable("Create, the part unknown", err)
	wantUnreachable("Remove, the part unknown", v.Remove(ctx, "f"))

	r.part, r.stat = nil, errRemote
	_, err = v.Stat(ctx, "f")
	wantUnreachable("Stat", err)
	_, err = v.Create(ctx, "f", vfs.AtEnd)
	wantUnreachable("Create", err)
	for _, err = range v.List(ctx, ".") {
		if err != nil {
			break
		}
	}
	wantUnreachable("List, the file of the part unknown", err)
	streamed := vfs.New(whole{r}, vfs.Options{}).View("bob")
	_, err = streamed.Create(ctx, "f", 0)
	wantUnreachable("Create without staging", err)
}

func TestAListingThatFailsUnderWayEndsInItsError(t *testing.T) {
	r, v := newUnreliable()
	upload(t, v, "a", "", 0)
	upload(t, v, "b", "", 0)
	r.list = errRemote
	var (
		entries int
		last    error
	)
	for info, err := range v.List(t.Context(), ".") {
		if err == nil && info != nil {
			entries++
		}
		last = err
	}
	if entries != 2 || !errors.Is(last, errRemote) {
		t.Errorf("%d entries, then %v", entries, last)
	}
	for range v.List(t.Context(), ".") {
		break // a caller may stop at any time
	}
}
