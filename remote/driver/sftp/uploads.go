package sftp

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"sync"

	"github.com/pkg/sftp"

	"ferry/remote"
	"ferry/remote/partname"
)

// uploads knows the hidden files that uploads under way in this process write to, by their path in
// the remote.
type uploads struct {
	mu   sync.Mutex
	busy map[string]*stage // INVARIANT: for each k/v, v.in joined with v.part == k
}

// claim makes part the file in its directory that s writes to, unless another upload has it.
func (u *uploads) claim(s *stage, part string) bool {
	u.mu.Lock()
	defer u.mu.Unlock()
	p := remote.Join(s.in, part)
	if u.busy[p] != nil {
		return false
	}
	s.part = part
	u.busy[p] = s
	return true
}

func (u *uploads) release(s *stage) {
	u.mu.Lock()
	defer u.mu.Unlock()
	delete(u.busy, remote.Join(s.in, s.part))
}

func (u *uploads) has(dir, part string) bool {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.busy[remote.Join(dir, part)] != nil
}

// dir returns the directory that the upload is in by now.
func (u *uploads) dir(s *stage) string {
	u.mu.Lock()
	defer u.mu.Unlock()
	return s.in
}

// moved follows the uploads under way into a directory that got another name.
func (u *uploads) moved(from, to string) {
	u.mu.Lock()
	defer u.mu.Unlock()
	for p, s := range u.busy {
		if remote.Below(p, from) {
			delete(u.busy, p)
			s.in, _ = remote.Split(to + p[len(from):])
			u.busy[remote.Join(s.in, s.part)] = s
		}
	}
}

// slots is how many uploads of one name by one owner may be under way at a time.
const slots = 1000

// takeSlot claims slots for s until use does not answer ErrExist for one.
func (r *Remote) takeSlot(s *stage, use func(slot int) error) error {
	for slot := 1; slot <= slots; slot++ {
		if !r.uploads.claim(s, partname.Name{Owner: s.owner, Slot: slot, Base: s.held}.String()) {
			continue
		}
		err := use(slot)
		if err == nil {
			return nil
		}
		r.uploads.release(s)
		if !errors.Is(err, fs.ErrExist) {
			return err
		}
	}
	return remote.ErrExist
}

// createPart makes the hidden file that s writes to, in the first slot that is free.
func (r *Remote) createPart(ctx context.Context, c *conn, s *stage) error {
	return r.takeSlot(s, func(slot int) error {
		p := r.partPath(s.in, s.part)
		err := s.create(ctx, c, p)
		if unexplained(err) && r.reclaim(ctx, c, s, p, slot) == nil {
			err = s.create(ctx, c, p)
		}
		if unexplained(err) {
			if _, statErr := lstat(ctx, c, p); statErr == nil {
				return remote.ErrExist
			}
		}
		return err
	})
}

// create makes the hidden file p, which must not exist.
func (s *stage) create(ctx context.Context, c *conn, p string) error {
	f, err := await(ctx, c, func() (*sftp.File, error) {
		return c.sftp.OpenFile(p, os.O_WRONLY|os.O_CREATE|os.O_EXCL)
	}, func(f *sftp.File) {
		f.Close()
		_ = c.sftp.Remove(p) // what cannot be removed expires
	})
	s.file = f
	return err
}

// reclaim frees a slot that s has claimed and in which a process that was killed left the file p:
// what is too old goes, and what is in the first slot is kept.
func (r *Remote) reclaim(ctx context.Context, c *conn, s *stage, p string, slot int) error {
	info, err := lstat(ctx, c, p)
	if err != nil {
		return err
	}
	m := metaOf(info, s.part)
	switch {
	case !m.regular():
		return remote.ErrExist
	case r.expired(&m):
		return do(ctx, c, func() error { return c.sftp.Remove(p) })
	case slot == 1 && s.owner != partname.PutOwner:
		return r.keep(ctx, c, s.in, p, partname.Name{Owner: s.owner, Base: s.held})
	}
	return remote.ErrExist
}

// partPath returns the path of the hidden file part in the directory dir of the remote, as the
// server knows it.
func (r *Remote) partPath(dir, part string) string {
	switch p := r.path(dir); p {
	case ".":
		return part
	case "/":
		return "/" + part
	default:
		return p + "/" + part
	}
}
