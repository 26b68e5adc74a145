// Package drive is a remote in Google Drive: the files of an account, of a shared drive, or what
// others share with the account. It speaks version 3 of the API.
//
// Drive knows files by ids; a name is a property that several files of one folder may have. Of
// those one counts, by a rule that everybody who asks comes to: what another one of them replaces
// does not count (a Move over a file notes that with the new one); of the rest, the oldest decides
// whether the name is a folder; the oldest of the folders counts, or the newest of the files. The
// others are reported as left out. What this package makes it looks at once more, so that two who
// make one name at the same time do not leave two.
//
// A file that is replaced keeps its id, and so its links, its shares and its old contents as
// revisions. Reads name the revision that they read, so that no two parts are of different
// contents.
//
// Which folder a path is, is remembered for dirAge, in which changes by other programs to folders
// above a file may go unseen.
//
//	drive.go     Options, and what the remote is
//	watch.go     Watch; paths.go: the paths of an id
//	put.go       Put; upload.go: how contents are sent
//	move.go      Move and Copy
//	tree.go      Remove, Mkdir, Rmdir
//	create.go    what is made anew
//	list.go      List; meta.go: Stat, times, sums, how full it is; read.go: Open
//	discard.go   what is removed; settle.go: changes whose answer was lost
//	dirs.go      the folder of a path
//	find.go      the file of a name; choose.go: which of several
//	recent.go    what got its name just now; seen.go: where files were shown
//	entry.go     an entry of a file; document.go: documents and what they are read as
//	name.go      how names are written, and which may be
//	ids.go       ids for new files
//	service.go   the calls of the API; errors.go; resource.go
package drive

import (
	"context"
	"errors"
	"strings"

	"golang.org/x/oauth2"

	"ferry/budget"
	"ferry/remote"
	"ferry/remote/driver/internal/namelock"
	"ferry/remote/nameenc"
	"ferry/remote/network"
)

// Encoding is how names are written unless Options say otherwise.
const Encoding = nameenc.InvalidUtf8

// Options are how Google Drive is reached, and what of it is served. One of Tokens and Account must
// name who asks.
type Options struct {
	Name    string             // which account it is, among all that this program knows
	Tokens  oauth2.TokenSource // of a user
	Login   string             // the command that logs a user in again, for errors; "" = it is no user
	Account Account            // of a program
	Scope   string             // what may be done: "drive", "drive.readonly" ..., separated by commas; "" = drive

	RootFolderID string // the folder that is the root; "" = that of the account, or of the shared drive
	TeamDrive    string // id of a shared drive
	SharedWithMe bool   // the root holds what others share with the account, and cannot be changed
	TrashedOnly  bool   // only what is in the trash is shown; nothing can be changed
	SkipShortcut bool   // shortcuts are left out

	// ExportFormats are the forms that documents are read in, by their extensions: the first that
	// there is for a kind of document counts. nil = DefaultFormats.
	ExportFormats []string
	SkipDocuments bool // documents are left out

	DeleteForever       bool // what is removed does not go to the trash
	AcknowledgeAbuse    bool // read files that the service thinks dangerous
	KeepRevisionForever bool // keep the old contents of files

	ChunkSize    int64 // how much is sent at a time; 0 = 8 MiB
	UploadCutoff int64 // up to where a file is sent in one request; 0 = the most that the service takes; below 0 = nothing is
	ListChunk    int   // how many entries are asked for at once; 0 = 1000

	Network  network.Options
	Endpoint string           // of another server with the same interface: https://host:port
	Encoding nameenc.Encoding // 0 = Encoding; nameenc.Raw for none
}

// An Account is who is not a person: the first that is named counts.
type Account struct {
	JSON    string // the key of a service account, the content of its file
	File    string // that has such a key
	Env     bool   // what the environment offers: a file, the metadata server
	Subject string // the user on whose behalf a service account acts; "" = itself
}

// Remote is a folder of Google Drive.
type Remote struct {
	service *service
	options Options
	base    string // path from the root folder of the options
	names   *namelock.Names
	dirs    *dirs
	ids     ids
	seen    seen
	recent  recent
	formats []format
}

// New returns the folder at path. It makes no request; ctx is not used afterwards, except for its
// values. An option that cannot be right is an error of one line that names it.
func New(ctx context.Context, path string, o Options) (*Remote, error) {
	path = strings.Trim(path, "/")
	if path == "" {
		path = "."
	}
	if !remote.ValidPath(path) {
		return nil, errors.New("drive: the path of the remote is no path: a/b")
	}
	if o.Encoding == 0 {
		o.Encoding = Encoding
	}
	if o.Network.Memory == nil {
		o.Network.Memory = budget.New(0)
	}
	if err := checkSizes(&o); err != nil {
		return nil, err
	}
	formats, err := parseFormats(o.ExportFormats)
	if err != nil {
		return nil, err
	}
	s, err := newService(context.WithoutCancel(ctx), o)
	if err != nil {
		return nil, err
	}
	return &Remote{service: s, options: o, base: path, names: namelock.New(), dirs: newDirs(s.rootAlias()), formats: formats}, nil
}

// Info implements remote.Remote.
func (r *Remote) Info() remote.Info {
	name := "drive:"
	if r.options.Name != "" {
		name = r.options.Name + ":"
	}
	path := r.base
	if path == "." {
		path = ""
	}
	place := "drive:" + r.options.Name + ":" + r.service.rootAlias() + ":" + path
	if r.options.SharedWithMe || r.options.TrashedOnly {
		name += "(some)"
		place += ":some"
	}
	return remote.Info{Name: name + path, Place: place, Caps: remote.Caps{
		ReadOnly: r.readOnly(),
		MoveDir:  true,
		ModTime:  timeGrain,
	}}
}

// Close implements remote.Remote.
func (r *Remote) Close() error {
	r.service.Client.CloseIdleConnections()
	return nil
}
