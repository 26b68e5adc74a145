// Package onedrive is a remote on Microsoft Graph: OneDrive of a person, OneDrive for work or
// school, and document libraries of SharePoint.
//
// Items are addressed by their path, which is one request and never stale. What is changed is
// addressed by its id, which the same call has just looked up: an id stays with an item that is
// renamed or replaced, so that what became of a change whose answer was lost can be found out.
//
// A file is stored in one step, by one request or by an upload session. A session whose answer was
// lost is asked what it has, and one that is given up is canceled, so that it never completes
// later. The service must be told the length of a file first: a body of unknown length is collected
// in a temporary file of this machine, unless it is short.
//
//	onedrive.go    options, New
//	put.go         Put; spool.go: bodies of unknown length; session.go, fragment.go: long ones
//	copy.go        Copy; move.go: Move; replace.go: over a file
//	tree.go        Remove, Mkdir, Rmdir
//	meta.go        times, checksums, quota
//	watch.go       changes by others; change.go: what one of them is
//	list.go        List; read.go: Open
//	stat.go        Stat; look.go: how names lead to items, also where one was not replaced to the end
//	find.go        the item at a path; aside.go: what is called otherwise while it is replaced
//	rename.go      the requests that rename and remove
//	mounts.go      folders of others that are linked into the drive; places.go: old names of items
//	item.go        what the service says of an item; address.go: where it is
//	request.go     requests; throttle.go: how fast; errors.go: what answers mean
//	name.go        which names there can be
//	quickxor.go    the checksum of the service
package onedrive

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"time"

	"golang.org/x/oauth2"

	"ferry/budget"
	"ferry/remote"
	"ferry/remote/driver/internal/httpclient"
	"ferry/remote/driver/internal/namelock"
	"ferry/remote/nameenc"
	"ferry/remote/network"
)

// Encoding is how names are written unless Options say otherwise.
const Encoding = nameenc.Slash | nameenc.LtGt | nameenc.DoubleQuote | nameenc.Colon | nameenc.Question | nameenc.Asterisk |
	nameenc.Pipe | nameenc.BackSlash | nameenc.Del | nameenc.Ctl | nameenc.LeftSpace | nameenc.LeftTilde |
	nameenc.RightSpace | nameenc.RightPeriod | nameenc.InvalidUtf8 | nameenc.Dot

const (
	// ChunkUnit is what the length of every fragment of an upload but the last is a multiple of.
	ChunkUnit = 320 << 10
	// defaultChunk is how long fragments are.
	defaultChunk = 32 * ChunkUnit
	// maxChunk is the longest request that the service takes.
	maxChunk = 250 << 20
	// defaultList is how many entries are asked for at a time.
	defaultList = 1000
)

// Kinds of drives.
const (
	Personal        = "personal"
	Business        = "business"
	DocumentLibrary = "documentLibrary"
)

// Options are how to reach a drive, and how to store there. The zero value is fine for the drive of
// whom Tokens belong to, but for Tokens.
type Options struct {
	Tokens    oauth2.TokenSource // who is asking; nil = nobody says, for doubles of the service
	Name      string             // of the remote in the configuration, which tells accounts apart
	Login     string             // the command that logs in again, for errors
	DriveID   string             // "" = the drive of whom the token belongs to
	DriveType string             // Personal, Business or DocumentLibrary; "" = one of the latter two
	Region    string             // global, us, de or cn; "" = global
	Endpoint  string             // of another server with the same interface: https://host:port
	RootID    string             // of the folder that the path begins at; "" = the root of the drive
	ChunkSize int64              // of fragments, a multiple of ChunkUnit; 0 = 10 MiB
	// UploadCutoff is up to which length a file whose modification time is to be kept goes in one
	// request, and its time in a second one; 0 and below = it never does.
	UploadCutoff int64
	ListChunk    int              // entries asked for at a time; 0 = 1000
	OneNote      bool             // show notebooks
	NoVersions   bool             // remove old versions of what is replaced
	HardDelete   bool             // do not use the recycle bin (Business, DocumentLibrary)
	NoHash       bool             // do not compare checksums of what was stored and read
	Encoding     nameenc.Encoding // 0 = Encoding; nameenc.Raw for none
	Network      network.Options
}

