package graphserver

import (
	"encoding/base64"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// item answers a request for an item, or for what belongs to it.
func (s *Server) item(w http.ResponseWriter, r *http.Request, at address, what string) {
	body, err := io.ReadAll(r.Body) // before anything is locked
	if err != nil {
		return // the request has not come whole
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case what == "" && r.Method == http.MethodGet:
		n, err := at.find()
		if err != nil {
			answers(w, err)
			return
		}
		says(w, http.StatusOK, s.describe(r, at.drive, n, true))
	case what == "" && r.Method == http.MethodPatch:
		s.patch(w, r, at, body)
	case what == "" && r.Method == http.MethodDelete, what == "permanentDelete" && r.Method == http.MethodPost:
		s.remove(w, r, at, what != "")
	case what == "children" && r.Method == http.MethodGet:
		s.children(w, r, at)
	case what == "children" && r.Method == http.MethodPost:
		s.newFolder(w, r, at, body)
	case what == "content" && r.Method == http.MethodGet:
		s.redirect(w, r, at)
	case what == "content" && r.Method == http.MethodPut:
		s.putContent(w, r, at, body)
	case what == "createUploadSession" && r.Method == http.MethodPost:
		s.createSession(w, r, at, body)
	case what == "copy" && r.Method == http.MethodPost:
		s.copy(w, r, at, body)
	case what == "delta" && r.Method == http.MethodGet && at.id == "" && at.path == "":
		s.delta(w, r, at.drive)
	case strings.HasPrefix(what, "versions"):
		s.versions(w, r, at, strings.TrimPrefix(strings.TrimPrefix(what, "versions"), "/"))
	default:
		fails(w, http.StatusBadRequest, "invalidRequest")
	}
}

// pageSize is how many items a page has where nobody asks for another number.
const pageSize = 200

// children lists a folder, page by page in the order of the names.
func (s *Server) children(w http.ResponseWriter, r *http.Request, at address) {
	n, err := at.find()
	if err != nil {
		answers(w, err)
		return
	}
	q := r.URL.Query()
	top := pageSize
	if t := q.Get("$top"); t != "" {
		if top, err = strconv.Atoi(t); err != nil || top < 1 || top > 1000 {
			fails(w, http.StatusBadRequest, "invalidRequest")
			return
		}
	}
	after, err := base64.RawURLEncoding.DecodeString(q.Get("$skiptoken"))
	if err != nil {
		fails(w, http.StatusBadRequest, "invalidRequest")
		return
	}
	names := []string{}
	for name := range n.children {
		if name > string(after) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	value, next := []any{}, ""
	for i, name := range names {
		if i == top {
			next = base64.RawURLEncoding.EncodeToString([]byte(names[i-1]))
			break
		}
		value = append(value, s.describe(r, at.drive, n.children[name], false))
	}
	page := map[string]any{"value": value}
	if next != "" {
		page["@odata.nextLink"] = link(r, url.Values{"$top": q["$top"], "$select": q["$select"], "$skiptoken": {next}})
	}
	says(w, http.StatusOK, page)
}

// newFolder makes a folder in another one.
func (s *Server) newFolder(w http.ResponseWriter, r *http.Request, at address, body []byte) {
	var asks struct {
		Name     string
		Folder   *struct{}
		Conflict string `json:"@microsoft.graph.conflictBehavior"`
	}
	if !parse(w, r, body, &asks) {
		return
	}
	n, err := at.find()
	if err == nil && (!n.dir || asks.Folder == nil) {
		err = &failure{http.StatusBadRequest, "invalidRequest"}
	}
	if err == nil {
		err = checkName(n, asks.Name)
	}
	if err == nil && n.children[fold(asks.Name)] != nil {
		err = &failure{http.StatusConflict, "nameAlreadyExists"}
	}
	if err != nil {
		answers(w, err)
		return
	}
	made := s.newNode(at.drive, n, asks.Name)
	made.dir, made.children = true, map[string]*node{}
	says(w, http.StatusCreated, s.describe(r, at.drive, made, true))
}

// versions lists the versions of a file, the current one first, or removes one.
func (s *Server) versions(w http.ResponseWriter, r *http.Request, at address, id string) {
	n, err := at.find()
	if err == nil && at.drive.kind == Personal && r.Method == http.MethodDelete {
		err = &failure{http.StatusNotFound, "notSupported"}
	}
	if err != nil {
		answers(w, err)
		return
	}
	if r.Method == http.MethodGet {
		value := []any{}
		for i := len(n.versions); i >= 0; i-- {
			value = append(value, map[string]any{"id": strconv.Itoa(i+1) + ".0", "lastModifiedDateTime": stamp(time.Now())})
		}
		says(w, http.StatusOK, map[string]any{"value": value})
		return
	}
	number, err := strconv.Atoi(strings.TrimSuffix(id, ".0"))
	if err != nil || number < 1 || number > len(n.versions) {
		fails(w, http.StatusBadRequest, "invalidRequest")
		return
	}
	n.versions = slices.Delete(n.versions, number-1, number)
	w.WriteHeader(http.StatusNoContent)
}
