package elsewhere

import (
	"ferry/remote"
)

// An index has the files of other nodes in a tree, by their names there.
type index struct {
	dirs map[string]*dir
	of   map[string][]placed // by the key of the value that has them
}

// A dir is a directory with such files in it, or below it.
type dir struct {
	files map[string][]*shown // by name; several nodes may have one
	below map[string]*needed  // directories, by name
}

// shown is one file.
type shown struct {
	entry remote.Entry
	node  string
}

// needed is a directory that has files, maybe on the remote only when they are sent.
type needed struct {
	count int
	node  string // of one of them
}

// placed is a file at its place.
type placed struct {
	name string
	file *shown
}

func newIndex() index { return index{map[string]*dir{}, map[string][]placed{}} }

func (x *index) at(name string) *dir {
	d := x.dirs[name]
	if d == nil {
		d = &dir{map[string][]*shown{}, map[string]*needed{}}
		x.dirs[name] = d
	}
	return d
}

// set replaces what there is of a value by other files; names are those of each.
func (x *index) set(key string, files []placed) {
	for _, p := range x.of[key] {
		x.remove(p)
	}
	delete(x.of, key)
	for _, p := range files {
		x.add(p)
	}
	if len(files) > 0 {
		x.of[key] = files
	}
}

func (x *index) add(p placed) {
	parent, base := remote.Split(p.name)
	d := x.at(parent)
	d.files[base] = append(d.files[base], p.file)
	for parent != "." {
		parent, base = remote.Split(parent)
		d := x.at(parent)
		n := d.below[base]
		if n == nil {
			n = &needed{}
			d.below[base] = n
		}
		n.count++
		n.node = p.file.node
	}
}

// remove removes a file, if it is there.
func (x *index) remove(p placed) {
	parent, base := remote.Split(p.name)
	d := x.dirs[parent]
	if d == nil {
		return
	}
	var left []*shown
	for _, s := range d.files[base] {
		if s != p.file {
			left = append(left, s)
		}
	}
	if len(left) == len(d.files[base]) {
		return
	}
	if d.files[base] = left; len(left) == 0 {
		delete(d.files, base)
	}
	x.prune(parent)
	for parent != "." {
		parent, base = remote.Split(parent)
		d := x.dirs[parent]
		if d.below[base].count--; d.below[base].count == 0 {
			delete(d.below, base)
		}
		x.prune(parent)
	}
}

func (x *index) prune(name string) {
	if d := x.dirs[name]; len(d.files) == 0 && len(d.below) == 0 {
		delete(x.dirs, name)
	}
}

// drop removes all files of a name.
func (x *index) drop(name string) {
	parent, base := remote.Split(name)
	if d := x.dirs[parent]; d != nil {
		for _, s := range d.files[base] {
			x.remove(placed{name, s})
		}
	}
}

// find returns the file of a name, the newest of several, or the directory; node "" = there is
// none.
func (x *index) find(name string) (e remote.Entry, node string) {
	parent, base := remote.Split(name)
	d := x.dirs[parent]
	if d == nil || name == "." {
		return e, ""
	}
	if all := d.files[base]; len(all) > 0 {
		s := newest(all)
		return s.entry, s.node
	}
	if n := d.below[base]; n != nil {
		return remote.Entry{Name: base, Dir: true}, n.node
	}
	return e, ""
}

func newest(all []*shown) *shown {
	best := all[0]
	for _, s := range all[1:] {
		if s.entry.ModTime.After(best.entry.ModTime) {
			best = s
		}
	}
	return best
}

// list returns what is in a directory, by name.
func (x *index) list(name string) map[string]remote.Entry {
	d := x.dirs[name]
	if d == nil {
		return nil
	}
	all := make(map[string]remote.Entry, len(d.files)+len(d.below))
	for base := range d.below {
		all[base] = remote.Entry{Name: base, Dir: true}
	}
	for base, files := range d.files {
		all[base] = newest(files).entry
	}
	return all
}
