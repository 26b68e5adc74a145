package driveserver

import (
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Types of what is no file.
const (
	folderType   = "application/vnd.google-apps.folder"
	shortcutType = "application/vnd.google-apps.shortcut"
	googleTypes  = "application/vnd.google-apps."
)

// An item is a file, a folder, a shortcut or a document. All but its revisions is guarded by the
// server's mu.
type item struct {
	id, name, mime, description string
	parent                      string // "" = it is not in a folder of the account
	created, modified           time.Time
	trashed                     bool // itself, not with its folder
	shared                      bool // by others, with the account
	frozen                      bool // the account may not change it
	drive                       bool // the root of a shared drive
	dangerous                   bool // it is only given to who says that it may be
	target                      string
	properties, app             map[string]string
	revisions                   []revision        // the last one counts; none of what is no file
	exports                     map[string]string // contents of a document by type
}

// A revision is a content, with its sums.
type revision struct {
	id, content, md5, sha1, sha256 string
	kept                           bool // for ever
}

func (i *item) isFile() bool { return !strings.HasPrefix(i.mime, googleTypes) }

func (i *item) head() revision {
	if len(i.revisions) == 0 {
		return revision{}
	}
	return i.revisions[len(i.revisions)-1]
}

// newID returns an id that was never given before. All are of one length.
// LOCKS_REQUIRED(s.mu)
func (s *Server) newID() string {
	s.made++
	sum := sha256.Sum256([]byte(strconv.Itoa(s.made)))
	return "1" + hex.EncodeToString(sum[:])[:26] + fmt.Sprintf("%06d", s.made)
}

// find returns the item of an id, by its alias, too.
// LOCKS_REQUIRED(s.mu)
func (s *Server) find(id string) *item {
	if id == "root" {
		id = s.Root
	}
	return s.items[id]
}

// isTrashed reports whether an item or a folder above it is in the trash.
// LOCKS_REQUIRED(s.mu)
func (s *Server) isTrashed(i *item) bool {
	for ; i != nil; i = s.items[i.parent] {
		if i.trashed {
			return true
		}
	}
	return false
}

// changed notes that an item has changed.
// LOCKS_REQUIRED(s.mu)
func (s *Server) changed(id string) { s.changes = append(s.changes, id) }

// add puts a new item in.
// LOCKS_REQUIRED(s.mu)
func (s *Server) add(i *item) {
	now := time.Now().Truncate(time.Millisecond)
	if i.created.IsZero() {
		i.created = now
	}
	if i.modified.IsZero() {
		i.modified = now
	}
	s.items[i.id] = i
	s.move(i, i.parent)
	s.changed(i.id)
}

// store gives a file a new content, whose revision is kept for ever or not.
// LOCKS_REQUIRED(s.mu)
func (s *Server) store(i *item, content string, keep bool) {
	one, two, three := md5.Sum([]byte(content)), sha1.Sum([]byte(content)), sha256.Sum256([]byte(content))
	i.revisions = append(i.revisions, revision{
		s.newID(), content, hex.EncodeToString(one[:]), hex.EncodeToString(two[:]), hex.EncodeToString(three[:]), keep,
	})
}

// candidates returns the items that a query can be about which names these folders.
// LOCKS_REQUIRED(s.mu)
func (s *Server) candidates(parents []string) []*item {
	if s.frozen != nil {
		return s.frozen
	}
	if len(parents) != 1 {
		return slices.Collect(maps.Values(s.items))
	}
	return slices.Collect(maps.Values(s.below[s.find(parents[0]).id]))
}

// move puts an item into a folder, "" for none.
// LOCKS_REQUIRED(s.mu)
func (s *Server) move(i *item, parent string) {
	delete(s.below[i.parent], i.id)
	i.parent = parent
	if s.below[parent] == nil {
		s.below[parent] = map[string]*item{}
	}
	s.below[parent][i.id] = i
}

// used is how much the account stores.
// LOCKS_REQUIRED(s.mu)
func (s *Server) used() (n int64) {
	for _, i := range s.items {
		n += int64(len(i.head().content))
	}
	return n
}

// delete removes an item and all below it for good.
// LOCKS_REQUIRED(s.mu)
func (s *Server) delete(id string) {
	for below := range maps.Clone(s.below[id]) {
		s.delete(below)
	}
	if i := s.items[id]; i != nil {
		delete(s.below[i.parent], id)
	}
	delete(s.items, id)
	delete(s.below, id)
	s.changed(id)
}

const timeLayout = "2006-01-02T15:04:05.000Z"

// describe returns what is told of an item.
// LOCKS_REQUIRED(s.mu)
func (s *Server) describe(i *item) map[string]any {
	d := map[string]any{
		"kind": "drive#file", "id": i.id, "name": i.name, "mimeType": i.mime, "trashed": s.isTrashed(i), "explicitlyTrashed": i.trashed,
		"createdTime": i.created.UTC().Format(timeLayout), "modifiedTime": i.modified.UTC().Format(timeLayout),
		"capabilities": map[string]any{"canModifyContent": !i.frozen && i.mime != shortcutType, "canAddChildren": !i.frozen && i.mime == folderType, "canReadRevisions": !i.frozen},
	}
	if i.parent != "" {
		d["parents"] = []string{i.parent}
	}
	if i.description != "" {
		d["description"] = i.description
	}
	if len(i.properties) > 0 {
		d["properties"] = maps.Clone(i.properties)
	}
	if len(i.app) > 0 {
		d["appProperties"] = maps.Clone(i.app)
	}
	if i.isFile() {
		head := i.head()
		d["size"], d["headRevisionId"] = strconv.Itoa(len(head.content)), head.id
		d["md5Checksum"], d["sha1Checksum"], d["sha256Checksum"] = head.md5, head.sha1, head.sha256
	}
	if i.target != "" {
		details := map[string]any{"targetId": i.target}
		if to := s.items[i.target]; to != nil {
			details["targetMimeType"] = to.mime
		}
		d["shortcutDetails"] = details
	}
	return d
}
