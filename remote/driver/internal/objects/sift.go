package objects

import (
	"context"

	"ferry/remote"
)

// A Sifter passes on the entries of one directory, which come in the order of their keys. A file is
// held back until it is known whether a directory hides it: that comes behind it, after nothing but
// names that begin with it. Dirs is told of all.
type Sifter struct {
	dirs  *Dirs
	at    Key
	yield func(remote.Entry, error) bool
	notes *Listing
	held  []held              // files whose names the last one begins with
	kept  map[string]struct{} // directories that the store does not know, by element
}

// held is a file that may be hidden by a directory.
type held struct {
	raw    string
	object Object
	entry  remote.Entry
	shown  bool
}

// Sift returns what passes the entries of the directory at on to yield. Its methods are false when
// yield was.
func (d *Dirs) Sift(at Key, yield func(remote.Entry, error) bool) *Sifter {
	s := &Sifter{dirs: d, at: at, yield: yield, notes: d.Listing(at), kept: map[string]struct{}{}}
	for _, raw := range d.KeptIn(at) {
		s.kept[raw] = struct{}{}
	}
	return s
}

// Marker notes the marker of the directory.
func (s *Sifter) Marker() { s.notes.Saw("") }

// File takes the object o, whose key ends with raw. It is shown as e, or not at all if no name
// leads to it.
func (s *Sifter) File(raw string, o Object, e remote.Entry, shown bool) bool {
	s.notes.Saw(raw)
	if !s.settle(raw) {
		return false
	}
	delete(s.kept, raw)
	s.held = append(s.held, held{raw, o, e, shown})
	return true
}

// Dir takes the directory raw. It is shown as name, or not at all if that does not lead to it.
func (s *Sifter) Dir(ctx context.Context, raw, name string, shown bool) bool {
	s.notes.Saw(raw + "/")
	if !s.settle(raw + "/") {
		return false
	}
	delete(s.kept, raw)
	if n := len(s.held); n > 0 && s.held[n-1].raw == raw {
		o := s.held[n-1].object
		s.dirs.Hidden(ctx, Key{s.at.Bucket, o.Name}, o)
		s.held = s.held[:n-1]
	}
	return !shown || s.yield(remote.Entry{Name: name, Dir: true}, nil)
}

// settle passes on the files that cannot be hidden any more, as the listing has come to raw.
func (s *Sifter) settle(raw string) bool {
	for n := len(s.held) - 1; n >= 0 && raw > s.held[n].raw+"/"; n-- {
		h := s.held[n]
		s.held = s.held[:n]
		if h.shown && !s.yield(h.entry, nil) {
			return false
		}
	}
	return true
}

// End passes on what is left when the listing has come to its end. name returns what an element is
// called, if a name leads to it.
func (s *Sifter) End(name func(raw string) (string, bool)) bool {
	s.notes.Whole()
	for _, h := range s.held {
		if h.shown && !s.yield(h.entry, nil) {
			return false
		}
	}
	for raw := range s.kept {
		if name, shown := name(raw); shown && !s.yield(remote.Entry{Name: name, Dir: true}, nil) {
			return false
		}
	}
	return true
}
