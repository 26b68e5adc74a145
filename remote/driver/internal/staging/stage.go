package staging

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"sync"
	"time"

	"ferry/remote"
	"ferry/remote/partname"
)

// A Target is the file that an upload is for.
type Target struct {
	Name string // in the remote, when the upload began
	Base string // its last element, as on the disk
}

// A Stage is an upload under way. A driver embeds it in its remote.Stage, to which it adds Write.
type Stage struct {
	Target // constant
	// Part is the hidden file; constant once the stage is open.
	Part  string
	parts *Parts // constant
	file  File   // constant
	owner string // constant

	in string // the directory; guarded by parts.mu

	mu    sync.Mutex
	ended bool // guarded by mu
}

// Open begins an upload to t, which is in d, with what o says, and opens f for it. When it fails,
// it leaves no hidden file, and there is nothing to be ended.
func (p *Parts) Open(ctx context.Context, s *Stage, f File, d Dir, t Target, o remote.StageOptions) error {
	s.Target, s.parts, s.file, s.owner, s.in = t, p, f, o.Owner, d.Path()
	switch o.Base {
	case remote.BaseFile:
		return s.onCopy(ctx, d, t.Base, o.Off)
	case remote.BasePart:
		return s.onPart(ctx, d, o)
	default:
		return s.create(ctx, d)
	}
}

// create makes the hidden file, in the first slot that is free.
func (s *Stage) create(ctx context.Context, d Dir) error {
	return s.parts.inSlot(s, func(slot int) error {
		err := s.file.Create(ctx, s.Part)
		if errors.Is(err, fs.ErrExist) && s.parts.reclaim(ctx, d, s, slot) == nil {
			err = s.file.Create(ctx, s.Part)
		}
		return err
	})
}

// reclaim frees the slot that s has acquired and in which a process that was killed left a file:
// what is too old goes, and what is in the first slot is kept.
func (p *Parts) reclaim(ctx context.Context, d Dir, s *Stage, slot int) error {
	info, err := d.Lstat(ctx, s.Part)
	switch {
	case err != nil:
		return err
	case p.expired(info):
		return d.Remove(ctx, s.Part)
	case info.Regular && slot == 1 && s.owner != partname.PutOwner:
		return p.keep(ctx, d, s.Part, s.kept(s.owner))
	}
	return remote.ErrExist
}

// onCopy makes a hidden file that begins with the first off bytes of from.
func (s *Stage) onCopy(ctx context.Context, d Dir, from string, off int64) error {
	if err := s.create(ctx, d); err != nil {
		return err
	}
	if err := s.file.CopyHead(ctx, from, off); err != nil {
		return errors.Join(err, s.abandon())
	}
	return nil
}

// onPart makes a part the hidden file to write to, cut off as o says. Of one that has other names
// too it takes a copy: what is written must not show under those.
func (s *Stage) onPart(ctx context.Context, d Dir, o remote.StageOptions) error {
	kept := s.kept(o.PartOwner())
	off, linked, err := s.takePart(ctx, d, kept, o)
	if err != nil {
		return err
	}
	if !linked {
		if err := s.file.Reopen(ctx, s.Part, off); err != nil {
			_ = s.parts.keep(ctx, d, s.Part, kept)
			s.parts.release(s)
			return err
		}
		return nil
	}
	if err := s.onCopy(ctx, d, kept, off); err != nil {
		return err
	}
	if err := d.Remove(ctx, kept); err != nil {
		return errors.Join(err, s.abandon())
	}
	return nil
}

// takePart moves a part into a slot of its own, unless it has other names too. It returns the
// offset in bytes.
func (s *Stage) takePart(ctx context.Context, d Dir, kept string, o remote.StageOptions) (int64, bool, error) {
	s.parts.kept.Lock()
	defer s.parts.kept.Unlock()
	info, err := s.parts.find(ctx, d, partname.Name{Owner: o.PartOwner(), Base: s.Base})
	if err != nil {
		if s.parts.expired(info) {
			_ = d.Remove(ctx, kept) // whoever comes across it next tries again
		}
		return 0, false, err
	}
	off, err := o.PartOffset(info.Size)
	if err != nil || info.Linked {
		return off, info.Linked, err
	}
	return off, false, s.parts.inSlot(s, func(int) error { return d.Rename(ctx, kept, s.Part, false) })
}

// kept is the name of the part of owner.
func (s *Stage) kept(owner string) string {
	return partname.Name{Owner: owner, Base: s.Base}.String()
}

