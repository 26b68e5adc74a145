package access

import (
	"io/fs"

	"ferry/ftp"
)

// kind is what an entry is.
type kind uint8

const (
	aFile kind = iota
	aPart      // an unfinished upload of this user
	aDir
)

func kindOf(info fs.FileInfo) kind {
	if info.IsDir() {
		return aDir
	}
	if p, may := info.(ftp.Partial); may && p.Unfinished() {
		return aPart
	}
	return aFile
}

// A grant is what the client may do with one entry.
type grant struct {
	there  bool  // it may know that the entry exists
	listed bool  // a listing of the parent shows the entry
	verbs  Verbs // with the entry
	inside Verbs // with what is in the directory
	lists  bool  // it may list the directory, at least a part of it
}

const (
	onFiles = List | Download | Overwrite | Resume | Delete | Rename | Mtime | Chmod // act on a file that exists
	onDirs  = Rmdir | Rename | Mtime | Chmod                                         // act on a directory as an entry
)

// of returns the grant for an entry called name. Everything that is allowed or refused, and
// everything that is shown, follows from it.
func (r *rules) of(name string, k kind, mine share) grant {
	judged := r.patterns.of(name, k == aDir)
	if judged == hidden {
		return grant{}
	}
	g := r.file(name, k, mine)
	if k == aDir {
		g = r.dir(name, mine)
	}
	if judged == denied {
		g.verbs, g.inside, g.lists = 0, 0, false
	}
	return g
}

func (r *rules) file(name string, k kind, mine share) grant {
	c := r.ofFile(name)
	v := c.Verbs
	switch {
	case k == aPart: // the tree shows only those of its user
		return grant{there: v.any(onFiles | Upload), listed: v.any(List) || c.OwnOnly && v != 0, verbs: v & (Upload | Delete)}
	case c.OwnOnly && mine != stored:
		return grant{}
	case c.OwnOnly:
		return grant{there: true, listed: true, verbs: v}
	}
	return grant{there: v.any(onFiles), listed: v.has(List), verbs: v}
}

func (r *rules) dir(name string, mine share) grant {
	in, above := r.inside(name), r.inside(parent(name))
	leads := r.leads(name, depthOf(name)+1)
	if in.Verbs == 0 && !leads && name != root {
		return grant{}
	}
	g := grant{there: true, verbs: above.Verbs & onDirs, inside: in.Verbs}
	g.lists = in.Verbs.has(List) || in.OwnOnly || leads
	g.listed = r.leads(name, depthOf(name)) || above.Verbs.has(List) && !above.OwnOnly || above.OwnOnly && mine != foreign
	if above.OwnOnly && mine != stored {
		g.verbs = 0
	}
	if name == root {
		g.verbs &^= Rmdir | Rename
	}
	if !r.uniform(name) || r.patterns.under(name) {
		g.verbs &^= Rename
	}
	return g
}

// perm returns g as the perm fact has it.
func (g grant) perm(k kind) ftp.Perm {
	var perm ftp.Perm
	add := func(granted bool, p ftp.Perm) {
		if granted {
			perm |= p
		}
	}
	switch k {
	case aFile:
		add(g.verbs.has(Download), ftp.PermRead)
		add(g.verbs.has(Overwrite), ftp.PermWrite)
		add(g.verbs.has(Resume), ftp.PermAppend)
		add(g.verbs.has(Rename), ftp.PermRename)
		add(g.verbs.has(Delete), ftp.PermDelete)
	case aPart:
		add(g.verbs.has(Upload), ftp.PermWrite|ftp.PermAppend)
		add(g.verbs.has(Delete), ftp.PermDelete)
	case aDir:
		add(g.there, ftp.PermEnter)
		add(g.lists, ftp.PermRead)
		add(g.inside.has(Upload), ftp.PermCreate)
		add(g.inside.has(Mkdir), ftp.PermMkdir)
		add(g.inside.any(Delete|Rmdir), ftp.PermPurge)
		add(g.verbs.has(Rename), ftp.PermRename)
		add(g.verbs.has(Rmdir), ftp.PermDelete)
	}
	return perm
}
