package onedrive

import (
	"context"
	"errors"
	"strings"

	"ferry/remote"
	"ferry/remote/nameenc"
)

// look finds the item called name, also where a process was killed while it replaced it.
func (r *Remote) look(ctx context.Context, name string) (*found, error) {
	f, err := r.lookTwice(ctx, name)
	if errors.Is(err, remote.ErrNotExist) && r.asides.possible(name) {
		return r.restore(ctx, name, err)
	}
	return f, err
}

// lookTwice finds the item called name, and looks once more where it may just have been replaced in
// two steps.
func (r *Remote) lookTwice(ctx context.Context, name string) (*found, error) {
	folded := strings.ToLower(name)
	before, busy := r.replaced.Load(), r.names.Busy(folded)
	f, err := r.find(ctx, name)
	if !errors.Is(err, remote.ErrNotExist) || !busy && !r.names.Busy(folded) && r.replaced.Load() == before {
		return f, err
	}
	release, lockErr := r.names.Look(ctx, folded)
	if lockErr != nil {
		return nil, lockErr
	}
	defer release()
	return r.find(ctx, name)
}

// aside finds the file that stepped aside from name.
func (r *Remote) aside(ctx context.Context, name string) (*found, error) {
	dir, base := remote.Split(name)
	at := remote.Join(dir, asideOf(base))
	if !r.canStepAside(name) {
		return nil, remote.ErrNotExist
	}
	f, err := r.ask(ctx, at, r.at(at))
	if err == nil && f.item.isDir() {
		return nil, remote.ErrNotExist
	}
	return f, err
}

// dropAside removes what stepped aside from name, if anything did: the name is taken.
func (r *Remote) dropAside(ctx context.Context, name string) error {
	f, err := r.aside(ctx, name)
	if err == nil {
		err = r.delete(ctx, f.self, f.item.ETag)
	}
	if errors.Is(err, remote.ErrNotExist) || errors.Is(err, remote.ErrChanged) {
		return nil
	}
	return err
}

// restore returns the file called name, which was not found, if it is aside.
func (r *Remote) restore(ctx context.Context, name string, missing error) (*found, error) {
	_, err := r.aside(ctx, name)
	switch {
	case errors.Is(err, remote.ErrNotExist):
		return nil, missing
	case err != nil:
		return nil, err
	}
	return r.finishReplacement(ctx, name)
}

// finishReplacement ends a replacement that was interrupted: what is aside gets its name back, or
// is removed if that is taken. It returns the file called name, and waits for another process that
// is still replacing it.
func (r *Remote) finishReplacement(ctx context.Context, name string) (*found, error) {
	release, err := r.names.Change(ctx, strings.ToLower(name)) // this process may be at it
	if err != nil {
		return nil, err
	}
	defer release()
	for wait := r.gap; ; wait = 0 {
		f, err := r.find(ctx, name)
		if err == nil && !f.item.isDir() {
			if err := r.dropAside(ctx, name); err != nil {
				remote.Warn(ctx, "a file that was replaced is left over", "name", name, "error", err)
			}
		}
		if !errors.Is(err, remote.ErrNotExist) {
			return f, err
		}
		if wait == 0 {
			break
		}
		if err := remote.Sleep(ctx, wait); err != nil {
			return nil, err
		}
	}
	if err := r.renameBack(ctx, name); err != nil {
		return nil, err
	}
	return r.find(ctx, name)
}

// renameBack gives what is aside its name back, if nobody else was faster.
func (r *Remote) renameBack(ctx context.Context, name string) error {
	aside, err := r.aside(ctx, name)
	if errors.Is(err, remote.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	base, ok := asideFrom(r.opt.Encoding.Decode(aside.item.Name))
	if !ok {
		return remote.ErrMalformed
	}
	goes := place{aside.item.Parent.ID, r.opt.Encoding.Encode(base)}
	_, err = r.renameAt(ctx, aside.self, aside.item.ETag, goes, "")
	switch {
	case err == nil:
		remote.Warn(ctx, "a replacement was not ended, the old file has its name again", "name", name)
	case errors.Is(err, remote.ErrExist), errors.Is(err, remote.ErrChanged), errors.Is(err, remote.ErrNotExist):
		return nil
	}
	return err
}

// dropReplaced removes what the file called name has replaced, if a process was killed before it
// did. It is called before the file is removed or renamed: else the old one would come back.
func (r *Remote) dropReplaced(ctx context.Context, name string) error {
	if !r.asides.possible(name) {
		return nil
	}
	return r.dropAside(ctx, name)
}

// canStepAside reports whether there is room for a mark behind a name.
func (r *Remote) canStepAside(name string) bool {
	dir, base := remote.Split(name)
	at := r.encode(remote.Join(dir, asideOf(base)))
	_, last := remote.Split(at)
	return !cannotBe(last) && nameenc.UTF16Len(at)+nameenc.UTF16Len(r.below)+1 <= maxPath
}
