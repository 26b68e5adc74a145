package driveserver

import (
	"cmp"
	"encoding/base64"
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// sent is what a request tells of a file.
type sent struct {
	ID            string             `json:"id"`
	Name          *string            `json:"name"`
	MimeType      string             `json:"mimeType"`
	Description   *string            `json:"description"`
	Parents       []string           `json:"parents"`
	ModifiedTime  string             `json:"modifiedTime"`
	Trashed       *bool              `json:"trashed"`
	Properties    map[string]*string `json:"properties"`
	AppProperties map[string]*string `json:"appProperties"`
	Shortcut      *struct {
		TargetID string `json:"targetId"`
	} `json:"shortcutDetails"`
}

// readSent reads the body of a request. A client that breaks off gets no answer.
func readSent(r io.Reader) (sent, *refusal) {
	var f sent
	b, err := io.ReadAll(r)
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	if err := json.Unmarshal(b, &f); err != nil {
		return f, invalid("parseError")
	}
	return f, nil
}

// about tells how full the drive is.
func (s *Server) about(w http.ResponseWriter, r *http.Request) *refusal {
	if r.URL.Query().Get("fields") == "" {
		return invalid("required")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	quota := map[string]any{"usage": strconv.FormatInt(s.used(), 10)}
	if s.quota > 0 {
		quota["limit"] = strconv.FormatInt(s.quota, 10)
	}
	return send(w, map[string]any{"storageQuota": quota})
}

// generate makes ids for new files.
func (s *Server) generate(w http.ResponseWriter, r *http.Request) *refusal {
	n, err := strconv.Atoi(cmp.Or(r.URL.Query().Get("count"), "10"))
	if err != nil || n < 1 || n > 1000 {
		return invalid("invalidParameter")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	var ids []string
	for range n {
		id := s.newID()
		s.issued[id] = true
		ids = append(ids, id)
	}
	return send(w, map[string]any{"kind": "drive#generatedIds", "space": "drive", "ids": ids})
}

// A pageToken says where a list goes on.
type pageToken struct{ Query, Order, Name, ID string }

// sortKey is what files are sorted by.
func sortKey(i *item, order string) pageToken {
	key := pageToken{ID: i.id}
	if order == "name" {
		key.Name = strings.ToLower(i.name)
	}
	return key
}

func compareKeys(a, b pageToken) int {
	return cmp.Or(strings.Compare(a.Name, b.Name), strings.Compare(a.ID, b.ID))
}

func (s *Server) list(w http.ResponseWriter, r *http.Request) *refusal {
	query := r.URL.Query()
	is, parents, err := parseQuery(query.Get("q"))
	if order := query.Get("orderBy"); err != nil || order != "" && order != "name" {
		return invalid("invalid")
	}
	size, bad := pageSize(query.Get("pageSize"))
	if bad != nil {
		return bad
	}
	var from pageToken
	if token := query.Get("pageToken"); token != "" {
		b, _ := base64.URLEncoding.DecodeString(token)
		if json.Unmarshal(b, &from) != nil || from.Query != query.Get("q") || from.Order != query.Get("orderBy") {
			return invalid("invalid")
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, id := range parents {
		if s.find(id) == nil {
			return notFound(id)
		}
	}
	var found []*item
	for _, i := range s.candidates(parents) {
		if i.id != s.Root && is(s, i) && s.isAsked(i, query) && (from.ID == "" || compareKeys(sortKey(i, from.Order), from) > 0) {
			found = append(found, i)
		}
	}
	slices.SortFunc(found, func(a, b *item) int {
		return compareKeys(sortKey(a, query.Get("orderBy")), sortKey(b, query.Get("orderBy")))
	})
	page := map[string]any{"kind": "drive#fileList", "incompleteSearch": false}
	if len(found) > size {
		found = found[:size]
		next := sortKey(found[size-1], query.Get("orderBy"))
		next.Query, next.Order = query.Get("q"), query.Get("orderBy")
		b, _ := json.Marshal(next) // never fails
		page["nextPageToken"] = base64.URLEncoding.EncodeToString(b)
	}
	files, wanted := []any{}, fields(query.Get("fields"))
	for _, i := range found {
		files = append(files, selected(s.describe(i), wanted))
	}
	page["files"] = files
	return send(w, page)
}

// get describes a file, or gives its content.
func (s *Server) get(w http.ResponseWriter, r *http.Request, id string) *refusal {
	s.mu.Lock()
	i := s.find(id)
	if i == nil {
		s.mu.Unlock()
		return notFound(id)
	}
	described, head, isFile, dangerous := s.describe(i), i.head(), i.isFile(), i.dangerous
	s.mu.Unlock()
	if r.URL.Query().Get("alt") != "media" {
		return send(w, selected(described, fields(r.URL.Query().Get("fields"))))
	}
	switch {
	case !isFile:
		return &refusal{status: http.StatusForbidden, reason: "fileNotDownloadable"}
	case dangerous && !acknowledges(r):
		return &refusal{status: http.StatusForbidden, reason: "cannotDownloadAbusiveFile"}
	}
	return media(w, r, head.content, i.mime)
}

// create makes what has no content.
func (s *Server) create(w http.ResponseWriter, r *http.Request) *refusal {
	f, bad := readSent(r.Body)
	if bad != nil {
		return bad
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	i, bad := s.newItem(f)
	if bad != nil {
		return bad
	}
	if i.isFile() {
		s.store(i, "", keeps(r.URL.Query()))
	}
	s.add(i)
	return send(w, selected(s.describe(i), fields(r.URL.Query().Get("fields"))))
}

// newItem checks what is told of a new file, and makes it.
// LOCKS_REQUIRED(s.mu)
func (s *Server) newItem(f sent) (*item, *refusal) {
	i := &item{id: f.ID, mime: cmp.Or(f.MimeType, "application/octet-stream"), name: "Untitled", parent: s.Root, properties: map[string]string{}, app: map[string]string{}}
	switch {
	case f.ID == "":
		i.id = s.newID()
	case s.items[f.ID] != nil:
		return nil, &refusal{status: http.StatusConflict, reason: "fileIdInUse"}
	case !s.issued[f.ID]:
		return nil, invalid("invalid")
	}
	if f.Shortcut != nil {
		i.target = f.Shortcut.TargetID
	}
	if len(f.Parents) > 1 {
		return nil, invalid("invalid")
	}
	if len(f.Parents) == 1 {
		in := s.find(f.Parents[0])
		if in == nil || in.mime != folderType {
			return nil, notFound(f.Parents[0])
		}
		i.parent = in.id
	}
	return i, s.set(i, f)
}

// set changes what is kept of a file.
// LOCKS_REQUIRED(s.mu)
func (s *Server) set(i *item, f sent) *refusal {
	if f.ModifiedTime != "" {
		t, err := time.Parse(time.RFC3339Nano, f.ModifiedTime)
		if err != nil || t.Year() < 1 {
			return invalid("invalid")
		}
		i.modified = t.Truncate(time.Millisecond)
	}
	for _, one := range []struct {
		from map[string]*string
		to   map[string]string
	}{{f.Properties, i.properties}, {f.AppProperties, i.app}} {
		for key, value := range one.from {
			switch {
			case value == nil:
				delete(one.to, key)
			case len(key)+len(*value) > 124:
				return invalid("propertyValueTooLong")
			default:
				one.to[key] = *value
			}
		}
		if len(one.to) > 30 {
			return invalid("tooManyProperties")
		}
	}
	if f.Name != nil {
		i.name = *f.Name
	}
	if f.Description != nil {
		i.description = *f.Description
	}
	if f.Trashed != nil {
		i.trashed = *f.Trashed
	}
	return nil
}

// patch changes what is kept of a file, and where it is. A new name is a new time unless one is
// told.
func (s *Server) patch(w http.ResponseWriter, r *http.Request, id string) *refusal {
	f, bad := readSent(r.Body)
	if bad != nil {
		return bad
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	i := s.find(id)
	switch {
	case i == nil:
		return notFound(id)
	case i.id == s.Root || i.frozen:
		return &refusal{status: http.StatusForbidden, reason: "insufficientFilePermissions"}
	case f.ID != "" || len(f.Parents) > 0:
		return &refusal{status: http.StatusForbidden, reason: "fieldNotWritable"}
	}
	if bad := s.relocate(i, r.URL.Query()); bad != nil {
		return bad
	}
	if f.Name != nil {
		i.modified = time.Now().Truncate(time.Millisecond)
	}
	if bad := s.set(i, f); bad != nil {
		return bad
	}
	s.changed(i.id)
	return send(w, selected(s.describe(i), fields(r.URL.Query().Get("fields"))))
}

// relocate moves a file as addParents and removeParents say. It has one folder afterwards.
// LOCKS_REQUIRED(s.mu)
func (s *Server) relocate(i *item, query url.Values) *refusal {
	add, remove := query.Get("addParents"), query.Get("removeParents")
	if add == "" && remove == "" {
		return nil
	}
	to := s.find(add)
	switch {
	case to == nil || to.mime != folderType:
		return notFound(add)
	case i.parent != "" && !slices.Contains(strings.Split(remove, ","), i.parent):
		return &refusal{status: http.StatusForbidden, reason: "cannotAddParent"}
	}
	for above := to; above != nil; above = s.items[above.parent] {
		if above == i {
			return invalid("badRequest")
		}
	}
	s.move(i, to.id)
	return nil
}

// remove deletes a file, and a folder with all that is in it.
func (s *Server) remove(w http.ResponseWriter, id string) *refusal {
	s.mu.Lock()
	defer s.mu.Unlock()
	i := s.find(id)
	switch {
	case i == nil:
		return notFound(id)
	case i.id == s.Root || i.frozen:
		return &refusal{status: http.StatusForbidden, reason: "insufficientFilePermissions"}
	}
	s.delete(i.id)
	w.WriteHeader(http.StatusNoContent)
	return nil
}

func (s *Server) copy(w http.ResponseWriter, r *http.Request, id string) *refusal {
	f, bad := readSent(r.Body)
	if bad != nil {
		return bad
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	from := s.find(id)
	switch {
	case from == nil:
		return notFound(id)
	case from.mime == folderType:
		return &refusal{status: http.StatusForbidden, reason: "cannotCopyFile"}
	}
	f.MimeType = from.mime
	i, bad := s.newItem(f)
	if bad != nil {
		return bad
	}
	i.exports, i.target, i.description = from.exports, from.target, from.description
	for key, value := range from.app {
		if i.app[key] == "" {
			i.app[key] = value
		}
	}
	maps.Copy(i.properties, from.properties)
	if i.isFile() {
		s.store(i, from.head().content, keeps(r.URL.Query()))
	}
	s.add(i)
	return send(w, selected(s.describe(i), fields(r.URL.Query().Get("fields"))))
}
