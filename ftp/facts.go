package ftp

import (
	"io/fs"
	"strconv"
	"strings"
)

// facts is a set of the facts that MLST and MLSD return for an entry (RFC 3659, section 7.5).
type facts uint8

const (
	factType facts = 1 << iota
	factSize
	factModify
	factPerm
	factUnique
	factUnixMode
	factUnixUID
	factUnixGID
	factsAll = 1<<iota - 1

	// factsDefault are those of a session that has not sent OPTS MLST.
	factsDefault = factType | factSize | factModify | factPerm | factUnique | factUnixMode
)

// factNames are the names of the facts, in the order of their bits. Clients may write them in any
// case.
var factNames = [...]string{"type", "size", "modify", "perm", "unique", "UNIX.mode", "UNIX.uid", "UNIX.gid"}

// parseOptsMLST reads the argument of OPTS MLST: the names of the facts wanted from now on, each
// followed by a semicolon. Unknown names are ignored, and an empty argument selects none (RFC 3659,
// section 7.9).
func parseOptsMLST(arg string) facts {
	var set facts
	for word := range strings.SplitSeq(arg, ";") {
		for i, name := range factNames {
			if strings.EqualFold(word, name) {
				set |= 1 << i
			}
		}
	}
	return set
}

// String returns the names as the reply to OPTS MLST has them: "type;size;".
func (set facts) String() string {
	var b strings.Builder
	for i, name := range factNames {
		if set&(1<<i) != 0 {
			b.WriteString(name)
			b.WriteByte(';')
		}
	}
	return b.String()
}

// featMLST returns the line of FEAT: every fact there is, those of set starred (RFC 3659, section
// 7.8).
func featMLST(set facts) string {
	var b strings.Builder
	b.WriteString("MLST ")
	for i, name := range factNames {
		b.WriteString(name)
		if set&(1<<i) != 0 {
			b.WriteByte('*')
		}
		b.WriteByte(';')
	}
	return b.String()
}

// entryKind is the role of an entry in a listing: the values of the type fact (RFC 3659, section
// 7.5.1).
type entryKind uint8

const (
	kindEntry  entryKind = iota // a file or a directory, as its FileInfo says
	kindSelf                    // the listed directory: cdir
	kindParent                  // the one above it: pdir
)

// appendFacts appends the facts of fi that are in set and known, one space and name, without a line
// end (RFC 3659, section 7.2). name is the name shown to the client; path is the entry's name in
// the FS, used for the unique fact if fi has no identity. It appends nothing for a name that does
// not fit on a line.
func appendFacts(b []byte, set facts, fi fs.FileInfo, path entryPath, name string, perm Perm, kind entryKind) []byte {
	if !showable(name) {
		return b
	}
	isDir := fi.IsDir()
	if set&factType != 0 {
		b = append(b, typeFact(kind, isDir)...)
	}
	if size := fi.Size(); set&factSize != 0 && !isDir && size >= 0 {
		b = append(b, "size="...)
		b = strconv.AppendInt(b, size, 10)
		b = append(b, ';')
	}
	if t := fi.ModTime(); set&factModify != 0 && hasTimeval(t) {
		b = append(b, "modify="...)
		b = appendTime(b, t)
		b = append(b, ';')
	}
	if set&factPerm != 0 {
		b = appendPerm(b, perm, isDir)
	}
	if set&factUnique != 0 {
		b = appendUnique(b, fi, path)
	}
	if set&(factUnixMode|factUnixUID|factUnixGID) != 0 {
		b = appendUnixFacts(b, set, fi)
	}
	b = append(b, ' ')
	return append(b, name...)
}

func typeFact(kind entryKind, isDir bool) string {
	switch {
	case kind == kindSelf:
		return "type=cdir;"
	case kind == kindParent:
		return "type=pdir;"
	case isDir:
		return "type=dir;"
	}
	return "type=file;"
}

// The letters of the perm fact and what they require (RFC 3659, section 7.5.5).
var (
	filePerms = [...]permLetter{
		{'r', PermRead}, {'w', PermWrite}, {'a', PermAppend}, {'d', PermDelete}, {'f', PermRename},
	}
	dirPerms = [...]permLetter{
		{'e', PermEnter}, {'l', PermRead}, {'c', PermCreate}, {'m', PermMkdir}, {'p', PermPurge}, {'d', PermDelete},
		{'f', PermRename},
	}
)

type permLetter struct {
	letter byte
	needs  Perm
}

func appendPerm(b []byte, perm Perm, isDir bool) []byte {
	letters := filePerms[:]
	if isDir {
		letters = dirPerms[:]
	}
	b = append(b, "perm="...)
	for _, l := range letters {
		if perm&l.needs != 0 {
			b = append(b, l.letter)
		}
	}
	return append(b, ';')
}

func appendUnixFacts(b []byte, set facts, fi fs.FileInfo) []byte {
	if set&factUnixMode != 0 {
		perm := fi.Mode().Perm()
		b = append(b, "UNIX.mode=0"...)
		b = append(b, byte('0'+perm>>6&7), byte('0'+perm>>3&7), byte('0'+perm&7), ';')
	}
	o, isOwned := fi.(Owned)
	if set&(factUnixUID|factUnixGID) == 0 || !isOwned {
		return b
	}
	uid, gid := o.Owner()
	if set&factUnixUID != 0 {
		b = append(b, "UNIX.uid="...)
		b = append(strconv.AppendUint(b, uint64(uid), 10), ';')
	}
	if set&factUnixGID != 0 {
		b = append(b, "UNIX.gid="...)
		b = append(strconv.AppendUint(b, uint64(gid), 10), ';')
	}
	return b
}

// entryPath is the name of an entry in the FS, in two parts so that a listing need not join them
// for every line.
type entryPath struct {
	dir  string // "" or "." for an entry of the root
	base string
}

// appendUnique appends the unique fact: the identity of fi, else "p" and a hash of the path; no
// identity begins with "p" (RFC 3659, section 7.5.2).
func appendUnique(b []byte, fi fs.FileInfo, path entryPath) []byte {
	b = append(b, "unique="...)
	if known, isIdentified := fi.(Identified); isIdentified {
		if id := known.ID(); id != 0 {
			return append(strconv.AppendUint(b, id, 16), ';')
		}
	}
	b = append(b, 'p')
	return append(strconv.AppendUint(b, path.hash(), 16), ';')
}

// hash is FNV-1a over the joined path.
func (p entryPath) hash() uint64 {
	h := uint64(14695981039346656037)
	if p.dir != "" && p.dir != "." {
		h = fnv1a(fnv1a(h, p.dir), "/")
	}
	return fnv1a(h, p.base)
}

func fnv1a(h uint64, s string) uint64 {
	for i := range len(s) {
		h = (h ^ uint64(s[i])) * 1099511628211
	}
	return h
}
