package objects

import (
	"context"
	"fmt"
	"strings"
	"time"

	"ferry/remote"
	"ferry/remote/nameenc"
	"ferry/remote/partname"
)

// Names says how the elements of names are spelled in keys, and which keys have a name.
//
// Some keys that other programs store lead to no name: those with an empty element (a//b, and /a at
// the top), with . or .. as an element, or with one that is spelled otherwise than the encoding
// does. Without Odd they have none. With Odd such an element is called odd=ELEMENT=, where ELEMENT
// is as the key spells it: a//b is a/odd==/b. So that nothing has the name of something else, an
// element that looks like that itself is escaped too, and is called odd=odd=x==; no other name that
// looks like that can be made.
type Names struct {
	Encoding nameenc.Encoding
	Odd      bool
}

const (
	oddPrefix = "odd="
	oddSuffix = "="
)

// nothing stands in Key.Name for a last element that is empty, as in odd==. The Name of its
// directory would be the same without, or the beginning of all keys. No object has such a key: the
// one with nothing at its place is the marker of the directory above.
const nothing = "\x00"

// unescaped returns what is in the escape that name looks like.
func unescaped(name string) (raw string, ok bool) {
	if raw, ok = strings.CutPrefix(name, oddPrefix); ok {
		raw, ok = strings.CutSuffix(raw, oddSuffix)
	}
	return raw, ok
}

// Name returns what an element of a key is called, unless it has no name.
func (n Names) Name(raw string) (name string, ok bool) {
	name = n.Encoding.Decode(raw)
	ok = remote.ValidName(name) && remote.ValidName(raw) && n.Encoding.Encode(name) == raw
	if !n.Odd {
		return name, ok
	}
	if _, looks := unescaped(name); ok && !looks {
		return name, true
	}
	name = oddPrefix + raw + oddSuffix
	return name, remote.ValidName(name) && !partname.Hidden(raw)
}

// elem returns how a key spells an element of a name.
func (n Names) elem(name string) (raw string, ok bool) {
	if !n.Odd {
		return n.Encoding.Encode(name), true
	}
	raw, looks := unescaped(name)
	if !looks {
		return n.Encoding.Encode(name), true
	}
	back, ok := n.Name(raw)
	return raw, ok && back == name
}

// Path returns how a key spells a path, as Key.Name, or remote.ErrBadName where there can be no
// such name.
func (n Names) Path(path string) (string, error) {
	elems := strings.Split(path, "/")
	for i, name := range elems {
		raw, ok := n.elem(name)
		if !ok {
			return "", &escapeError{name}
		}
		elems[i] = raw
	}
	if last := len(elems) - 1; elems[last] == "" {
		elems[last] = nothing
	}
	return strings.Join(elems, "/"), nil
}

// An escapeError says that a name looks like an escape, and is none.
type escapeError struct{ name string }

func (e *escapeError) Error() string { return fmt.Sprintf("%q %s", e.name, escapeReason) }

// Hint is what an FTP client is told.
func (e *escapeError) Hint() string { return "A name that " + escapeReason + "." }

const escapeReason = "begins with odd= and ends with = stands for a key that is no path (--vfs-odd-names): use another name"

func (e *escapeError) Unwrap() error { return remote.ErrBadName }

// Prefix returns what the keys of all that is in the directory k begin with.
func (k Key) Prefix() string {
	if k.Name == "" {
		return ""
	}
	return strings.TrimSuffix(k.Name, nothing) + "/"
}

// below returns the key of elem in the directory k.
func (k Key) below(elem string) Key {
	if elem == "" {
		elem = nothing
	}
	return Key{k.Bucket, k.Prefix() + elem}
}

// above returns the directory that k is in, and the element that k is there.
func above(k Key) (Key, string) {
	i := strings.LastIndexByte(k.Name, '/')
	parent := Key{k.Bucket, k.Name[:max(i, 0)]}
	if i == 0 || i > 0 && k.Name[i-1] == '/' {
		parent.Name += nothing
	}
	return parent, k.Name[i+1:]
}

// HasObject reports whether there can be an object k.
func (k Key) HasObject() bool { return k.Name != "" && !strings.HasSuffix(k.Name, nothing) }

// ErrNoObject is remote.ErrBadName for a file whose key would be that of the marker of its
// directory.
var ErrNoObject error = noObjectError{}

type noObjectError struct{}

func (noObjectError) Error() string {
	return "an object of that name would stand for the directory that it is in: use another name"
}

// Hint is what an FTP client is told.
func (noObjectError) Hint() string { return "Only a directory can have this name." }

func (noObjectError) Unwrap() error { return remote.ErrBadName }

// onlyObjects is a store that is not asked for what cannot be there.
type onlyObjects struct{ Store }

func (s onlyObjects) Head(ctx context.Context, k Key) (Object, error) {
	if !k.HasObject() {
		return Object{}, remote.ErrNotExist
	}
	return s.Store.Head(ctx, k)
}

func (s onlyObjects) Open(ctx context.Context, k Key, off, n int64) (Content, error) {
	if !k.HasObject() {
		return Content{}, remote.ErrNotExist
	}
	return s.Store.Open(ctx, k, off, n)
}

func (s onlyObjects) Create(ctx context.Context, k Key, o CreateOptions) (Draft, error) {
	if !k.HasObject() {
		return nil, ErrNoObject
	}
	return s.Store.Create(ctx, k, o)
}

func (s onlyObjects) Copy(ctx context.Context, from Key, o Object, to Key) (string, error) {
	switch {
	case !from.HasObject():
		return "", remote.ErrNotExist
	case !to.HasObject():
		return "", ErrNoObject
	}
	return s.Store.Copy(ctx, from, o, to)
}

func (s onlyObjects) Delete(ctx context.Context, k Key, version string) error {
	if !k.HasObject() {
		return remote.ErrNotExist
	}
	return s.Store.Delete(ctx, k, version)
}

func (s onlyObjects) SetModTime(ctx context.Context, k Key, t time.Time) error {
	if !k.HasObject() {
		return remote.ErrNotExist
	}
	return s.Store.SetModTime(ctx, k, t)
}

func (s onlyObjects) Hash(ctx context.Context, k Key, algorithm string) ([]byte, error) {
	if !k.HasObject() {
		return nil, remote.ErrNotExist
	}
	return s.Store.Hash(ctx, k, algorithm)
}
