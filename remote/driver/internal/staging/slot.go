package staging

import (
	"context"
	"errors"
	"io/fs"

	"ferry/remote"
	"ferry/remote/partname"
)

// slots is how many uploads of one name by one owner may be under way at a time.
const slots = 1000

// acquire makes part the file in its directory that s writes to, unless another one does.
func (p *Parts) acquire(s *Stage, part string) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	path := remote.Join(s.in, part)
	if p.busy[path] != nil {
		return false
	}
	s.Part = part
	p.busy[path] = s
	return true
}

func (p *Parts) release(s *Stage) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.busy, remote.Join(s.in, s.Part))
}

func (p *Parts) writing(d Dir, part string) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.busy[remote.Join(d.Path(), part)] != nil
}

// dir returns the path of the directory that the upload is in by now.
func (p *Parts) dir(s *Stage) string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return s.in
}

// Moved follows the uploads under way into a directory that got another name.
func (p *Parts) Moved(from, to string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for path, s := range p.busy {
		if remote.Below(path, from) {
			delete(p.busy, path)
			s.in, _ = remote.Split(to + path[len(from):])
			p.busy[remote.Join(s.in, s.Part)] = s
		}
	}
}

// inSlot acquires slots for s until use does not return ErrExist for one.
func (p *Parts) inSlot(s *Stage, use func(slot int) error) error {
	for slot := 1; slot <= slots; slot++ {
		if !p.acquire(s, partname.Name{Owner: s.owner, Slot: slot, Base: s.Base}.String()) {
			continue
		}
		err := use(slot)
		if err == nil {
			return nil
		}
		p.release(s)
		if !errors.Is(err, fs.ErrExist) {
			return err
		}
	}
	return remote.ErrExist
}

// removeIdle removes a hidden file, if want still wants it. One that is being written is
// ErrNotEmpty.
func (p *Parts) removeIdle(ctx context.Context, d Dir, part string, want func() bool) error {
	p.kept.Lock()
	defer p.kept.Unlock()
	hold := Stage{in: d.Path()}
	if !p.acquire(&hold, part) {
		return remote.ErrNotEmpty
	}
	defer p.release(&hold)
	if !want() {
		return nil
	}
	return d.Remove(ctx, part)
}

// expired reports whether a hidden file is too old to be continued.
func (p *Parts) expired(info Info) bool {
	return p.o.MaxAge > 0 && info.Regular && !info.ModTime.IsZero() && p.Ages.Exceed(info.ModTime, p.o.MaxAge)
}

// removeExpired removes a hidden file if nobody writes to it and it is still too old. Whoever comes
// across the next one tries again, so nothing is reported.
func (p *Parts) removeExpired(ctx context.Context, d Dir, part string) {
	_ = p.removeIdle(ctx, d, part, func() bool {
		info, err := d.Lstat(ctx, part)
		return err == nil && p.expired(info)
	})
}

// RemoveAll removes the hidden files of d, provided that they are all it holds and that none is
// being written. Otherwise, and when there are none, it is ErrNotEmpty.
func (p *Parts) RemoveAll(ctx context.Context, d Dir) error {
	var parts []string
	err := d.List(ctx, func(info Info) bool {
		_, ok := partname.Parse(info.Name)
		if !ok || !info.Regular || p.writing(d, info.Name) {
			parts = nil
			return false
		}
		parts = append(parts, info.Name)
		return true
	})
	if err == nil && len(parts) == 0 {
		err = remote.ErrNotEmpty
	}
	if err != nil {
		return err
	}
	for _, part := range parts {
		err := p.removeIdle(ctx, d, part, func() bool { return true })
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}
