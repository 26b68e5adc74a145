package dropbox

import (
	"hash/fnv"
	"time"

	"ferry/remote"
)

// timeFormat is how times are written: in seconds.
const timeFormat = "2006-01-02T15:04:05Z"

// metadata are what Dropbox says of a file or a folder.
type metadata struct {
	Tag            string `json:".tag"` // file, folder or deleted; "" where only a file can be meant
	Name           string `json:"name"`
	PathDisplay    string `json:"path_display"`
	ID             string `json:"id"`
	ClientModified string `json:"client_modified"`
	Rev            string `json:"rev"`
	Size           int64  `json:"size"`
	ContentHash    string `json:"content_hash"`
	Downloadable   *bool  `json:"is_downloadable"`
	Sharing        struct {
		ReadOnly bool `json:"read_only"`
	} `json:"sharing_info"`
}

const (
	tagFolder  = "folder"
	tagDeleted = "deleted"
)

// document reports whether it has no content, and can only be exported: of Dropbox Paper and other
// editors.
func (m *metadata) document() bool { return m.Downloadable != nil && !*m.Downloadable }

// entry describes it as name.
func (m *metadata) entry(name string) remote.Entry {
	e := remote.Entry{Name: name, ID: number(m.ID), ReadOnly: m.Sharing.ReadOnly}
	if m.Tag == tagFolder {
		e.Dir = true
		return e
	}
	e.Size, e.Version = m.Size, m.Rev
	if t, err := time.Parse(time.RFC3339, m.ClientModified); err == nil {
		e.ModTime = t.UTC()
	}
	return e
}

// number makes a number of an ID.
func number(id string) uint64 {
	if id == "" {
		return 0
	}
	h := fnv.New64a()
	_, _ = h.Write([]byte(id)) // never fails
	return h.Sum64()
}

// kept returns a time as Dropbox keeps it, "" where it keeps another one.
func kept(t time.Time) string {
	if y := t.UTC().Year(); t.IsZero() || y < 1970 || y > 2105 {
		return ""
	}
	return t.UTC().Format(timeFormat)
}