// Put stores the whole of body by way of s, whose bytes go to w, and ends it.
func Put(ctx context.Context, s remote.Stage, w io.Writer, body io.Reader, o remote.PutOptions) (remote.Entry, error) {
	n, err := io.Copy(struct{ io.Writer }{w}, remote.ContextReader(ctx, body))
	if ctx.Err() != nil {
		err = context.Cause(ctx)
	}
	if err == nil {
		err = remote.CheckSize(n, o.Size)
	}
	var e remote.Entry
	if err == nil {
		e, err = s.Commit(ctx, o.ModTime)
	}
	if err != nil {
		_ = s.Abort() // what cannot be removed expires
	}
	return e, err
}

// Dir returns the path of the directory that the upload is in: it may have got another name.
func (s *Stage) Dir() string { return s.parts.dir(s) }

// Use calls f while the stage is open, and returns false if it has ended.
func (s *Stage) Use(f func()) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ended {
		return false
	}
	f()
	return true
}

// Commit implements remote.Stage.
func (s *Stage) Commit(ctx context.Context, modTime time.Time) (remote.Entry, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ended {
		return remote.Entry{}, nil
	}
	e, err := s.commit(ctx, modTime)
	if err != nil {
		return remote.Entry{}, s.fail("publish", err)
	}
	return e, nil
}

// LOCKS_REQUIRED(s.mu)
func (s *Stage) commit(ctx context.Context, modTime time.Time) (remote.Entry, error) {
	if ctx.Err() != nil {
		return remote.Entry{}, context.Cause(ctx)
	}
	d, e, err := s.file.Finish(ctx, modTime)
	if err != nil {
		return remote.Entry{}, err
	}
	defer d.Close()
	if err := d.Rename(ctx, s.Part, s.Base, true); err != nil {
		return remote.Entry{}, err
	}
	if s.owner != partname.PutOwner { // which has no parts
		ctx, cancel := s.parts.detached(ctx)
		defer cancel()
		// Mostly there is none. One that cannot be removed does not concern this upload.
		_ = d.Remove(ctx, s.kept(s.owner))
	}
	s.end()
	return e, nil
}

// Keep implements remote.Stage.
func (s *Stage) Keep() error {
	s.file.End()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ended {
		return nil
	}
	err := s.keep()
	s.end()
	return s.fail("keep", err)
}

// LOCKS_REQUIRED(s.mu)
func (s *Stage) keep() error {
	d, n, err := s.file.Stop()
	if err != nil {
		return err
	}
	defer d.Close()
	ctx, cancel := s.parts.detached(context.Background())
	defer cancel()
	if n == 0 {
		return d.Remove(ctx, s.Part)
	}
	return s.parts.keep(ctx, d, s.Part, s.kept(s.owner))
}

// Abort implements remote.Stage.
func (s *Stage) Abort() error {
	s.file.End()
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.fail("discard", s.Spoil())
}

// Spoil is Abort for the File, when its Finish or Stop finds that nobody knows what it holds.
// LOCKS_REQUIRED(s.mu)
func (s *Stage) Spoil() error {
	if s.ended {
		return nil
	}
	err := s.remove()
	s.end()
	return err
}

// abandon removes the hidden file of a stage that could not be opened.
func (s *Stage) abandon() error {
	err := s.remove()
	s.parts.release(s)
	return err
}

// remove removes the hidden file. One that is gone is fine: a Commit that was not answered took it.
func (s *Stage) remove() error {
	ctx, cancel := s.parts.detached(context.Background())
	defer cancel()
	d, err := s.file.Discard(ctx)
	if err != nil {
		return err
	}
	defer d.Close()
	if err := d.Remove(ctx, s.Part); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// detached returns a context for what has to be done though nobody waits for it any more.
func (p *Parts) detached(ctx context.Context) (context.Context, context.CancelFunc) {
	if p.o.Patience == 0 {
		return ctx, func() {}
	}
	return context.WithTimeout(context.WithoutCancel(ctx), p.o.Patience)
}

// end gives back what the stage holds. The hidden file has another name by now, or is gone.
// LOCKS_REQUIRED(s.mu)
func (s *Stage) end() {
	if s.ended {
		return
	}
	s.ended = true
	s.parts.release(s)
	s.file.Release()
}

func (s *Stage) fail(op string, err error) error { return s.parts.o.Fail(op, s.Name, err) }
