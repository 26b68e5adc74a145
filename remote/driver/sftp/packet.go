package sftp

import (
	"encoding/binary"
	"io/fs"
	"time"
)

// A packet is read from the front. Reading more than there is makes it bad, and yields zero values.
type packet struct {
	rest []byte
	bad  bool
}

func (p *packet) take(n uint32) []byte {
	if uint64(n) > uint64(len(p.rest)) {
		p.bad, p.rest = true, nil
		return nil
	}
	b := p.rest[:n]
	p.rest = p.rest[n:]
	return b
}

func (p *packet) uint32() uint32 {
	if b := p.take(4); b != nil {
		return binary.BigEndian.Uint32(b)
	}
	return 0
}

func (p *packet) uint64() uint64 {
	if b := p.take(8); b != nil {
		return binary.BigEndian.Uint64(b)
	}
	return 0
}

func (p *packet) string() string { return string(p.take(p.uint32())) }

func appendString(b []byte, s string) []byte {
	return append(binary.BigEndian.AppendUint32(b, uint32(len(s))), s...)
}

// meta is what the server says of an entry.
type meta struct {
	name    string // as the server writes it
	mode    fs.FileMode
	perms   bool // the server gave the permission bits
	size    int64
	modTime time.Time // zero when unknown
}

// Parts of the attributes of a file (draft-ietf-secsh-filexfer-02 section 5).
const (
	attrSize     = 1 << 0
	attrOwner    = 1 << 1
	attrMode     = 1 << 2
	attrTimes    = 1 << 3
	attrExtended = 1 << 31
)

// meta reads attributes.
func (p *packet) meta(name string) meta {
	m := meta{name: name, size: -1}
	flags := p.uint32()
	if flags&attrSize != 0 {
		m.size = int64(p.uint64())
	}
	if flags&attrOwner != 0 {
		p.uint64()
	}
	if flags&attrMode != 0 {
		m.mode, m.perms = fileMode(p.uint32()), true
	}
	if flags&attrTimes != 0 {
		p.uint32() // the time of the last access
		m.modTime = time.Unix(int64(p.uint32()), 0)
	}
	if flags&attrExtended != 0 {
		for n := p.uint32(); n > 0 && !p.bad; n-- {
			p.string()
			p.string()
		}
	}
	return m
}

// fileMode reads the mode of POSIX, of which the upper bits say what kind of file it is.
func fileMode(mode uint32) fs.FileMode {
	m := fs.FileMode(mode & 0o777)
	switch mode & 0o170000 {
	case 0o040000:
		m |= fs.ModeDir
	case 0o120000:
		m |= fs.ModeSymlink
	case 0o100000, 0:
	default:
		m |= fs.ModeIrregular
	}
	return m
}

// metaOf is for what package sftp found. A server that gives no mode is not told apart from one
// that denies everything; the second makes no sense.
func metaOf(info fs.FileInfo, name string) meta {
	m := meta{name: name, mode: info.Mode(), perms: info.Mode() != 0, size: info.Size()}
	if t := info.ModTime(); t.Unix() != 0 {
		m.modTime = t
	}
	return m
}
