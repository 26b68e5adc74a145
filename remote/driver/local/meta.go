package local

import (
	"io/fs"
	"os"
	"strconv"
	"time"

	"ferry/remote"
)

// meta is what the file system says of an entry.
type meta struct {
	name    string
	kind    kind
	perm    fs.FileMode
	size    int64
	modTime time.Time
	changed int64 // when anything about it last changed, in nanoseconds; 0 = unknown
	ino     uint64
	dev     uint64
	links   uint64 // how many names it has; 0 = unknown
	uid     uint32
	gid     uint32
}

type kind uint8

const (
	regular kind = iota
	directory
	link
	special // a fifo, socket or device
)

func kindOf(mode fs.FileMode) kind {
	switch mode.Type() {
	case 0:
		return regular
	case fs.ModeDir:
		return directory
	case fs.ModeSymlink:
		return link
	}
	return special
}

// metaOf is for what the os package found. Identity and owner are filled in where the system has
// them.
func metaOf(info fs.FileInfo) meta {
	m := meta{
		name:    info.Name(),
		kind:    kindOf(info.Mode()),
		perm:    info.Mode().Perm(),
		size:    info.Size(),
		modTime: info.ModTime(),
	}
	m.fill(info)
	return m
}

// entry describes m without its Version, which costs a string.
func (r *Remote) entry(m *meta) remote.Entry {
	return remote.Entry{
		Name:     m.name,
		Size:     m.size,
		ModTime:  m.modTime,
		Mode:     m.perm,
		Dir:      m.kind == directory,
		ReadOnly: !r.self.mayWrite(m),
		ID:       r.id(m),
	}
}

// described describes m with its Version.
func (r *Remote) described(m *meta) remote.Entry {
	e := r.entry(m)
	if !e.Dir {
		e.Version = m.version()
	}
	return e
}

// id mixes the device into the inode number, so that the root's own device leaves it as it is.
func (r *Remote) id(m *meta) uint64 {
	const odd = 0x9e3779b97f4a7c15
	return m.ino ^ (m.dev-r.dev)*odd
}

// version changes with the content: by the size and time of the last write, and by the identity
// that a rename over it brings. The time of the last change tells of a file that was written to and
// then had its time set back.
func (m *meta) version() string {
	b := make([]byte, 0, 64)
	b = strconv.AppendInt(b, m.size, 36)
	b = append(b, '-')
	b = strconv.AppendInt(b, m.modTime.UnixNano(), 36)
	b = append(b, '-')
	b = strconv.AppendInt(b, m.changed, 36)
	b = append(b, '-')
	b = strconv.AppendUint(b, m.ino, 36)
	return string(b)
}

// identity is as whom this process writes.
type identity struct {
	root bool
	uid  int // -1 where users are not numbered
	gid  int
	gids map[uint32]bool
}

func whoAmI() identity {
	id := identity{root: os.Geteuid() == 0, uid: os.Geteuid(), gid: os.Getegid(), gids: map[uint32]bool{}}
	groups, err := os.Getgroups()
	if err != nil {
		groups = nil // as on Windows: then only the owner's bits are looked at
	}
	for _, g := range append(groups, id.gid) {
		id.gids[uint32(g)] = true
	}
	return id
}

// mayWrite tells from the permission bits alone whether the process could write m.
func (id *identity) mayWrite(m *meta) bool {
	switch {
	case id.root:
		return true
	case id.uid < 0 || uint32(id.uid) == m.uid:
		return m.perm&0o200 != 0
	case id.gids[m.gid]:
		return m.perm&0o020 != 0
	default:
		return m.perm&0o002 != 0
	}
}

// giveTo makes f belong to whom m belongs to, if that is somebody else and the process is root.
// What the system refuses stays as it is, as in a user namespace that does not know the owner.
func (id *identity) giveTo(f *os.File, m *meta) {
	if id.root && (uint32(id.uid) != m.uid || uint32(id.gid) != m.gid) {
		_ = f.Chown(int(m.uid), int(m.gid))
	}
}
