package objects

import (
	"strings"
	"time"

	"ferry/remote/partname"
)

// A Listing tells Dirs what a listing of a directory shows.
type Listing struct {
	dirs  *Dirs
	at    Key
	began time.Time
	noted int
}

// Listing returns what is to be told of a listing of the directory at, which begins now.
func (d *Dirs) Listing(at Key) *Listing { return &Listing{dirs: d, at: at, began: time.Now()} }

// Saw notes an entry, as Tree.some returns it.
func (l *Listing) Saw(name string) {
	name, isDir := strings.CutSuffix(name, "/")
	if isDir && name == "" {
		name = nothing
	}
	d := l.dirs
	d.mu.Lock()
	defer d.mu.Unlock()
	known := d.see(l.at)
	k := l.at.below(name)
	switch {
	case name == "":
		known.marked = time.Now()
	case isDir:
		d.see(k)
	}
	if l.noted < sampleSize && name != "" && !partname.Hidden(name) && !d.goes(k, l.began) {
		known.note(name)
		l.noted++
	}
}

// Whole notes that the listing has come to its end.
func (l *Listing) Whole() {
	l.dirs.mu.Lock()
	defer l.dirs.mu.Unlock()
	if known := l.dirs.dirs[l.at]; known != nil {
		known.listed = l.began
	} else if l.dirs.top(l.at) {
		l.dirs.see(l.at).listed = l.began
	}
}
