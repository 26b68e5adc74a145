package combine_test

import (
	"context"
	"errors"
	"io/fs"
	"reflect"
	"strings"
	"testing"

	"ferry/remote"
	"ferry/remote/driver/memory"
)

// TestNoAbilityIsLost: what a decorator passes on, a tree passes on too.
func TestNoAbilityIsLost(t *testing.T) {
	tree := reflect.TypeOf(newTree(t, up("a", memory.New())))
	forward := reflect.TypeFor[remote.Forward]()
	for i := range forward.NumMethod() {
		name := forward.Method(i).Name
		if _, ok := tree.MethodByName(name); !ok && name != "Unwrap" {
			t.Errorf("%v has no method %s", tree, name)
		}
	}
}

// knowing is a remote that knows its targets without being looked at.
type knowing struct {
	remote.Remote
	asked *[]string
}

func (k knowing) CheckTarget(_ context.Context, name string) error {
	*k.asked = append(*k.asked, name)
	if dir, _ := remote.Split(name); dir == "file" {
		return &fs.PathError{Op: "checktarget", Path: name, Err: remote.ErrNotDir}
	}
	return nil
}

// changed is a remote with other abilities, and perhaps without a root.
type changed struct {
	remote.Remote
	caps   remote.Caps
	noRoot bool
}

func (c changed) Info() remote.Info { return remote.Info{Name: "changed:", Caps: c.caps} }

func (c changed) Stat(ctx context.Context, name string) (remote.Entry, error) {
	if c.noRoot {
		return remote.Entry{}, &fs.PathError{Op: "stat", Path: name, Err: remote.ErrNotExist}
	}
	return c.Remote.Stat(ctx, name)
}

func TestCheckTarget(t *testing.T) {
	ctx := t.Context()
	var asked []string
	r := newTree(t, up("keys", knowing{memory.New(), &asked}), up("files", memory.New()),
		up("fixed", changed{Remote: memory.New(), caps: remote.Caps{ReadOnly: true}}),
		up("late", changed{Remote: memory.New(), noRoot: true}),
		up("silent", changed{Remote: memory.New(), caps: remote.Caps{ImplicitDirs: true}}))
	defer r.Close()
	if err := r.Mkdir(ctx, "files/dir"); err != nil {
		t.Fatal(err)
	}
	if _, err := r.Put(ctx, "files/file", strings.NewReader("x"), remote.PutOptions{}); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]error{
		"keys/a/b":       nil,
		"keys/file/b":    remote.ErrNotDir,
		"files/new":      nil,
		"files/file":     nil,
		"files/dir/new":  nil,
		"files/dir":      remote.ErrIsDir,
		"files/file/new": remote.ErrNotDir,
		"files/no/new":   remote.ErrNotExist,
		"fixed/new":      remote.ErrPermission,
		"late/new":       remote.ErrUnsupported,
		"silent/no/new":  remote.ErrUnsupported,
		"files":          remote.ErrIsDir,
		".":              remote.ErrIsDir,
		"new":            remote.ErrPermission,
		"no/new":         remote.ErrNotExist,
		"../x":           remote.ErrInvalid,
	} {
		err := remote.CheckTarget(ctx, r, name)
		var pe *fs.PathError
		if want == nil && err != nil || !errors.Is(err, want) || err != nil && (!errors.As(err, &pe) || pe.Path != name) {
			t.Errorf("CheckTarget(%s) = %v, want %v", name, err, want)
		}
	}
	if got := strings.Join(asked, " "); len(asked) != 2 || !strings.Contains(got, "a/b") || !strings.Contains(got, "file/b") {
		t.Errorf("the upstream that knows was asked for %q", got)
	}
}
