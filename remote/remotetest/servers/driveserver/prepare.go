package driveserver

import (
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"
)

// AddFolder makes a folder in another one, and returns its id.
func (s *Server) AddFolder(parent, name string) string {
	return s.put(&item{parent: parent, name: name, mime: folderType}, nil)
}

// AddFile makes a file in a folder, also where there is one of that name. It returns the id.
func (s *Server) AddFile(parent, name, content string) string {
	return s.put(&item{parent: parent, name: name, mime: "application/octet-stream"}, &content)
}

// AddDocument makes a document of a kind, as "document", that is exported as exports tell by type.
func (s *Server) AddDocument(parent, name, kind string, exports map[string]string) string {
	return s.put(&item{parent: parent, name: name, mime: googleTypes + kind, exports: exports}, nil)
}

// AddShortcut makes a shortcut to what has the id target.
func (s *Server) AddShortcut(parent, name, target string) string {
	return s.put(&item{parent: parent, name: name, mime: shortcutType, target: target}, nil)
}

func (s *Server) put(i *item, content *string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	i.id, i.properties, i.app = s.newID(), map[string]string{}, map[string]string{}
	if content != nil {
		s.store(i, *content, false)
	}
	s.add(i)
	return i.id
}

// Share takes a file out of its folder: somebody else shares it with the account, which may read it
// only.
func (s *Server) Share(id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	i := s.items[id]
	i.shared, i.frozen = true, true
	s.move(i, "")
	s.changed(id)
}

// ID returns the id of what has a name in a folder, "" where nothing has.
func (s *Server) ID(parent, name string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	for id, i := range s.below[parent] {
		if i.name == name {
			return id
		}
	}
	return ""
}

// Created sets when a file was made.
func (s *Server) Created(id string, t time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.items[id].created = t
}

// Rename gives a file a new name and folder, as another program does.
func (s *Server) Rename(id, parent, name string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.items[id].name = name
	s.move(s.items[id], parent)
	s.changed(id)
}

// Trash puts a file into the trash.
func (s *Server) Trash(id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.items[id].trashed = true
	s.changed(id)
}

// Endanger makes a file one that the service takes for malware.
func (s *Server) Endanger(id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.items[id].dangerous = true
}

// Delete removes a file for good.
func (s *Server) Delete(id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.delete(id)
}

// Quota says how much the account may store.
func (s *Server) Quota(n int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.quota = n
}

// Refuse makes the next n requests fail with a status and a reason, and with that header
// Retry-After where it is above 0.
func (s *Server) Refuse(n, status int, reason string, retryAfter int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for range n {
		s.refusals = append(s.refusals, refusal{status, reason, retryAfter})
	}
}

// Freeze makes queries find what there is now, whatever comes later, until Thaw.
func (s *Server) Freeze() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.frozen = []*item{}
	for _, i := range s.items {
		s.frozen = append(s.frozen, new(*i))
	}
}

// Thaw makes queries find what there is.
func (s *Server) Thaw() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.frozen = nil
}

// Hook calls f before each request is carried out; nil = nothing. f may change what there is.
func (s *Server) Hook(f func(*http.Request)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.hook = f
}

// Requests returns method and path of each request so far.
func (s *Server) Requests() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.requests)
}

// EndSessions ends all uploads that are under way.
func (s *Server) EndSessions() {
	s.mu.Lock()
	defer s.mu.Unlock()
	clear(s.sessions)
}

// Kept returns the contents of a file that are kept for ever, the oldest first.
func (s *Server) Kept(id string) (all []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, one := range s.items[id].revisions {
		if one.kept {
			all = append(all, one.content)
		}
	}
	return all
}

// Contents lists what is in a folder and not in the trash: names and contents with = between them,
// folders end in a slash; sorted.
func (s *Server) Contents(parent string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []string
	for i := range maps.Values(s.items) {
		switch {
		case i.parent != parent || s.isTrashed(i):
		case i.mime == folderType:
			all = append(all, i.name+"/")
		default:
			all = append(all, i.name+"="+i.head().content)
		}
	}
	slices.Sort(all)
	return strings.Join(all, " ")
}
