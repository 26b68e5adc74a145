package objects

import (
	"context"
	"errors"
	"strings"

	"ferry/remote"
)

// file is key for an operation that concerns a file that is there.
func (t *Tree) file(ctx context.Context, op, name string) (Key, error) {
	k, err := t.key(ctx, op, name)
	if err != nil || !t.isRoot(k) && !t.isBucket(k) {
		return k, err
	}
	if t.isBucket(k) || op == "open" {
		err = t.reach(ctx, k)
	}
	if err == nil {
		err = remote.ErrIsDir
	}
	return k, fail(ctx, op, name, err)
}

// target is key for an operation that stores a file.
func (t *Tree) target(ctx context.Context, op, name string) (Key, error) {
	k, err := t.file(ctx, op, name)
	if err == nil && !k.HasObject() {
		err = fail(ctx, op, name, ErrNoObject)
	}
	if t.isBucket(k) && errors.Is(err, remote.ErrNotExist) {
		err = fail(ctx, op, name, errBesideBuckets)
	}
	return k, err
}

// reach asks whether the root, or a bucket, is there. No key below it has to be.
func (t *Tree) reach(ctx context.Context, k Key) error {
	if k.Bucket == "" {
		_, err := t.buckets.PageBuckets(ctx, "")
		return err
	}
	k.Name = strings.TrimSuffix(k.Name, "/")
	empty, err := t.dirs.Empty(ctx, k)
	if err != nil || !empty || k.Name == "" {
		return err
	}
	if o, err := t.store.Head(ctx, k); err == nil && !o.Dir {
		return remote.ErrNotDir
	}
	return nil
}

// errBesideBuckets refuses a file beside the buckets, where there are only directories.
var errBesideBuckets error = besideError{}

type besideError struct{}

func (besideError) Error() string { return "files are kept in buckets only, make a directory first" }

func (besideError) Unwrap() []error { return []error{remote.ErrPermission, remote.ErrIsDir} }
