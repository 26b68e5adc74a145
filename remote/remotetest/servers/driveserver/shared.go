package driveserver

import (
	"net/http"
	"net/url"
	"strings"
)

// AddSharedDrive makes a shared drive, and returns its id, which is that of its root folder, too.
func (s *Server) AddSharedDrive() string {
	id := s.put(&item{name: "Drive", mime: folderType}, nil)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.items[id].drive = true
	return id
}

// driveOf returns the id of the shared drive that an item is in, "" for that of the account.
// LOCKS_REQUIRED(s.mu)
func (s *Server) driveOf(i *item) string {
	for ; i != nil; i = s.items[i.parent] {
		if i.drive {
			return i.id
		}
	}
	return ""
}

// knows reports whether a call may be about the file that its path names: one of a shared drive
// there is only for who says that it knows of such. Revisions and exports know of them anyway.
func (s *Server) knows(r *http.Request) bool {
	_, path, _ := strings.Cut(r.URL.Path, "/files/")
	id, what, _ := strings.Cut(path, "/")
	s.mu.Lock()
	defer s.mu.Unlock()
	known := what != "" && what != "copy" || r.URL.Query().Get("supportsAllDrives") == "true"
	return known || s.driveOf(s.find(id)) == ""
}

// isAsked reports whether a list with these parameters is of an item, too, by its drive.
// LOCKS_REQUIRED(s.mu)
func (s *Server) isAsked(i *item, query url.Values) bool {
	drive := s.driveOf(i)
	if query.Get("corpora") == "drive" && drive != query.Get("driveId") {
		return false
	}
	return drive == "" || query.Get("supportsAllDrives") == "true" && query.Get("includeItemsFromAllDrives") == "true"
}
