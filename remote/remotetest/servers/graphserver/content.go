package graphserver

import (
	"bytes"
	"net/http"
	"strings"
	"time"
)

// maxSimple is the longest content of one request.
const maxSimple = 250 << 20

// redirect says where the content of a file is.
func (s *Server) redirect(w http.ResponseWriter, r *http.Request, at address) {
	n, err := at.find()
	if err == nil && n.link != nil {
		at.drive, n = n.linkDrive, n.link
	}
	if err == nil && n.dir {
		err = &failure{http.StatusBadRequest, "invalidRequest"}
	}
	if err != nil {
		answers(w, err)
		return
	}
	w.Header().Set("Location", contentAddress(r, at.drive, n))
	w.WriteHeader(http.StatusFound)
}

// download sends the content that a file has now to who knows the address.
func (s *Server) download(w http.ResponseWriter, r *http.Request, path string) {
	drive, id, _ := strings.Cut(path, "/")
	s.mu.Lock()
	var n *node
	d := s.drives[strings.ReplaceAll(drive, "_", "!")]
	if d != nil {
		n = d.items[id]
	}
	if n == nil || r.URL.Query().Get("tempauth") != "secret" || r.Header.Get("Authorization") != "" {
		s.mu.Unlock()
		fails(w, http.StatusNotFound, "itemNotFound")
		return
	}
	content, tag := n.content, n.eTag(d)
	if n.tampered != nil {
		content = n.tampered
	}
	if s.noTags {
		tag = ""
	}
	s.mu.Unlock()
	if tag != "" {
		if !strings.HasPrefix(tag, `"`) {
			tag = `"` + tag + `"`
		}
		w.Header().Set("ETag", tag)
	}
	w.Header().Set("Content-Type", "application/octet-stream")
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(content))
}

// putContent stores a file in one request.
func (s *Server) putContent(w http.ResponseWriter, r *http.Request, at address, body []byte) {
	if len(body) > maxSimple {
		fails(w, http.StatusRequestEntityTooLarge, "maxFileSizeExceeded")
		return
	}
	conflict := r.URL.Query().Get("@microsoft.graph.conflictBehavior")
	if conflict == "" {
		conflict = "replace"
	}
	n, made, err := s.store(r, at, body, time.Time{}, conflict)
	if err != nil {
		answers(w, err)
		return
	}
	status := http.StatusOK
	if made {
		status = http.StatusCreated
	}
	says(w, status, s.describe(r, at.drive, n, true))
}

// store makes a file of a content, or replaces the content of one.
func (s *Server) store(r *http.Request, at address, content []byte, times time.Time, conflict string) (n *node, made bool, err error) {
	folder, name, err := s.place(at)
	if err != nil {
		return nil, false, err
	}
	old := folder.children[fold(name)]
	if old != nil {
		switch {
		case old.dir || old.link != nil || conflict != "replace":
			return nil, false, &failure{http.StatusConflict, "nameAlreadyExists"}
		case old.locked:
			return nil, false, &failure{http.StatusLocked, "resourceLocked"}
		}
		if err := old.match(at.drive, r); err != nil {
			return nil, false, err
		}
	}
	if err := at.drive.room(int64(len(content))); err != nil {
		return nil, false, err
	}
	if made = old == nil; made {
		old = s.newNode(at.drive, folder, name)
	}
	at.drive.setContent(old, content, times)
	return old, made, nil
}
