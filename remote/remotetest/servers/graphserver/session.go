package graphserver

import (
	"fmt"
	"io"
	"net/http"
	"strconv"
	"time"
)

const (
	fragmentUnit = 320 << 10 // what the length of a fragment is a multiple of, but for the last
	maxFragment  = 60 << 20
	sessionTime  = time.Hour
)

// A session is an upload in fragments.
type session struct {
	at       address
	conflict string
	times    time.Time
	size     int64 // -1 = not known yet
	content  []byte
	expires  time.Time
}

// createSession begins an upload.
func (s *Server) createSession(w http.ResponseWriter, r *http.Request, at address, body []byte) {
	var asks struct {
		Item struct {
			Conflict string `json:"@microsoft.graph.conflictBehavior"`
			FileSize int64
			Info     struct {
				Modified time.Time `json:"lastModifiedDateTime"`
			} `json:"fileSystemInfo"`
		}
	}
	if len(body) > 0 && !parse(w, r, body, &asks) {
		return
	}
	folder, name, err := s.place(at)
	if err == nil && asks.Item.FileSize > 0 {
		err = at.drive.room(asks.Item.FileSize)
	}
	if err == nil {
		old := folder.children[fold(name)]
		switch {
		case old == nil:
		case old.locked:
			err = &failure{http.StatusLocked, "resourceLocked"}
		case old.dir:
			err = &failure{http.StatusConflict, "nameAlreadyExists"}
		default:
			err = old.match(at.drive, r)
		}
	}
	if err != nil {
		answers(w, err)
		return
	}
	// What is moved meanwhile takes the upload with it.
	at = address{drive: at.drive, id: folder.id, path: name}
	id := s.newID("UPLOAD")
	conflict := asks.Item.Conflict
	if conflict == "" {
		conflict = "fail"
	}
	s.sessions[id] = &session{at: at, conflict: conflict, times: asks.Item.Info.Modified, size: -1, expires: time.Now().Add(sessionTime)}
	says(w, http.StatusOK, map[string]any{
		"uploadUrl":          "http://" + r.Host + "/up/" + id,
		"expirationDateTime": stamp(s.sessions[id].expires),
	})
}

// fragment takes a piece of an upload, or says what there is, or forgets it all. A token is not
// welcome: who knows the address may write.
func (s *Server) fragment(w http.ResponseWriter, r *http.Request, id string) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return // what has not come whole is ignored
	}
	if r.Header.Get("Authorization") != "" {
		fails(w, http.StatusUnauthorized, "unauthenticated")
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	u := s.sessions[id]
	if u == nil || time.Now().After(u.expires) {
		delete(s.sessions, id)
		fails(w, http.StatusNotFound, "itemNotFound")
		return
	}
	switch r.Method {
	case http.MethodGet:
		says(w, http.StatusOK, u.state())
	case http.MethodDelete:
		delete(s.sessions, id)
		w.WriteHeader(http.StatusNoContent)
	case http.MethodPut:
		s.take(w, r, id, u, body)
	default:
		fails(w, http.StatusMethodNotAllowed, "invalidRequest")
	}
}

func (u *session) state() map[string]any {
	return map[string]any{"expirationDateTime": stamp(u.expires), "nextExpectedRanges": []string{strconv.Itoa(len(u.content)) + "-"}}
}

// take takes a piece, and makes the file after the last one.
func (s *Server) take(w http.ResponseWriter, r *http.Request, id string, u *session, body []byte) {
	var first, last, size int64
	_, err := fmt.Sscanf(r.Header.Get("Content-Range"), "bytes %d-%d/%d", &first, &last, &size)
	n := int64(len(body))
	switch {
	case err != nil || n == 0 || last-first+1 != n || last >= size || r.ContentLength != n,
		u.size >= 0 && u.size != size,
		last+1 != size && n%fragmentUnit != 0:
		fails(w, http.StatusBadRequest, "invalidRequest")
		return
	case n > maxFragment:
		fails(w, http.StatusRequestEntityTooLarge, "maxFragmentSizeExceeded")
		return
	case first != int64(len(u.content)):
		fails(w, http.StatusRequestedRangeNotSatisfiable, "invalidRange")
		return
	}
	u.size = size
	if last+1 != size {
		u.content = append(u.content, body...)
		says(w, http.StatusAccepted, u.state())
		return
	}
	content := append(u.content[:len(u.content):len(u.content)], body...)
	made, isNew, err := s.store(r, u.at, content, u.times, u.conflict)
	if err != nil { // the session stays
		answers(w, err)
		return
	}
	delete(s.sessions, id)
	status := http.StatusOK
	if isNew {
		status = http.StatusCreated
	}
	says(w, status, s.describe(nil, u.at.drive, made, false))
}
