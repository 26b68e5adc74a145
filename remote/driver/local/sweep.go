package local

import (
	"context"
	"math/rand/v2"
	"time"

	"ferry/remote"
	"ferry/remote/partname"
)

// maxPending bounds the memory for directories that are still to be looked at.
const maxPending = 100_000

// SweepParts implements remote.PartSweeper. It looks at one directory at a time, and follows no
// links.
func (r *Remote) SweepParts(ctx context.Context) error {
	if r.o.PartMaxAge <= 0 {
		return nil
	}
	pending := []string{"."}
	for len(pending) > 0 {
		last := len(pending) - 1
		dir, begun := pending[last], time.Now()
		var err error
		pending, err = r.sweepDir(ctx, dir, pending[:last])
		if err == nil || dir != "." { // others are gone meanwhile, or closed to this process
			err = rest(ctx, time.Since(begun))
		}
		if err != nil {
			return fail("sweepparts", dir, err)
		}
	}
	return nil
}

// sweepDir removes what is too old in dir, and adds the directories in it to those that are
// pending.
func (r *Remote) sweepDir(ctx context.Context, dir string, pending []string) ([]string, error) {
	d, err := r.tree.dir(dir)
	if err != nil {
		return pending, err
	}
	defer d.close()
	err = d.list(ctx, func(m *meta) bool {
		switch hidden := partname.Hidden(m.name); {
		case hidden:
			_, _ = r.listed(ctx, d, dir, m) // which removes it
		case m.kind == directory && !r.isLink(d, m.name):
			pending = postpone(pending, remote.Join(dir, m.name), maxPending)
		}
		return true
	})
	return pending, err
}

// isLink reports whether the directory base of d is reached by a link only, or may be.
func (r *Remote) isLink(d dir, base string) bool {
	if !r.o.CopyLinks {
		return false
	}
	m, err := d.lstat(base)
	return err != nil || m.kind != directory
}

// postpone adds dir to pending. When those are most, it takes the place of any one, which a later
// sweep may come to.
func postpone(pending []string, dir string, most int) []string {
	if len(pending) < most {
		return append(pending, dir)
	}
	pending[rand.IntN(len(pending))] = dir
	return pending
}

// rest waits nine times as long as the work took, so that it takes a tenth of the time at most.
func rest(ctx context.Context, worked time.Duration) error {
	return remote.Sleep(ctx, min(max(9*worked, 10*time.Millisecond), time.Minute))
}
