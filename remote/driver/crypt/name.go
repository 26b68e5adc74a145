package crypt

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"ferry/remote"
	"ferry/remote/driver/crypt/cipher"
)

// A place is what a name is below: there may be two names, one for a file and one for a directory.
type place struct {
	file, dir string
}

// find returns the place of name, or an error without a name.
func (r *Remote) find(name string) (place, error) {
	if !remote.ValidPath(name) {
		return place{}, remote.ErrInvalid
	}
	if name == "." {
		return place{".", "."}, nil
	}
	parent, base := remote.Split(name)
	in, err := r.dirPath(parent)
	if err != nil {
		return place{}, err
	}
	file, err := r.cipher.FileName(base)
	if err != nil {
		return place{}, badName(err)
	}
	if r.cipher.SameNames() && r.versionless(base) {
		return place{remote.Join(in, file), remote.Join(in, file)}, nil
	}
	dir, err := r.cipher.DirName(base)
	if err != nil {
		return place{}, badName(err)
	}
	return place{remote.Join(in, file), remote.Join(in, dir)}, nil
}

// versionless reports whether base has the same name as a file and as a directory, provided that
// names are the same at all.
func (r *Remote) versionless(base string) bool { return !cipher.Versioned(base) }

func badName(err error) error { return fmt.Errorf("%w: %w", remote.ErrBadName, err) }

// dirPath encrypts the path of a directory.
func (r *Remote) dirPath(dir string) (string, error) {
	if dir == "." {
		return dir, nil
	}
	var b strings.Builder
	for elem := range strings.SplitSeq(dir, "/") {
		name, err := r.cipher.DirName(elem)
		if err != nil {
			return "", badName(err)
		}
		if b.Len() > 0 {
			b.WriteByte('/')
		}
		b.WriteString(name)
	}
	return b.String(), nil
}

// split reports whether a file and a directory of the name have different names below, so that
// there could be both.
func (p place) split() bool { return p.file != p.dir }

// plainPath decrypts the path of a file or directory below; false when it is none of these.
func (r *Remote) plainPath(path string, isDir bool) (string, bool) {
	if path == "." {
		return path, true
	}
	elems := strings.Split(path, "/")
	for i, e := range elems {
		plain, err := r.plainName(e, isDir || i < len(elems)-1)
		if err != nil {
			return "", false
		}
		elems[i] = plain
	}
	return strings.Join(elems, "/"), true
}

// plainName decrypts one element of a path.
func (r *Remote) plainName(name string, isDir bool) (plain string, err error) {
	if isDir {
		plain, err = r.cipher.PlainDir(name)
	} else {
		plain, err = r.cipher.PlainFile(name)
	}
	if err == nil && !remote.ValidName(plain) {
		err = errOddName
	}
	return plain, err
}

var errOddName = errors.New(remote.OmittedName)

// seen changes an entry below into what is seen here, under the name base.
func (r *Remote) seen(e remote.Entry, base string) remote.Entry {
	e.Name = base
	if r.o.PlainData || e.Dir {
		return e
	}
	e.Digest = ""
	if size, ok := cipher.PlainSize(e.Size); ok {
		e.Size = size
	} else {
		e.Size = -1
	}
	return e
}

// notDir explains why the directory of a place cannot be listed or removed: it may be a file.
func (r *Remote) notDir(ctx context.Context, p place, err error) error {
	if !p.split() || !errors.Is(err, remote.ErrNotExist) {
		return err
	}
	if e, fileErr := r.below.Stat(ctx, p.file); fileErr == nil && !e.Dir {
		return remote.ErrNotDir
	}
	return err
}

// isDir explains why the file of a place cannot be read or removed: it may be a directory.
func (r *Remote) isDir(ctx context.Context, p place, err error) error {
	if !p.split() || !errors.Is(err, remote.ErrNotExist) {
		return err
	}
	if e, dirErr := r.below.Stat(ctx, p.dir); dirErr == nil && e.Dir {
		return remote.ErrIsDir
	}
	return err
}

// free returns an error if a directory that is called name, or a file that is called as a directory
// above it, keeps a file from being stored as name, where the remote below would not see that.
func (r *Remote) free(ctx context.Context, name string, p place) error {
	if p.split() {
		if err := r.noDir(ctx, p.dir); err != nil {
			return err
		}
	}
	return r.parentsAreDirs(ctx, name)
}

// noDir returns ErrIsDir if there is a directory called dir below. Some remotes know that without
// a request.
func (r *Remote) noDir(ctx context.Context, dir string) error {
	err := remote.CheckTarget(ctx, r.below, dir)
	if err == nil || errors.Is(err, remote.ErrIsDir) {
		return err
	}
	e, err := r.below.Stat(ctx, dir)
	switch {
	case err == nil && e.Dir:
		return remote.ErrIsDir
	case err != nil && !missing(err):
		return err
	}
	return nil
}

// parentsAreDirs returns ErrNotDir if there is a file in the place of a directory above name, where
// the remote below makes directories by itself.
func (r *Remote) parentsAreDirs(ctx context.Context, name string) error {
	if !r.info.Caps.ImplicitDirs || r.cipher.SameNames() {
		return nil
	}
	for dir, _ := remote.Split(name); dir != "."; dir, _ = remote.Split(dir) {
		if r.dirs.has(dir) {
			return nil
		}
		p, err := r.find(dir)
		if err != nil {
			return err
		}
		e, err := r.below.Stat(ctx, p.file)
		switch {
		case err == nil && !e.Dir:
			return remote.ErrNotDir
		case err != nil && !missing(err):
			return err
		}
		defer r.dirs.add(dir)
	}
	return nil
}

func missing(err error) bool {
	return errors.Is(err, remote.ErrNotExist) || errors.Is(err, remote.ErrNotDir) || errors.Is(err, remote.ErrBadName)
}

// knownDirs are directories in whose places there was no file a short while ago.
type knownDirs struct {
	mu   sync.Mutex
	seen map[string]time.Time // guarded by mu
}

const (
	knownDirTime = 2 * time.Minute
	maxKnownDirs = 10_000
)

func (k *knownDirs) has(dir string) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	at, ok := k.seen[dir]
	return ok && time.Since(at) < knownDirTime
}

func (k *knownDirs) add(dir string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.seen == nil || len(k.seen) >= maxKnownDirs {
		k.seen = map[string]time.Time{}
	}
	k.seen[dir] = time.Now()
}

// forget takes out all: a file may have come in the place of a directory.
func (k *knownDirs) forget() {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.seen = nil
}
