package chunker

import (
	"context"
	"io/fs"
	"iter"
	"time"

	"ferry/remote"
)

// Move implements remote.Mover. A file in chunks is copied on the far side, and the original
// removed, as no storage renames several files in one step.
func (r *Remote) Move(ctx context.Context, from, to string) error {
	if err := r.checked(to); err != nil {
		return remote.Renamed("move", to, err)
	}
	f, err := r.find(ctx, from)
	switch {
	case err != nil:
		return remote.Renamed("move", from, err)
	case f.entry.Dir:
		return remote.Renamed("move", from, remote.Move(ctx, r.below, from, to))
	case from == to:
		return nil
	case f.rec != nil:
		return remote.Renamed("move", from, remote.ErrUnsupported) // remote.Move copies and removes
	}
	release, err := r.paths.Change(ctx, to)
	if err != nil {
		return remote.Renamed("move", from, err)
	}
	defer release()
	old := r.replaced(ctx, to)
	if err := remote.Move(ctx, r.below, from, to); err != nil {
		return remote.Renamed("move", from, err)
	}
	r.discard(ctx, old)
	return nil
}

// RemoveVersion implements remote.VersionRemover.
func (r *Remote) RemoveVersion(ctx context.Context, name, version string) error {
	release, err := r.paths.Change(ctx, name)
	if err != nil {
		return remote.Renamed("remove", name, err)
	}
	defer release()
	f, err := r.find(ctx, name)
	if err == nil {
		err = remote.RemoveVersion(ctx, r.below, name, remote.Entry{Version: version, Size: -1})
	}
	if err != nil {
		return remote.Renamed("remove", name, err)
	}
	r.discard(ctx, f)
	return nil
}

// SetsTimes implements remote.TimeTeller.
func (r *Remote) SetsTimes() bool { return remote.SetsTimes(r.below) }

// SetModTime implements remote.ModTimer.
func (r *Remote) SetModTime(ctx context.Context, name string, t time.Time) error {
	f, err := r.find(ctx, name)
	if err == nil && f.rec != nil && r.o.NoRecords {
		err = remote.ErrUnsupported
	}
	if err == nil {
		err = remote.SetModTime(ctx, r.below, name, t)
	}
	return remote.Renamed("setmodtime", name, err)
}

// SetMode implements remote.Moder.
func (r *Remote) SetMode(ctx context.Context, name string, perm fs.FileMode) error {
	if r.hidden(name) {
		return remote.Renamed("setmode", name, remote.ErrNotExist)
	}
	return remote.Renamed("setmode", name, remote.SetMode(ctx, r.below, name, perm))
}

// CheckTime implements remote.TimeChecker.
func (r *Remote) CheckTime(name string, t time.Time) error { return remote.CheckTime(r.below, name, t) }

// Hash implements remote.Hasher: what the record tells, or for a file in one piece what the remote
// below does.
func (r *Remote) Hash(ctx context.Context, name, algorithm string) ([]byte, error) {
	f, err := r.find(ctx, name)
	switch {
	case err != nil:
	case f.entry.Dir:
		err = remote.ErrIsDir
	case f.rec == nil:
		var sum []byte
		sum, err = remote.Hash(ctx, r.below, name, algorithm)
		return sum, remote.Renamed("hash", name, err)
	case f.rec.sum(algorithm) == nil:
		err = remote.ErrUnsupported
	default:
		return f.rec.sum(algorithm), nil
	}
	return nil, remote.Renamed("hash", name, err)
}

// CheckTarget implements remote.TargetChecker.
func (r *Remote) CheckTarget(ctx context.Context, name string) error {
	err := r.checked(name)
	if err == nil {
		err = remote.CheckTarget(ctx, r.below, name)
	}
	return remote.Renamed("checktarget", name, err)
}

// Usage implements remote.Usager.
func (r *Remote) Usage(ctx context.Context) (remote.Usage, error) {
	return remote.GetUsage(ctx, r.below)
}

// SweepParts implements remote.PartSweeper.
func (r *Remote) SweepParts(ctx context.Context) error { return remote.SweepParts(ctx, r.below) }

// Watch implements remote.Watcher. A change of a chunk is one of its file.
func (r *Remote) Watch(ctx context.Context, interval time.Duration) iter.Seq2[remote.Change, error] {
	return func(yield func(remote.Change, error) bool) {
		w, ok := remote.AsWatcher(r.below)
		if !ok {
			yield(remote.Change{}, remote.Renamed("watch", ".", remote.ErrUnsupported))
			return
		}
		for c, err := range w.Watch(ctx, interval) {
			dir, base := remote.Split(c.Name)
			if n, ok := r.names.parse(base); ok {
				c = remote.Change{Name: remote.Join(dir, n.base)}
			} else if !c.Dir {
				c.Version = ""
			}
			if !yield(c, err) || err != nil {
				return
			}
		}
	}
}
