package dircache

import "ferry/remote"

// spellings finds what is remembered of a name by other spellings of it, in upper and lower case,
// and what is below them, without a look at the rest. It has the name of each listing, each name
// that was queried by itself, and the directories above them. It has no lock of its own: Tree.mu
// guards it.
type spellings struct {
	byKey map[string]*spelling // by the folded name; the first of a list
}

// A spelling is a name as it is spelled.
type spelling struct {
	name  string
	other *spelling // the next that differs in case only

	parent     *spelling // of the directory; nil for the root
	below      *spelling // the first of the names in it
	next, prev *spelling // of the same directory
}

// remembered records that there is a listing of name, or name by itself.
// LOCKS_REQUIRED(t.mu)
func (t *Tree) remembered(name string) {
	if t.spellings != nil {
		t.spellings.add(name)
	}
}

// forgotten records that there is no listing of name any more, or not name by itself.
// LOCKS_REQUIRED(t.mu)
func (t *Tree) forgotten(name string) {
	if t.spellings == nil {
		return
	}
	t.spellings.prune(name, func(name string) bool {
		_, known := t.names[name]
		return known || t.dirs[name] != nil
	})
}

func newSpellings() *spellings { return &spellings{map[string]*spelling{}} }

// of returns the first spelling of name; the others follow it.
func (s *spellings) of(name string) *spelling { return s.byKey[foldName(name)] }

// find returns name as it is spelled, or nil.
func (s *spellings) find(name string) *spelling {
	n := s.of(name)
	for n != nil && n.name != name {
		n = n.other
	}
	return n
}

// add adds name, and the directories above it.
func (s *spellings) add(name string) *spelling {
	if n := s.find(name); n != nil {
		return n
	}
	key := foldName(name)
	n := &spelling{name: name, other: s.byKey[key]}
	s.byKey[key] = n
	if name == "." {
		return n
	}
	dir, _ := remote.Split(name)
	n.parent = s.add(dir)
	n.next = n.parent.below
	if n.next != nil {
		n.next.prev = n
	}
	n.parent.below = n
	return n
}

// prune removes name if nothing is below it, and then the directories above it likewise, up to the
// first that holds says is remembered itself.
func (s *spellings) prune(name string, holds func(name string) bool) {
	n := s.find(name)
	for n != nil && n.below == nil && !holds(n.name) {
		s.remove(n)
		n = n.parent
	}
}

func (s *spellings) remove(n *spelling) {
	key := foldName(n.name)
	switch first := s.byKey[key]; {
	case first != n:
		for first.other != n {
			first = first.other
		}
		first.other = n.other
	case n.other != nil:
		s.byKey[key] = n.other
	default:
		delete(s.byKey, key)
	}
	switch {
	case n.parent == nil:
		return
	case n.prev != nil:
		n.prev.next = n.next
	default:
		n.parent.below = n.next
	}
	if n.next != nil {
		n.next.prev = n.prev
	}
}

// appendTree appends n, if it is not nil, and all names below it.
func (n *spelling) appendTree(names []string) []string {
	if n == nil {
		return names
	}
	names = append(names, n.name)
	for below := n.below; below != nil; below = below.next {
		names = below.appendTree(names)
	}
	return names
}
