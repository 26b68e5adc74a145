package graphserver

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// A drive is a tree of items. All of it is guarded by the mutex of the Server.
type drive struct {
	id, kind  string
	root      *node
	items     map[string]*node // by id
	quota     int64
	used      int64    // bytes of all files
	seq       int64    // of the last change
	forgotten int64    // changes before that are not known any more
	changes   []change // in their order
}

// A change is that an item of the drive is another one, or gone.
type change struct {
	seq    int64
	id     string
	name   string
	parent string // id
}

// A node is a file, a folder, or a link.
type node struct {
	id, name  string
	parent    *node
	dir       bool
	children  map[string]*node // by folded name; nil for files
	content   []byte
	tampered  []byte   // what is sent in place of the content
	versions  [][]byte // older ones
	created   time.Time
	modified  time.Time // as the service sees it
	times     time.Time // as clients set it; zero = modified
	etag      int
	ctag      int
	link      *node // what it stands for
	linkDrive *drive
	notebook  bool
	locked    bool
	sum       string // QuickXorHash; "" = not computed yet
	sha1      string
}

// below finds what is at a path, nil where there is nothing. Links do not lead further.
func (d *drive) below(n *node, path string) *node {
	if path == "" {
		return n
	}
	for name := range strings.SplitSeq(path, "/") {
		if n = n.children[fold(name)]; n == nil {
			return nil
		}
	}
	return n
}

// find finds the item at an address.
func (a address) find() (*node, error) {
	n := a.drive.root
	if a.id != "" && a.id != "root" {
		n = a.drive.items[a.id]
	}
	if n != nil {
		n = a.drive.below(n, a.path)
	}
	if n == nil {
		return nil, &failure{http.StatusNotFound, "itemNotFound"}
	}
	return n, nil
}

// place finds the folder where a file at an address is to be made, and makes those that are missing
// as the service does. ids of folders alone are certain not to.
func (s *Server) place(a address) (folder *node, name string, err error) {
	if a.path == "" { // the file itself
		n, err := a.find()
		if err != nil {
			return nil, "", err
		}
		if n.parent == nil {
			return nil, "", &failure{http.StatusBadRequest, "invalidRequest"}
		}
		return n.parent, n.name, nil
	}
	n, err := address{a.drive, a.id, ""}.find()
	if err != nil {
		return nil, "", err
	}
	dirs := strings.Split(a.path, "/")
	for _, dir := range dirs[:len(dirs)-1] {
		next := n.children[fold(dir)]
		if next == nil && n.dir {
			if err := checkName(n, dir); err != nil {
				return nil, "", err
			}
			next = s.newNode(a.drive, n, dir)
			next.dir, next.children = true, map[string]*node{}
		}
		if n = next; n == nil {
			break
		}
	}
	if n == nil || !n.dir {
		return nil, "", &failure{http.StatusBadRequest, "invalidRequest"}
	}
	name = dirs[len(dirs)-1]
	return n, name, checkName(n, name)
}

// newNode puts a new file into a folder.
func (s *Server) newNode(d *drive, folder *node, name string) *node {
	now := time.Now().UTC()
	n := &node{id: s.newID("ITEM"), name: name, parent: folder, created: now, modified: now}
	d.items[n.id] = n
	folder.children[fold(name)] = n
	d.changed(n)
	return n
}

// changed takes note of a change of n, which may be gone.
func (d *drive) changed(n *node) {
	n.etag++
	d.seq++
	c := change{seq: d.seq, id: n.id, name: n.name}
	if n.parent != nil {
		c.parent = n.parent.id
	}
	d.changes = append(d.changes, c)
}

// setContent replaces the content of a file.
func (d *drive) setContent(n *node, content []byte, times time.Time) {
	if n.ctag > 0 && d.kind != Personal {
		n.versions = append(n.versions, n.content)
	}
	d.used += int64(len(content) - len(n.content))
	n.content, n.sum, n.sha1, n.tampered = content, "", "", nil
	n.modified, n.times = time.Now().UTC(), times
	n.ctag++
	d.changed(n)
}

// detach takes n out of the tree, with all below it.
func (d *drive) detach(n *node) {
	delete(n.parent.children, fold(n.name))
	d.changed(n)
	d.drop(n)
}

func (d *drive) drop(n *node) {
	delete(d.items, n.id)
	d.used -= int64(len(n.content))
	for _, c := range n.children {
		d.drop(c)
	}
}

// room checks that n bytes more fit.
func (d *drive) room(n int64) error {
	if d.used+n > d.quota {
		return &failure{http.StatusInsufficientStorage, "quotaLimitReached"}
	}
	return nil
}

// isAbove reports whether n is other, or above it.
func (n *node) isAbove(other *node) bool {
	for ; other != nil; other = other.parent {
		if other == n {
			return true
		}
	}
	return false
}

// eTag and cTag are different in their form on different kinds of drives.
func (n *node) eTag(d *drive) string {
	if d.kind == Personal {
		return n.id + "." + strconv.Itoa(n.etag)
	}
	return `"{` + n.id + `},` + strconv.Itoa(n.etag) + `"`
}

func (n *node) cTag(d *drive) string {
	if d.kind == Personal {
		return "c." + n.id + "." + strconv.Itoa(n.ctag)
	}
	return `"c:{` + n.id + `},` + strconv.Itoa(n.ctag) + `"`
}

// match checks the precondition of a request.
func (n *node) match(d *drive, r *http.Request) error {
	want := r.Header.Get("If-Match")
	if want == "" || want == n.eTag(d) || want == n.cTag(d) {
		return nil
	}
	return &failure{http.StatusPreconditionFailed, "resourceModified"}
}

// newID makes an id that all have the same length.
// LOCKS_REQUIRED(s.mu)
func (s *Server) newID(kind string) string {
	s.serial++
	return fmt.Sprintf("%s%08d", kind, s.serial)
}
