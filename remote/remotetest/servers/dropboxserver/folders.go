package dropboxserver

import (
	"encoding/json"
	"path"
	"slices"
	"strings"
	"time"
)

// A cursor is a place in a listing, or in what happened after it.
type cursor struct {
	folder    string // in lower case, with the base
	base      string
	recursive bool
	left      []string // of the listing: paths
	seen      int      // of the log
	reset     bool     // it cannot be continued
}

// describe is what the service says of a node.
func (c *call) describe(n *node) map[string]any {
	shown := n.shown[len(c.base):]
	m := map[string]any{".tag": "file", "name": path.Base(shown), "path_lower": lower(shown), "path_display": shown, "id": n.id}
	if n.folder {
		m[".tag"] = "folder"
		return m
	}
	m["client_modified"] = n.modified.UTC().Format(time.RFC3339)
	m["server_modified"] = n.received.UTC().Format(time.RFC3339)
	m["rev"], m["size"], m["content_hash"], m["is_downloadable"] = n.rev, len(n.content), n.hash, !n.document
	if n.readOnly {
		m["sharing_info"] = map[string]any{"read_only": true, "parent_shared_folder_id": "7"}
	}
	return m
}

// file is what it says of one where nothing else can be meant.
func (c *call) file(n *node) map[string]any {
	m := c.describe(n)
	delete(m, ".tag")
	return m
}

// path reads a path, which is the base and what was asked for.
func (c *call) path(p string) (string, *refusal) {
	if !validPath(p) {
		return "", tagged("path", "malformed_path")
	}
	return c.base + p, nil
}

func getMetadata(c *call, arg []byte) (any, *refusal) {
	var a struct {
		Path string `json:"path"`
	}
	if bad := read(arg, &a); bad != nil {
		return nil, bad
	}
	if a.Path == "" {
		return nil, wrong("Error in call to API function \"files/get_metadata\": The root folder is unsupported.")
	}
	p, bad := c.path(a.Path)
	if bad != nil {
		return nil, bad
	}
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	if n := c.s.tree.find(p); n != nil {
		return c.describe(n), nil
	}
	return nil, tagged("path", "not_found")
}

type listArg struct {
	Path      string `json:"path"`
	Recursive bool   `json:"recursive"`
	Limit     int    `json:"limit"`
}

// pageSize is how many entries a page of a listing has at most.
const pageSize = 400

// begin returns a cursor before everything in a folder.
// LOCKS_REQUIRED(c.s.mu)
func (c *call) begin(arg []byte) (cursor, int, *refusal) {
	var a listArg
	if bad := read(arg, &a); bad != nil {
		return cursor{}, 0, bad
	}
	if a.Path == "/" {
		return cursor{}, 0, wrong("Specify the root folder as an empty string rather than as \"/\".")
	}
	p := c.base
	if a.Path != "" {
		var bad *refusal
		if p, bad = c.path(a.Path); bad != nil {
			return cursor{}, 0, bad
		}
		switch n := c.s.tree.find(p); {
		case n == nil:
			return cursor{}, 0, tagged("path", "not_found")
		case !n.folder:
			return cursor{}, 0, tagged("path", "not_folder")
		}
	}
	if a.Limit < 0 || a.Limit > 2000 {
		return cursor{}, 0, wrong("limit is not between 1 and 2000")
	}
	most := pageSize
	if a.Limit > 0 {
		most = min(most, a.Limit)
	}
	at := cursor{folder: lower(p), base: c.base, recursive: a.Recursive, left: c.s.tree.below(p, a.Recursive), seen: len(c.s.tree.log)}
	return at, most, nil
}

func listFolder(c *call, arg []byte) (any, *refusal) {
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	at, most, bad := c.begin(arg)
	if bad != nil {
		return nil, bad
	}
	return c.nextPage(at, most), nil
}

func latestCursor(c *call, arg []byte) (any, *refusal) {
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	at, _, bad := c.begin(arg)
	if bad != nil {
		return nil, bad
	}
	at.left = nil
	return map[string]any{"cursor": c.keep(at)}, nil
}

// keep gives a cursor a name.
// LOCKS_REQUIRED(c.s.mu)
func (c *call) keep(at cursor) string {
	name := newID("AAA")
	c.s.cursors[name] = at
	return name
}

// nextPage is what comes behind a cursor: the rest of the listing, then what happened.
// LOCKS_REQUIRED(c.s.mu)
func (c *call) nextPage(at cursor, most int) any {
	entries := []any{}
	tree := c.s.tree
	for len(entries) < most && len(at.left) > 0 {
		if n := tree.nodes[at.left[0]]; n != nil {
			entries = append(entries, c.describe(n))
		}
		at.left = at.left[1:]
	}
	for len(entries) < most && len(at.left) == 0 && at.seen < len(tree.log) {
		p := tree.log[at.seen]
		at.seen++
		if !at.covers(p) || slices.Contains(tree.log[at.seen:], p) { // what happens to it again is told then
			continue
		}
		if n := tree.nodes[p]; n != nil {
			entries = append(entries, c.describe(n))
		} else {
			p = p[len(c.base):]
			entries = append(entries, map[string]any{".tag": "deleted", "name": path.Base(p), "path_lower": p, "path_display": p})
		}
	}
	more := len(at.left) > 0
	for _, p := range tree.log[at.seen:] {
		more = more || at.covers(p)
	}
	return map[string]any{"entries": entries, "cursor": c.keep(at), "has_more": more}
}

// covers reports whether a path is one that the cursor tells of.
func (at cursor) covers(p string) bool {
	rest, ok := strings.CutPrefix(p, at.folder+"/")
	return ok && (at.recursive || !strings.Contains(rest, "/"))
}

func listContinue(c *call, arg []byte) (any, *refusal) {
	var a struct {
		Cursor string `json:"cursor"`
	}
	if bad := read(arg, &a); bad != nil {
		return nil, bad
	}
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	at, ok := c.s.cursors[a.Cursor]
	switch {
	case !ok:
		return nil, wrong("Invalid \"cursor\" parameter")
	case at.reset:
		return nil, tagged("reset")
	case at.base != c.base:
		return nil, wrong("the cursor is of another root")
	}
	return c.nextPage(at, pageSize), nil
}

func longpoll(c *call, arg []byte) (any, *refusal) {
	a := struct {
		Cursor  string `json:"cursor"`
		Timeout int    `json:"timeout"`
	}{Timeout: 30}
	if bad := read(arg, &a); bad != nil {
		return nil, bad
	}
	if a.Timeout < 30 || a.Timeout > 480 {
		return nil, wrong("timeout is not between 30 and 480")
	}
	if c.r.Header.Get("Authorization") != "" {
		return nil, wrong("this is asked without a token")
	}
	timeout := time.NewTimer(time.Duration(a.Timeout) * time.Second)
	defer timeout.Stop()
	for {
		c.s.mu.Lock()
		at, ok := c.s.cursors[a.Cursor]
		news := len(at.left) > 0 || slices.ContainsFunc(c.s.tree.log[min(at.seen, len(c.s.tree.log)):], at.covers)
		changed := c.s.changed
		c.s.mu.Unlock()
		switch {
		case !ok:
			return nil, wrong("Invalid \"cursor\" parameter")
		case at.reset:
			return nil, tagged("reset")
		case news:
			return json.RawMessage(`{"changes": true}`), nil
		}
		select {
		case <-changed:
		case <-timeout.C:
			return json.RawMessage(`{"changes": false}`), nil
		case <-c.r.Context().Done():
			return nil, nil
		}
	}
}
