package onedrive

import (
	"encoding/base64"
	"encoding/hex"
	"strings"
	"time"

	"ferry/remote"
)

// fields are what is asked of items.
const fields = "id,name,size,eTag,cTag,createdDateTime,lastModifiedDateTime,fileSystemInfo,folder,file,package,root,remoteItem,parentReference,deleted"

// An item is what the service says of a file or a folder.
type item struct {
	ID        string    `json:"id"`
	Name      string    `json:"name"`
	Size      *int64    `json:"size"`
	ETag      string    `json:"eTag"`
	CTag      string    `json:"cTag"`
	Created   string    `json:"createdDateTime"`
	Modified  string    `json:"lastModifiedDateTime"`
	Times     *times    `json:"fileSystemInfo"`
	Folder    *struct{} `json:"folder"`
	File      *file     `json:"file"`
	Package   *struct{} `json:"package"`
	Root      *struct{} `json:"root"`
	Deleted   *struct{} `json:"deleted"`
	Remote    *item     `json:"remoteItem"` // where this is a link to an item of another drive
	Parent    parent    `json:"parentReference"`
	ContentAt string    `json:"@microsoft.graph.downloadUrl"` // a secret
}

type parent struct {
	DriveID string `json:"driveId,omitempty"`
	ID      string `json:"id"`
}

type times struct {
	Modified string `json:"lastModifiedDateTime"`
}

type file struct {
	MimeType string `json:"mimeType"`
	Hashes   struct {
		QuickXor string `json:"quickXorHash"`
		SHA1     string `json:"sha1Hash"`
		SHA256   string `json:"sha256Hash"`
		CRC32    string `json:"crc32Hash"`
	} `json:"hashes"`
}

// content returns the item that has the content: that of the other drive where i is a link.
func (i *item) content() *item {
	if i.Remote != nil {
		return i.Remote
	}
	return i
}

func (i *item) isDir() bool {
	c := i.content()
	return c.Folder != nil || c.Package != nil || c.Root != nil
}

// isNotebook reports whether an item belongs to OneNote: what is read of it is no file that can be
// written again.
func (i *item) isNotebook() bool {
	c := i.content()
	return c.Package != nil || c.File != nil && c.File.MimeType == "application/msonenote"
}

// quickXor returns the checksum of the content, nil where the service does not tell.
func (i *item) quickXor() []byte {
	if i.content().File == nil {
		return nil
	}
	sum, err := base64.StdEncoding.DecodeString(i.content().File.Hashes.QuickXor)
	if err != nil || len(sum) != xorSize {
		return nil
	}
	return sum
}

// hash returns a checksum of the content by the name of its algorithm, nil where there is none.
func (i *item) hash(algorithm string) []byte {
	if i.content().File == nil {
		return nil
	}
	digits := ""
	switch h := i.content().File.Hashes; algorithm {
	case QuickXor:
		return i.quickXor()
	case "sha1":
		digits = h.SHA1
	case "sha256":
		digits = h.SHA256
	case "crc32":
		digits = h.CRC32
	}
	sum, err := hex.DecodeString(strings.ToLower(digits))
	if err != nil || len(sum) == 0 {
		return nil
	}
	return sum
}

// entry describes the item as the file or directory called base.
func (i *item) entry(base string) remote.Entry {
	c := i.content()
	e := remote.Entry{Name: base, Size: -1, Dir: i.isDir(), ModTime: c.modTime()}
	switch {
	case e.Dir:
		e.Size = 0
	case c.Size != nil && *c.Size >= 0:
		e.Size = *c.Size
	}
	if !e.Dir {
		e.Version = c.CTag
	}
	return e
}

func (i *item) modTime() time.Time {
	if i.Times != nil {
		if t := parseTime(i.Times.Modified); !t.IsZero() {
			return t
		}
	}
	return parseTime(i.Modified)
}

// touched returns when something was last done to the item: a copy has the times of what is copied.
func (i *item) touched() time.Time {
	last := i.modTime()
	for _, other := range []time.Time{parseTime(i.Modified), parseTime(i.Created)} {
		if other.After(last) {
			last = other
		}
	}
	return last
}

// parseTime reads a time; zero for what is none.
func parseTime(s string) time.Time {
	t, err := time.Parse(time.RFC3339Nano, s)
	if err != nil {
		return time.Time{}
	}
	return t.UTC()
}

// timeOf writes a time for the service.
func timeOf(t time.Time, grain time.Duration) *times {
	if t.IsZero() {
		return nil
	}
	return &times{t.UTC().Truncate(grain).Format("2006-01-02T15:04:05.999Z")}
}
