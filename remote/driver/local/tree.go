package local

import (
	"context"
	"io/fs"
	"os"
	"time"
)

// A tree reaches what lies beneath one directory and nothing else. It is the few system calls that
// the driver is made of; there is one on os.Root for every system, and one for Linux that needs
// fewer of them. It takes names that are valid, and returns the errors of the system as they are. A
// link that may not be followed is ELOOP or ErrNotExist.
type tree interface {
	// dir opens the directory name. The caller closes it.
	dir(name string) (dir, error)
	// stat describes name, following links where they are followed.
	stat(name string) (meta, error)
	// openFile opens name for reading if it is a regular file, and otherwise only describes it. It
	// does not wait for the other end of a fifo.
	openFile(name string) (*os.File, meta, error)
	// chtimes and chmod change what stat describes.
	chtimes(name string, t time.Time) error
	chmod(name string, perm fs.FileMode) error
	usage() (total, free int64, err error)
	close() error
}

// An openedTree is the tree of a directory that is open.
type openedTree interface {
	tree
	// place tells the directory from others that come to its path.
	place() (place, error)
	// now is the place of what its path leads to at this moment.
	now() (place, error)
}

// A dir is an open directory. No method follows a link, except that list does where links are
// followed: then what the link leads to is described under the link's name, and links that lead
// nowhere or outside are left out.
type dir interface {
	entries
	lstat(base string) (meta, error)
	// writable returns nil if the process may write the existing file base.
	writable(base string) error
	// sync makes what entered and left the directory survive a loss of power.
	sync() error
	// list calls yield for what the directory holds until yield returns false or ctx ends.
	list(ctx context.Context, yield func(*meta) bool) error
	close()
}

// entries are what an open directory holds, to be changed.
type entries interface {
	// create makes a new file.
	create(base string, perm fs.FileMode) (*os.File, error)
	// reopen opens an existing regular file for reading and writing.
	reopen(base string) (*os.File, error)
	// rename moves from to the name to in the directory in. Unless replace, in must not hold that
	// name.
	rename(from string, in dir, to string, replace bool) error
	remove(base string) error
	mkdir(base string, perm fs.FileMode) error
	rmdir(base string) error
	chtimes(base string, t time.Time) error
}
