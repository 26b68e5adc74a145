package crypt

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"sync"

	"ferry/remote"
)

// Stat implements remote.Remote.
func (r *Remote) Stat(ctx context.Context, name string) (remote.Entry, error) {
	p, err := r.find(name)
	if err != nil {
		return remote.Entry{}, remote.Renamed("stat", name, err)
	}
	e, err := r.stat(ctx, p)
	if err != nil {
		return remote.Entry{}, remote.Renamed("stat", name, err)
	}
	return r.seen(e, remote.BaseOf(name)), nil
}

// stat describes what is in a place, as it is below.
func (r *Remote) stat(ctx context.Context, p place) (remote.Entry, error) {
	if p.dir == "." && !r.info.Caps.CheapStat {
		defer r.second(ctx)()
	}
	e, err := r.below.Stat(ctx, p.file)
	if !p.split() || err == nil && !e.Dir || err != nil && !missing(err) {
		return e, err
	}
	if e, err = r.below.Stat(ctx, p.dir); err == nil && !e.Dir {
		err = remote.ErrNotExist // a file of the remote below that is none of ours
	}
	return e, err
}

// second asks for the root once more, the first time that it is asked for, so that there are
// connections for two requests: the first bytes from the middle of a file need its header, too.
// What it returns waits for the answer.
func (r *Remote) second(ctx context.Context) (wait func()) {
	wait = func() {}
	r.asked.Do(func() {
		var wg sync.WaitGroup
		wg.Go(func() { _, _ = r.below.Stat(ctx, ".") }) // whoever asks for the root sees what is wrong
		wait = wg.Wait
	})
	return wait
}

// List implements remote.Remote.
func (r *Remote) List(ctx context.Context, dir string) iter.Seq2[remote.Entry, error] {
	return func(yield func(remote.Entry, error) bool) {
		p, err := r.find(dir)
		if err != nil {
			yield(remote.Entry{}, remote.Renamed("list", dir, err))
			return
		}
		for e, err := range r.below.List(ctx, p.dir) {
			if err != nil {
				yield(remote.Entry{}, remote.Renamed("list", dir, r.notDir(ctx, p, err)))
				return
			}
			e, shown, err := r.listed(ctx, p, e)
			if err == nil && !shown {
				continue
			}
			if !yield(e, remote.Renamed("list", dir, err)) || err != nil {
				return
			}
		}
	}
}

// listed returns what a listing shows for an entry of the directory in below, if it shows anything.
func (r *Remote) listed(ctx context.Context, in place, e remote.Entry) (remote.Entry, bool, error) {
	if e.Part != "" && !r.keeps {
		return e, false, nil
	}
	plain, err := r.plainName(e.Name, e.Dir)
	switch {
	case err != nil && r.o.StrictNames:
		return remote.Entry{}, false, remote.Final(fmt.Errorf("%q: %w", e.Name, errNotListed))
	case errors.Is(err, errOddName):
		remote.Omitted(ctx, e.Name, remote.OmittedName)
		return e, false, nil
	case err != nil:
		remote.Omitted(ctx, e.Name, omittedKey)
		return e, false, nil
	}
	if r.o.ShowMapping {
		remote.Warn(ctx, "a name and its encrypted form (option show_mapping)", "name", plain, "encrypted", e.Name)
	}
	if e.Part != "" {
		return r.listedPart(ctx, in, e, plain)
	}
	return r.seen(e, plain), true, nil
}

// omittedKey is why entries are left out whose names cannot be decrypted.
const omittedKey = "the name is not encrypted with this password and these options"

// Remove implements remote.Remote.
func (r *Remote) Remove(ctx context.Context, name string) error {
	p, err := r.find(name)
	if err == nil {
		err = r.isDir(ctx, p, r.below.Remove(ctx, p.file))
	}
	return remote.Renamed("remove", name, err)
}

// RemoveVersion implements remote.VersionRemover.
func (r *Remote) RemoveVersion(ctx context.Context, name, version string) error {
	p, err := r.find(name)
	if err == nil {
		err = r.isDir(ctx, p, remote.Forward{Remote: r.below}.RemoveVersion(ctx, p.file, version))
	}
	return remote.Renamed("remove", name, err)
}

// Mkdir implements remote.Remote.
func (r *Remote) Mkdir(ctx context.Context, dir string) error {
	p, err := r.fits(dir)
	if err == nil && p.split() {
		if e, statErr := r.below.Stat(ctx, p.file); statErr == nil && !e.Dir {
			err = remote.ErrExist
		} else if statErr != nil && !missing(statErr) {
			err = statErr
		}
	}
	if err == nil {
		err = r.parentsAreDirs(ctx, dir)
	}
	if err == nil {
		err = r.below.Mkdir(ctx, p.dir)
	}
	return remote.Renamed("mkdir", dir, err)
}

// Rmdir implements remote.Remote.
func (r *Remote) Rmdir(ctx context.Context, dir string) error {
	p, err := r.find(dir)
	if err == nil {
		err = r.notDir(ctx, p, r.below.Rmdir(ctx, p.dir))
		r.dirs.forget()
	}
	return remote.Renamed("rmdir", dir, err)
}

// fits returns the place of something new, if a file and a directory can have that name below.
func (r *Remote) fits(name string) (place, error) {
	p, err := r.find(name)
	if err != nil || name == "." {
		return p, err
	}
	if err := remote.CheckName(r.below, p.file); err != nil {
		return p, err
	}
	if limit := r.below.Info().Caps.MaxName; limit > 0 && len(remote.BaseOf(p.file)) > limit {
		return p, remote.ErrBadName
	}
	if p.split() {
		err = remote.CheckName(r.below, p.dir)
	}
	return p, err
}
