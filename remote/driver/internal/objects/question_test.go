package objects_test

import (
	"context"
	"errors"
	"io"
	"testing"
	"testing/synctest"
	"time"

	"ferry/remote"
	"ferry/remote/driver/internal/objects"
	"ferry/remote/driver/internal/objects/objectstest"
)

// far is a store whose answers take a while.
type far struct {
	*objectstest.Flat
	head, page time.Duration
	err        error // what Head returns, if it is set
}

func (*far) wait(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

func (f *far) Head(ctx context.Context, k objects.Key) (objects.Object, error) {
	if err := errors.Join(f.wait(ctx, f.head), f.err); err != nil {
		return objects.Object{}, err
	}
	return f.Flat.Head(ctx, k)
}

func (f *far) Open(ctx context.Context, k objects.Key, off, n int64) (objects.Content, error) {
	if err := f.wait(ctx, f.head); err != nil {
		return objects.Content{}, err
	}
	return f.Flat.Open(ctx, k, off, n)
}

func (f *far) Page(ctx context.Context, k objects.Key, token string, limit int) (objects.Page, error) {
	if token == "" {
		if err := f.wait(ctx, f.page); err != nil {
			return objects.Page{}, err
		}
	}
	return f.Flat.Page(ctx, k, token, limit)
}

// Whether a name is a file or a directory is asked for at a time.
func TestFileAndDirectoryAreAskedForAtATime(t *testing.T) {
	open := func(r *objects.Tree, off int64) func(context.Context, string) error {
		return func(ctx context.Context, name string) error {
			body, err := r.Open(ctx, name, off, -1)
			if err == nil {
				_, _ = io.Copy(io.Discard, body)
				_ = body.Close()
			}
			return err
		}
	}
	for _, tt := range []struct {
		call, name string
		want       error
	}{
		{"stat", "d/file", nil},
		{"stat", "d", nil},
		{"stat", "missing", remote.ErrNotExist},
		{"stat", "both", nil},
		{"open", "d/file", nil},
		{"open", "d", remote.ErrIsDir},
		{"open", "missing", remote.ErrNotExist},
		{"open", "both", remote.ErrIsDir},
		{"part", "d/file", nil},
	} {
		t.Run(tt.call+" "+tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := &far{Flat: objectstest.NewFlat("b"), head: time.Second, page: time.Second}
				f.Set("b", "d/file", "content", time.Now())
				f.Set("b", "both", "hidden", time.Now())
				f.Set("b", "both/below", "content", time.Now())
				r := treeOf(f, 0)
				call := map[string]func(context.Context, string) error{
					"stat": func(ctx context.Context, name string) error { _, err := r.Stat(ctx, name); return err },
					"open": open(r, 0), "part": open(r, 3),
				}[tt.call]
				began := time.Now()
				if err := call(t.Context(), tt.name); !errors.Is(err, tt.want) {
					t.Errorf("%v, want %v", err, tt.want)
				}
				if took := time.Since(began); took != time.Second {
					t.Errorf("it took %v, want the time of one request", took)
				}
			})
		})
	}
}

// A question that does not matter any more is called off.
func TestAQuestionEndsWithItsAsker(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &far{Flat: objectstest.NewFlat("b"), head: time.Second, page: time.Hour, err: remote.ErrPermission}
		r := treeOf(f, 0)
		began := time.Now()
		if _, err := r.Stat(t.Context(), "file"); !errors.Is(err, remote.ErrPermission) {
			t.Error(err)
		}
		if took := time.Since(began); took != time.Second {
			t.Errorf("it took %v", took)
		}
	})
}
