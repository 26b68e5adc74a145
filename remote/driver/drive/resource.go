package drive

import (
	"strings"
	"time"
)

// Resources of the API, as far as this driver uses them.

const (
	folderType   = "application/vnd.google-apps.folder"
	shortcutType = "application/vnd.google-apps.shortcut"
	googleTypes  = "application/vnd.google-apps."
)

// fileFields are what is asked for of a file.
const fileFields = "id,name,mimeType,parents,size,createdTime,modifiedTime,trashed,headRevisionId,md5Checksum,sha1Checksum," +
	"sha256Checksum,appProperties,shortcutDetails(targetId,targetMimeType),capabilities(canModifyContent,canAddChildren,canReadRevisions)"

// A file is a file, a folder, a shortcut or a document.
type file struct {
	ID             string            `json:"id"`
	Name           string            `json:"name"`
	MimeType       string            `json:"mimeType"`
	Description    string            `json:"description"`
	Parents        []string          `json:"parents"`
	Size           *int64            `json:"size,string"` // documents have none
	CreatedTime    string            `json:"createdTime"`
	ModifiedTime   string            `json:"modifiedTime"`
	Trashed        bool              `json:"trashed"`
	Explicitly     bool              `json:"explicitlyTrashed"` // not with a folder above
	HeadRevisionID string            `json:"headRevisionId"`
	MD5            string            `json:"md5Checksum"`
	SHA1           string            `json:"sha1Checksum"`
	SHA256         string            `json:"sha256Checksum"`
	Properties     map[string]string `json:"properties"`
	AppProperties  map[string]string `json:"appProperties"`
	Shortcut       *shortcut         `json:"shortcutDetails"`
	Capabilities   *capabilities     `json:"capabilities"`
}

// A shortcut is what it leads to.
type shortcut struct {
	TargetID       string `json:"targetId"`
	TargetMimeType string `json:"targetMimeType"`
}

// capabilities are what the account may do.
type capabilities struct {
	CanModifyContent bool `json:"canModifyContent"`
	CanAddChildren   bool `json:"canAddChildren"`
	CanReadRevisions bool `json:"canReadRevisions"`
}

// isFolder reports whether f is a folder, or a shortcut to one.
func (f *file) isFolder() bool {
	return f.MimeType == folderType || f.Shortcut != nil && f.Shortcut.TargetMimeType == folderType
}

// isDocument reports whether f has no content but what it is exported as.
func (f *file) isDocument() bool {
	return strings.HasPrefix(f.MimeType, googleTypes) && f.MimeType != folderType && f.MimeType != shortcutType
}

// folderID returns the id of the folder that f is or leads to.
func (f *file) folderID() string {
	if f.Shortcut != nil {
		return f.Shortcut.TargetID
	}
	return f.ID
}

// A change is what a call sends of a file.
type change struct {
	ID            string             `json:"id,omitempty"`
	Name          string             `json:"name,omitempty"`
	MimeType      string             `json:"mimeType,omitempty"`
	Description   string             `json:"description,omitempty"`
	Parents       []string           `json:"parents,omitempty"`
	ModifiedTime  string             `json:"modifiedTime,omitempty"`
	Trashed       *bool              `json:"trashed,omitempty"`
	Properties    map[string]string  `json:"properties,omitempty"`
	AppProperties map[string]*string `json:"appProperties,omitempty"` // null removes one
}

// fileList is a page of files.
type fileList struct {
	NextPageToken string  `json:"nextPageToken"`
	Files         []*file `json:"files"`
}

// timeGrain is how precisely times are kept.
const timeGrain = time.Millisecond

// timeLayout writes them.
const timeLayout = "2006-01-02T15:04:05.000Z"

func writeTime(t time.Time) string { return t.UTC().Format(timeLayout) }

// readTime returns the zero time for what is none.
func readTime(s string) time.Time {
	t, err := time.Parse(time.RFC3339Nano, s)
	if err != nil {
		return time.Time{}
	}
	return t
}
