package objects

import (
	"slices"
	"strings"
)

// Keep keeps in mind that there is a directory k: the store does not know it.
func (d *Dirs) Keep(k Key) {
	d.mu.Lock()
	defer d.mu.Unlock()
	evict(d.kept, maxDirs)
	d.kept[k] = struct{}{}
}

// Keeps reports whether a directory is called k because one that is kept in mind has that name, or
// is below it.
func (d *Dirs) Keeps(k Key) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.keeps(k)
}

// LOCKS_REQUIRED(d.mu)
func (d *Dirs) keeps(k Key) bool {
	if len(d.kept) == 0 {
		return false
	}
	if _, ok := d.kept[k]; ok {
		return true
	}
	return len(d.keptBelow(k)) > 0
}

// keptBelow returns what is kept in mind below k.
// LOCKS_REQUIRED(d.mu)
func (d *Dirs) keptBelow(k Key) []Key {
	var below []Key
	for other := range d.kept {
		if other.Bucket == k.Bucket && strings.HasPrefix(other.Name, k.Prefix()) && other != k {
			below = append(below, other)
		}
	}
	return below
}

// KeptIn returns the elements of directories in k that are kept in mind, or have such below them.
func (d *Dirs) KeptIn(k Key) []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	var names []string
	for _, other := range d.keptBelow(k) {
		name, _, _ := strings.Cut(strings.TrimPrefix(other.Name, k.Prefix()), "/")
		name = strings.TrimSuffix(name, nothing)
		if !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return names
}

// forget ends what is kept in mind of k.
func (d *Dirs) forget(k Key) {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.kept, k)
}
