package driveserver

import (
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
)

// media gives a content, or a part of it.
func media(w http.ResponseWriter, r *http.Request, content, mime string) *refusal {
	from, to, partial := 0, len(content), false
	if span, ok := strings.CutPrefix(r.Header.Get("Range"), "bytes="); ok {
		first, last, _ := strings.Cut(span, "-")
		var err error
		if from, err = strconv.Atoi(first); err != nil {
			return invalid("invalid")
		}
		if last != "" {
			if to, err = strconv.Atoi(last); err != nil {
				return invalid("invalid")
			}
			to = min(to+1, len(content))
		}
		if from >= len(content) {
			w.Header().Set("Content-Range", fmt.Sprintf("bytes */%d", len(content)))
			return &refusal{status: http.StatusRequestedRangeNotSatisfiable, reason: "requestedRangeNotSatisfiable"}
		}
		partial = true
	}
	w.Header().Set("Content-Type", mime)
	w.Header().Set("Content-Length", strconv.Itoa(to-from))
	if partial {
		w.Header().Set("Content-Range", fmt.Sprintf("bytes %d-%d/%d", from, to-1, len(content)))
		w.WriteHeader(http.StatusPartialContent)
	}
	_, _ = io.WriteString(w, content[from:to]) // the client may have gone
	return nil
}

// acknowledges reports whether a request is for a content although that may be dangerous.
func acknowledges(r *http.Request) bool { return r.URL.Query().Get("acknowledgeAbuse") == "true" }

// revision gives a content of a file that is or was that of a file.
func (s *Server) revision(w http.ResponseWriter, r *http.Request, id, revision string) *refusal {
	s.mu.Lock()
	i := s.find(id)
	if i == nil {
		s.mu.Unlock()
		return notFound(id)
	}
	frozen, dangerous, mime, revisions := i.frozen, i.dangerous, i.mime, i.revisions
	s.mu.Unlock()
	switch {
	case frozen:
		return &refusal{status: http.StatusForbidden, reason: "insufficientFilePermissions"}
	case dangerous && !acknowledges(r):
		return &refusal{status: http.StatusForbidden, reason: "cannotDownloadAbusiveFile"}
	}
	for _, one := range revisions {
		if one.id == revision && r.URL.Query().Get("alt") == "media" {
			return media(w, r, one.content, mime)
		}
	}
	return notFound(revision)
}

// export gives what a document is in another form. Its length is not told, nor are there parts.
func (s *Server) export(w http.ResponseWriter, r *http.Request, id string) *refusal {
	s.mu.Lock()
	defer s.mu.Unlock()
	i := s.find(id)
	if i == nil {
		return notFound(id)
	}
	mime := r.URL.Query().Get("mimeType")
	content, ok := i.exports[mime]
	if !ok {
		return invalid("badRequest")
	}
	w.Header().Set("Content-Type", mime)
	w.WriteHeader(http.StatusOK)
	_ = http.NewResponseController(w).Flush() // so that it comes in pieces; the client may have gone
	_, _ = io.WriteString(w, content)
	return nil
}
