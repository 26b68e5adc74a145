package writeback

import (
	"context"
	"errors"
	"io/fs"

	"ferry/cache"
	"ferry/remote"
)

// Part implements remote.Stager.
func (v *Tree) Part(ctx context.Context, name, owner string) (remote.Entry, error) {
	if err := v.checkPart(ctx, "part", name, owner); err != nil {
		return remote.Entry{}, err
	}
	p, err := v.store.Part(name, owner)
	if errors.Is(err, fs.ErrNotExist) && v.showsRemoteParts() {
		return v.stager.Part(ctx, name, owner)
	}
	return partEntry(p), pathError("part", name, err)
}

// DropPart implements remote.Stager.
func (v *Tree) DropPart(ctx context.Context, name, owner string) error {
	if err := v.checkPart(ctx, "droppart", name, owner); err != nil {
		return err
	}
	err := v.store.DropPart(name, owner)
	if errors.Is(err, fs.ErrNotExist) && v.showsRemoteParts() {
		return v.stager.DropPart(ctx, name, owner)
	}
	return pathError("droppart", name, err)
}

func (v *Tree) checkPart(ctx context.Context, op, name, owner string) error {
	if !remote.ValidOwner(owner) {
		return &fs.PathError{Op: op, Path: name, Err: remote.ErrInvalid}
	}
	return v.check(ctx, op, name)
}

// LocalParts returns the unfinished uploads in dir that are kept on the local disk, and whether the
// remote may have others.
func (v *Tree) LocalParts(dir string) (parts []remote.Entry, others bool) {
	for _, p := range v.store.PartsIn(dir) {
		parts = append(parts, partEntry(p))
	}
	return parts, v.showsRemoteParts()
}

// keepsPart reports whether the unfinished upload is on the local disk.
func (v *Tree) keepsPart(name, owner string) bool {
	_, err := v.store.Part(name, owner)
	return err == nil
}

// partEntry describes an unfinished upload as List and Part do.
func partEntry(p cache.PartInfo) remote.Entry {
	_, base := remote.Split(p.Name)
	return remote.Entry{Name: base, Size: p.Size, ModTime: p.ModTime, Part: p.Owner}
}

// showsRemoteParts reports whether the remote's unfinished uploads belong to this tree: only if
// uploads are passed through to it.
func (v *Tree) showsRemoteParts() bool { return v.mode == Minimal && v.remoteKeepsParts() }

// remoteKeepsParts reports whether the remote itself keeps unfinished uploads.
func (v *Tree) remoteKeepsParts() bool { return v.stager != nil && !v.caps.NoParts }

// dropRemotePart discards the owner's part of name on the remote, if it would be shown. It is too
// late to return an error: the part expires.
func (v *Tree) dropRemotePart(name, owner string) {
	if owner == "" || !v.showsRemoteParts() {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), v.breaker.Wait())
	defer cancel()
	if err := v.stager.DropPart(ctx, name, owner); err != nil && !errors.Is(err, fs.ErrNotExist) {
		v.log.Warn("an unfinished upload could not be removed", "path", name, "error", err)
	}
}
