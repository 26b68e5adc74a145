package dropboxserver

import (
	"crypto/rand"
	"fmt"
	"path"
	"slices"
	"strings"
	"time"
	"unicode/utf16"
	"unicode/utf8"
)

// A tree is all files and folders, by their paths in lower case. The root is "".
type tree struct {
	nodes map[string]*node
	log   []string // the paths in lower case that something happened to, in order
	revs  int
}

// A node is a file or a folder. It is never changed but replaced, except by those who test.
type node struct {
	shown              string // its path as it is shown
	id                 string
	folder             bool
	content            []byte
	hash               string
	rev                string
	modified, received time.Time
	document, readOnly bool
}

func newTree() *tree { return &tree{nodes: map[string]*node{}} }

func lower(p string) string { return strings.ToLower(p) }

func (t *tree) find(p string) *node { return t.nodes[lower(p)] }

// below returns the paths of all that is in a folder, in order; deep: of all below.
func (t *tree) below(p string, deep bool) (all []string) {
	prefix := lower(p) + "/"
	for name := range t.nodes {
		if rest, ok := strings.CutPrefix(name, prefix); ok && (deep || !strings.Contains(rest, "/")) {
			all = append(all, name)
		}
	}
	slices.Sort(all)
	return all
}

func (t *tree) names() (all []string) {
	for _, n := range t.nodes {
		all = append(all, n.shown)
	}
	slices.Sort(all)
	return all
}

// shownPath is a path with the folders above it as they are shown.
func (t *tree) shownPath(p string) string {
	dir := path.Dir(p)
	if dir == "/" || dir == "." {
		return p
	}
	if n := t.find(dir); n != nil {
		return n.shown + "/" + path.Base(p)
	}
	return t.shownPath(dir) + "/" + path.Base(p)
}

func (t *tree) put(p string, n *node) *node {
	t.nodes[lower(p)] = n
	t.log = append(t.log, lower(p))
	return n
}

// makeParents makes the folders above p that are missing.
func (t *tree) makeParents(p string) {
	if dir := path.Dir(p); dir != "/" && dir != "." && t.find(dir) == nil {
		t.makeFolder(dir)
	}
}

func (t *tree) makeFolder(p string) *node {
	t.makeParents(p)
	return t.put(p, &node{shown: t.shownPath(p), id: newID("id:"), folder: true})
}

// write makes a file, or the next revision of one.
func (t *tree) write(p string, content []byte, modified time.Time) *node {
	t.makeParents(p)
	now := time.Now().UTC().Truncate(time.Second)
	if modified.IsZero() {
		modified = now
	}
	t.revs++
	n := &node{shown: t.shownPath(p), id: newID("id:"), content: content, hash: ContentHash(content), rev: fmt.Sprintf("%012x", t.revs),
		modified: modified, received: now}
	if old := t.find(p); old != nil {
		n.shown, n.id = old.shown, old.id
	}
	return t.put(p, n)
}

// relocate puts a copy of what is at from, and all below it, at to.
func (t *tree) relocate(from, to string, moves bool) {
	t.makeParents(to)
	shown := t.shownPath(to)
	old := t.find(from)
	for _, name := range append([]string{lower(from)}, t.below(from, true)...) {
		n := *t.nodes[name]
		n.shown = shown + n.shown[len(old.shown):]
		if !n.folder {
			t.revs++
			n.rev = fmt.Sprintf("%012x", t.revs)
		}
		if !moves {
			n.id = newID("id:")
		}
		t.put(lower(to)+name[len(lower(from)):], &n)
	}
	if moves {
		t.remove(from)
	}
}

// remove removes what is at p and all below it. Only p is in the log.
func (t *tree) remove(p string) {
	for _, name := range t.below(p, true) {
		delete(t.nodes, name)
	}
	delete(t.nodes, lower(p))
	t.log = append(t.log, lower(p))
}

// used is how many bytes all files have.
func (t *tree) used() (n int64) {
	for _, f := range t.nodes {
		n += int64(len(f.content))
	}
	return n
}

// blocked says what is in the way of a new file or folder at p, "" = nothing.
func (t *tree) blocked(p string) string {
	for dir := path.Dir(p); dir != "/" && dir != "."; dir = path.Dir(dir) {
		if n := t.find(dir); n != nil && !n.folder {
			return "file_ancestor"
		}
	}
	switch n := t.find(p); {
	case n == nil:
		return ""
	case n.folder:
		return "folder"
	}
	return "file"
}

// validPath reports whether a path has the form that the service wants. The root is none.
func validPath(p string) bool {
	if !strings.HasPrefix(p, "/") || !utf8.ValidString(p) {
		return false
	}
	for elem := range strings.SplitSeq(p[1:], "/") {
		if elem == "" || elem == "." || elem == ".." || strings.ContainsAny(elem, "\\\x00\x7f") || strings.HasSuffix(elem, " ") ||
			len(utf16.Encode([]rune(elem))) > 255 {
			return false
		}
	}
	return true
}

// disallowed reports whether a name is one that the service does not keep.
func disallowed(p string) bool {
	return slices.Contains([]string{"desktop.ini", "thumbs.db", ".ds_store", "icon\r", ".dropbox", ".dropbox.attr"}, lower(path.Base(p)))
}

func newID(prefix string) string { return prefix + rand.Text() }
