package objects

import (
	"context"
	"strings"

	"ferry/remote"
	"ferry/remote/partname"
)

// key is what every operation begins with: it refuses names that are not valid or cannot be held.
func (t *Tree) key(ctx context.Context, op, name string) (Key, error) {
	if err := remote.Check(ctx, name); err != nil {
		return Key{}, fail(ctx, op, name, err)
	}
	k := Key{Bucket: t.bucket, Name: t.prefix}
	if name == "." {
		return k, nil
	}
	rest := name
	if t.bucket == "" {
		k.Bucket, rest, _ = strings.Cut(name, "/")
		if rest == "" && t.config.Holds(k) {
			return k, nil
		}
	}
	path, err := t.names.Path(rest)
	if err == nil && (Ours(path) || !t.holds(rest, Key{k.Bucket, k.Name + path})) {
		err = remote.ErrBadName
	}
	if err != nil {
		return Key{}, fail(ctx, op, name, err)
	}
	k.Name += path
	return k, nil
}

// CheckName implements remote.NameChecker.
func (t *Tree) CheckName(name string) error {
	_, err := t.key(context.Background(), "checkname", name)
	return err
}

// Key returns the key of a name, as every operation that begins with the name sees it.
func (t *Tree) Key(ctx context.Context, op, name string) (Key, error) { return t.key(ctx, op, name) }

// holds reports whether the store can hold name as k, and the marker of a directory of that name.
func (t *Tree) holds(name string, k Key) bool {
	return !remote.AnyElem(name, t.hides) && t.config.Holds(k)
}

// hides reports whether an object called elem is no file, but part of an upload.
func (t *Tree) hides(elem string) bool { return !t.config.Visible && partname.Hidden(elem) }

// ObjectName implements remote.ObjectNamer.
func (t *Tree) ObjectName(bucket, key string) (string, bool) {
	var elems []string
	if t.bucket == "" {
		if !remote.ValidName(bucket) {
			return "", false
		}
		elems = append(elems, bucket)
	} else if bucket != t.bucket {
		return "", false
	}
	if key != "" {
		rest, ok := strings.CutPrefix(key, t.prefix)
		if !ok || Ours(rest) {
			return "", false
		}
		for raw := range strings.SplitSeq(rest, "/") {
			elem, ok := t.names.Name(raw)
			if !ok || t.hides(elem) {
				return "", false
			}
			elems = append(elems, elem)
		}
	}
	if len(elems) == 0 {
		return ".", true
	}
	return strings.Join(elems, "/"), true
}

// isRoot reports whether k is the root of the tree.
func (t *Tree) isRoot(k Key) bool { return k.Bucket == t.bucket && k.Name == t.prefix }

// isBucket reports whether k is a bucket as a directory, which is no object and has no marker.
func (t *Tree) isBucket(k Key) bool { return t.bucket == "" && k.Name == "" }

// inside returns the beginning of the keys in the directory k.
func (t *Tree) inside(k Key) Key {
	if !t.isRoot(k) {
		k.Name = k.Prefix()
	}
	return k
}

// fail wraps err, unless it is nil. When ctx has ended, that is the reason.
func fail(ctx context.Context, op, name string, err error) error {
	if err != nil && ctx.Err() != nil {
		err = context.Cause(ctx)
	}
	return remote.Fail(op, name, err)
}
