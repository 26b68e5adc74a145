package driveserver

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"strconv"
	"strings"
	"time"
)

const (
	// mostWhole is how long a content may be that comes in one request with its description.
	mostWhole = 5 << 20
	// unit is what a chunk is a multiple of, but for the last.
	unit = 256 << 10
)

// A session is an upload in chunks.
type session struct {
	describes sent
	id        string // of the file that it replaces; "" = it makes a new one
	query     string // fields
	keeps     bool   // the revision is kept for ever
	mime      string
	content   []byte
	done      string // id of the file when it is complete
}

// upload takes a content. id is that of the file that it replaces, "" for a new one.
func (s *Server) upload(w http.ResponseWriter, r *http.Request, id string) *refusal {
	query := r.URL.Query()
	creates := r.Method == http.MethodPost && id == ""
	replaces := r.Method == http.MethodPatch && id != ""
	switch kind := query.Get("uploadType"); {
	case r.Method == http.MethodPut && query.Get("upload_id") != "":
		return s.chunk(w, r, query.Get("upload_id"))
	case !creates && !replaces:
		return notFound(id)
	case kind == "multipart":
		return s.whole(w, r, id)
	case kind == "resumable":
		return s.begin(w, r, id)
	}
	return invalid("badRequest")
}

// whole takes a content that comes with its description.
func (s *Server) whole(w http.ResponseWriter, r *http.Request, id string) *refusal {
	kind, parameters, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	body, readErr := io.ReadAll(r.Body)
	if readErr != nil {
		panic(http.ErrAbortHandler) // the client broke off
	}
	if err != nil || kind != "multipart/related" {
		return invalid("badRequest")
	}
	parts := multipart.NewReader(bytes.NewReader(body), parameters["boundary"])
	first, err := parts.NextPart()
	if err != nil {
		return invalid("badRequest")
	}
	f, bad := readSent(first)
	if bad != nil {
		return bad
	}
	second, err := parts.NextPart()
	if err != nil {
		return invalid("badRequest")
	}
	content, err := io.ReadAll(second)
	switch {
	case err != nil:
		return invalid("badRequest")
	case len(content) > mostWhole:
		return &refusal{status: http.StatusRequestEntityTooLarge, reason: "uploadTooLarge"}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	i, bad := s.publish(f, id, second.Header.Get("Content-Type"), string(content), keeps(r.URL.Query()))
	if bad != nil {
		return bad
	}
	return send(w, selected(s.describe(i), fields(r.URL.Query().Get("fields"))))
}

// publish makes a content that of a file.
// LOCKS_REQUIRED(s.mu)
func (s *Server) publish(f sent, id, contentType, content string, keep bool) (*item, *refusal) {
	if s.quota > 0 && s.used()+int64(len(content)) > s.quota {
		return nil, &refusal{status: http.StatusForbidden, reason: "storageQuotaExceeded"}
	}
	if id == "" {
		if f.MimeType == "" {
			f.MimeType = contentType
		}
		i, bad := s.newItem(f)
		if bad != nil {
			return nil, bad
		}
		s.store(i, content, keep)
		s.add(i)
		return i, nil
	}
	i := s.find(id)
	switch {
	case i == nil:
		return nil, notFound(id)
	case i.frozen || !i.isFile():
		return nil, &refusal{status: http.StatusForbidden, reason: "insufficientFilePermissions"}
	}
	i.modified = time.Now().Truncate(time.Millisecond)
	if bad := s.set(i, f); bad != nil {
		return nil, bad
	}
	s.store(i, content, keep)
	s.changed(i.id)
	return i, nil
}

// begin begins an upload in chunks.
func (s *Server) begin(w http.ResponseWriter, r *http.Request, id string) *refusal {
	f, bad := readSent(r.Body)
	if bad != nil {
		return bad
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if id != "" && s.find(id) == nil {
		return notFound(id)
	}
	if id == "" {
		if _, bad := s.newItem(f); bad != nil {
			return bad
		}
	}
	name := s.newID()
	s.sessions[name] = &session{
		describes: f, id: id, mime: r.Header.Get("X-Upload-Content-Type"),
		query: r.URL.Query().Get("fields"), keeps: keeps(r.URL.Query()),
	}
	w.Header().Set("Location", fmt.Sprintf("http://%s/upload/drive/v3/files?uploadType=resumable&upload_id=%s", r.Host, name))
	return nil
}

// chunk takes a chunk, or says what has come.
func (s *Server) chunk(w http.ResponseWriter, r *http.Request, name string) *refusal {
	span, total, _ := strings.Cut(strings.TrimPrefix(r.Header.Get("Content-Range"), "bytes "), "/")
	body, readErr := io.ReadAll(r.Body)
	s.mu.Lock()
	defer s.mu.Unlock()
	u := s.sessions[name]
	if u == nil {
		return notFound(name)
	}
	if i := s.items[u.done]; u.done != "" && i != nil {
		return send(w, selected(s.describe(i), fields(u.query)))
	}
	if bad := u.take(span, body, total == "*", readErr); bad != nil {
		return bad
	}
	if readErr != nil {
		panic(http.ErrAbortHandler) // the client broke off
	}
	if total != strconv.Itoa(len(u.content)) {
		if len(u.content) > 0 {
			w.Header().Set("Range", fmt.Sprintf("bytes=0-%d", len(u.content)-1))
		}
		w.WriteHeader(http.StatusPermanentRedirect)
		return nil
	}
	i, bad := s.publish(u.describes, u.id, u.mime, string(u.content), u.keeps)
	if bad != nil {
		return bad
	}
	u.done, u.content = i.id, nil
	return send(w, selected(s.describe(i), fields(u.query)))
}

// take adds what a chunk brings. What is there already is left out, and of a chunk that broke off
// whole units are kept.
func (u *session) take(span string, body []byte, more bool, broken error) *refusal {
	if span == "*" {
		if len(body) > 0 {
			return invalid("badRequest")
		}
		return nil
	}
	first, last, _ := strings.Cut(span, "-")
	from, err1 := strconv.Atoi(first)
	to, err2 := strconv.Atoi(last)
	switch {
	case errors.Join(err1, err2) != nil || to < from || from > len(u.content):
		return invalid("badRequest")
	case broken != nil:
		body = body[:len(body)/unit*unit]
	case len(body) != to-from+1 || more && (to+1)%unit != 0:
		return invalid("badRequest")
	}
	if known := len(u.content) - from; known < len(body) {
		u.content = append(u.content, body[known:]...)
	}
	return nil
}
