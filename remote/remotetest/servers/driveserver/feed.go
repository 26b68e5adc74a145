package driveserver

import (
	"net/http"
	"slices"
	"strconv"
)

// feed tells what has changed. A token is how many changes there were before; each file is told
// once, as it is now.
func (s *Server) feed(w http.ResponseWriter, r *http.Request, path []string) *refusal {
	query := r.URL.Query()
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(path) == 1 && path[0] == "startPageToken" {
		return send(w, map[string]any{"startPageToken": strconv.Itoa(len(s.changes) + 1)})
	}
	from, err := strconv.Atoi(query.Get("pageToken"))
	if len(path) > 0 || err != nil || from < 1 || from > len(s.changes)+1 {
		return invalid("invalid")
	}
	size, bad := pageSize(query.Get("pageSize"))
	if bad != nil {
		return bad
	}
	rest, wanted := s.changes[from-1:], fields(query.Get("fields"))
	page := []any{}
	end := len(rest)
	for n, id := range rest {
		if slices.Contains(rest[n+1:], id) {
			continue
		}
		if len(page) == size {
			end = n
			break
		}
		change := map[string]any{"kind": "drive#change", "changeType": "file", "fileId": id, "removed": s.items[id] == nil}
		if i := s.items[id]; i != nil {
			change["file"] = selected(s.describe(i), wanted)
		} else if query.Get("includeRemoved") == "false" {
			continue
		}
		page = append(page, change)
	}
	next := "newStartPageToken"
	if end < len(rest) {
		next = "nextPageToken"
	}
	return send(w, map[string]any{"changes": page, next: strconv.Itoa(from + end)})
}

// pageSize reads the parameter of that name.
func pageSize(parameter string) (int, *refusal) {
	if parameter == "" {
		return 100, nil
	}
	n, err := strconv.Atoi(parameter)
	if err != nil || n < 1 || n > 1000 {
		return 0, invalid("invalidParameter")
	}
	return n, nil
}
