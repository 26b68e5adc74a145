package graphserver

import (
	"net/http"
	"time"
)

// patch renames an item, moves it, or sets its times.
func (s *Server) patch(w http.ResponseWriter, r *http.Request, at address, body []byte) {
	var asks struct {
		Name     string
		Parent   *struct{ ID string } `json:"parentReference"`
		Conflict string               `json:"@microsoft.graph.conflictBehavior"`
		Info     *struct {
			Modified time.Time `json:"lastModifiedDateTime"`
		} `json:"fileSystemInfo"`
	}
	if !parse(w, r, body, &asks) {
		return
	}
	n, err := at.find()
	if err == nil {
		err = n.match(at.drive, r)
	}
	if err == nil && n.locked {
		err = &failure{http.StatusLocked, "resourceLocked"}
	}
	if err == nil && (asks.Name != "" || asks.Parent != nil) {
		folder := n.parent
		if asks.Parent != nil {
			folder = at.drive.items[asks.Parent.ID] // "root" is none of them
		}
		name := asks.Name
		if name == "" {
			name = n.name
		}
		err = s.move(at.drive, n, folder, name, asks.Conflict)
	}
	if err != nil {
		answers(w, err)
		return
	}
	if asks.Info != nil {
		if at.drive.kind != Personal && !n.dir {
			n.versions = append(n.versions, n.content)
		}
		n.times = asks.Info.Modified
		at.drive.changed(n)
	}
	says(w, http.StatusOK, s.describe(r, at.drive, n, true))
}

// move puts n into a folder under a name.
func (s *Server) move(d *drive, n, folder *node, name, conflict string) error {
	switch {
	case folder == nil:
		return &failure{http.StatusNotFound, "itemNotFound"}
	case n.parent == nil || !folder.dir || n.isAbove(folder):
		return &failure{http.StatusBadRequest, "invalidRequest"}
	}
	if err := checkName(folder, name); err != nil {
		return err
	}
	if old := folder.children[fold(name)]; old != nil && old != n {
		if conflict != "replace" || !s.moves || old.dir || n.dir {
			return &failure{http.StatusConflict, "nameAlreadyExists"}
		}
		if old.locked {
			return &failure{http.StatusLocked, "resourceLocked"}
		}
		d.detach(old)
	}
	delete(n.parent.children, fold(n.name))
	n.parent, n.name = folder, name
	folder.children[fold(name)] = n
	d.changed(n)
	return nil
}

// remove removes an item with all that is in it.
func (s *Server) remove(w http.ResponseWriter, r *http.Request, at address, forever bool) {
	n, err := at.find()
	switch {
	case err != nil:
	case n.parent == nil:
		err = &failure{http.StatusForbidden, "accessDenied"}
	case forever && at.drive.kind == Personal:
		err = &failure{http.StatusBadRequest, "notSupported"}
	case n.locked:
		err = &failure{http.StatusLocked, "resourceLocked"}
	default:
		err = n.match(at.drive, r)
	}
	if err != nil {
		answers(w, err)
		return
	}
	at.drive.detach(n)
	w.WriteHeader(http.StatusNoContent)
}

// A copying is a copy under way: it is made when it was asked for a second time.
type copying struct {
	drive    *drive
	source   *node
	folder   *node
	name     string
	replaces bool
	looks    int
	failed   string
}

// copy begins a copy.
func (s *Server) copy(w http.ResponseWriter, r *http.Request, at address, body []byte) {
	var asks struct {
		Name   string
		Parent struct{ DriveID, ID string } `json:"parentReference"`
	}
	if !parse(w, r, body, &asks) {
		return
	}
	n, err := at.find()
	c := &copying{drive: s.drives[asks.Parent.DriveID], source: n, name: asks.Name}
	if err == nil && c.drive != nil {
		c.folder = c.drive.items[asks.Parent.ID]
	}
	if err == nil && (c.folder == nil || !c.folder.dir) {
		err = &failure{http.StatusBadRequest, "invalidRequest"}
	}
	if err == nil {
		err = checkName(c.folder, c.name)
	}
	if err != nil {
		answers(w, err)
		return
	}
	c.replaces = r.URL.Query().Get("@microsoft.graph.conflictBehavior") == "replace" && c.drive.kind != Personal
	id := s.newID("COPY")
	s.copies[id] = c
	w.Header().Set("Location", "http://"+r.Host+"/monitor/"+id)
	w.WriteHeader(http.StatusAccepted)
}

// monitor says how far a copy is.
func (s *Server) monitor(w http.ResponseWriter, r *http.Request, id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.copies[id]
	if c == nil || r.Header.Get("Authorization") != "" {
		fails(w, http.StatusNotFound, "itemNotFound")
		return
	}
	if c.looks++; c.looks == 1 {
		says(w, http.StatusAccepted, map[string]any{"status": "inProgress", "percentageComplete": 50})
		return
	}
	if c.looks == 2 {
		c.make(s)
	}
	if c.failed != "" {
		says(w, http.StatusOK, map[string]any{"status": "failed", "error": map[string]any{"code": c.failed}})
		return
	}
	says(w, http.StatusOK, map[string]any{"status": "completed", "percentageComplete": 100})
}

// make makes the copy.
func (c *copying) make(s *Server) {
	old := c.folder.children[fold(c.name)]
	if old != nil && (!c.replaces || old.dir) {
		c.failed = "nameAlreadyExists"
		return
	}
	if c.drive.room(int64(len(c.source.content))) != nil {
		c.failed = "quotaLimitReached"
		return
	}
	if old != nil {
		c.drive.detach(old)
	}
	n := s.newNode(c.drive, c.folder, c.name)
	c.drive.setContent(n, c.source.content, c.source.times)
}