// Remote is a directory of a drive.
type Remote struct {
	opt    Options
	api    *api
	drive  string // address of the drive: /drives/ID
	below  string // path of the remote on the drive, as the service has it; "" = its root
	name   string
	place  string
	mounts *mounts
	names  *namelock.Names // of files that are just replaced in two steps
	known  *places
	asides *asides
	gap    time.Duration // gapTime, or what a test says
	ages   remote.Ages

	replaced atomic.Uint64 // how many files were replaced in two steps
}

// New returns the directory at path, from the root that the options name on. It makes no request;
// an option that cannot be right is an error of one line that names it.
func New(_ context.Context, path string, o Options) (*Remote, error) {
	if err := complete(&o); err != nil {
		return nil, err
	}
	endpoint, err := endpointOf(o)
	if err != nil {
		return nil, err
	}
	path = strings.Trim(path, "/")
	if path != "" && !remote.ValidPath(path) {
		return nil, errors.New("onedrive: the path of the remote is none: write it as in documents/reports")
	}
	r := &Remote{opt: o, drive: "/me/drive", name: "onedrive:" + path, mounts: newMounts(), names: namelock.New(), known: newPlaces(), asides: newAsides(), gap: gapTime}
	if path != "" {
		r.below = o.Encoding.EncodePath(path)
	}
	r.ages.Began(time.Now())
	whose := "me@" + o.Name
	if o.DriveID != "" {
		r.drive, whose = "/drives/"+httpclient.Escape(o.DriveID), o.DriveID
	}
	r.place = fmt.Sprintf("onedrive:%s/%s/%s/%s", endpoint.Host, whose, o.RootID, path)
	client := httpclient.New(endpoint, httpclient.Options{
		Redirects: []string{"*"}, // contents come from hosts that the service names
		Network:   o.Network,
		Option:    "endpoint",
		Harmless:  func(q *http.Request) bool { return isQuiet(q.Context()) },
	})
	r.api = &api{client: client, base: endpoint, tokens: o.Tokens, login: o.Login, tries: o.Network.Tries()}
	return r, nil
}

// complete checks the options and sets what was left out.
func complete(o *Options) error {
	switch o.DriveType {
	case "", Personal, Business, DocumentLibrary:
	default:
		return fmt.Errorf("onedrive: option drive_type: %.40q is none of %s, %s, %s", o.DriveType, Personal, Business, DocumentLibrary)
	}
	o.ChunkSize = cmp.Or(o.ChunkSize, defaultChunk)
	if o.ChunkSize < ChunkUnit || o.ChunkSize%ChunkUnit != 0 || o.ChunkSize > maxChunk {
		return errors.New("onedrive: option chunk_size must be a multiple of 320Ki, of 250Mi at most")
	}
	if o.ListChunk < 0 {
		return errors.New("onedrive: option list_chunk must not be below 0")
	}
	if o.HardDelete && o.DriveType == Personal {
		return errors.New("onedrive: option hard_delete: drives of persons always use the recycle bin, remove the option")
	}
	o.ListChunk = cmp.Or(o.ListChunk, defaultList)
	o.Encoding = cmp.Or(o.Encoding, Encoding)
	if o.Network.Memory == nil {
		o.Network.Memory = budget.New(0)
	}
	return nil
}

// Info implements remote.Remote.
func (r *Remote) Info() remote.Info {
	return remote.Info{Name: r.name, Place: r.place, Caps: remote.Caps{
		CaseInsensitive: true,
		MoveDir:         true,
		ModTime:         r.grain(),
		MaxName:         maxName,
	}}
}

// Close implements remote.Remote.
func (r *Remote) Close() error {
	r.api.client.Close()
	return nil
}
