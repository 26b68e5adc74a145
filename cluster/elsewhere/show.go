package elsewhere

import (
	"strings"

	"ferry/remote"
)

// At returns the file of a name that waits at another node, or a directory that is needed for such
// files, and the node; "" = there is none.
func (t *Tree) At(name string) (e remote.Entry, node string) {
	t.mu.RLock()
	defer t.mu.RUnlock()
	return t.index.find(name)
}

// In returns what At would return of the names in a directory, by name; nil if there are none.
func (t *Tree) In(dir string) map[string]remote.Entry {
	t.mu.RLock()
	defer t.mu.RUnlock()
	return t.index.list(dir)
}

// Drop forgets the file of a name until its node tells anew.
func (t *Tree) Drop(name string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.index.drop(name)
}

// replace replaces what there is of a value by that of v, which may be nil. What is not told of any
// more is asked for first.
func (t *Tree) replace(key string, v *heard) {
	files := t.placed(v)
	told := map[string]struct{}{}
	for _, p := range files {
		told[p.name] = struct{}{}
	}
	t.mu.RLock()
	old := t.index.of[key]
	t.mu.RUnlock()
	for _, p := range old {
		if _, is := told[p.name]; !is {
			t.appeared(p.name)
		}
	}
	if len(old) == 0 && len(files) == 0 {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.index.set(key, files)
}

// placed returns the files of a value by their names here.
func (t *Tree) placed(v *heard) []placed {
	if v == nil || !strings.HasPrefix(v.Place, t.place) && !strings.HasPrefix(t.place, v.Place) {
		return nil // places that are related begin alike
	}
	var all []placed
	for i := range v.Files {
		f := &v.Files[i]
		c, ok := remote.ChangeAt(v.Place, remote.Change{Name: f.name()}, t.place)
		if ok && c.Name != "." {
			all = append(all, placed{c.Name, &shown{f.entry(), v.Node}})
		}
	}
	return all
}
