package dropboxserver

// A session is a content that comes in pieces.
type session struct {
	content  []byte
	closed   bool // nothing more comes
	finished bool // a file was made of it
}

type sessionCursor struct {
	ID     string `json:"session_id"`
	Offset int    `json:"offset"`
}

func sessionStart(c *call, arg []byte) (any, *refusal) {
	var a struct {
		Close bool   `json:"close"`
		Hash  string `json:"content_hash"`
	}
	if bad := read(arg, &a); bad != nil {
		return nil, bad
	}
	if bad := c.checkBody(a.Hash); bad != nil {
		return nil, bad
	}
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	id := newID("pid_upload_session:")
	c.s.sessions[id] = &session{content: c.body, closed: a.Close}
	return map[string]any{"session_id": id}, nil
}

// lookUp finds the session that is continued.
// LOCKS_REQUIRED(c.s.mu)
func (c *call) lookUp(at sessionCursor) (*session, *refusal) {
	s := c.s.sessions[at.ID]
	switch {
	case s == nil:
		return nil, tagged("not_found")
	case s.finished:
		return nil, tagged("closed")
	case at.Offset != len(s.content):
		return nil, &refusal{tags: []string{"incorrect_offset"}, extra: map[string]any{"correct_offset": len(s.content)}}
	}
	return s, nil
}

func sessionAppend(c *call, arg []byte) (any, *refusal) {
	var a struct {
		Cursor sessionCursor `json:"cursor"`
		Close  bool          `json:"close"`
		Hash   string        `json:"content_hash"`
	}
	if bad := read(arg, &a); bad != nil {
		return nil, bad
	}
	if bad := c.checkBody(a.Hash); bad != nil {
		return nil, bad
	}
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	s, bad := c.lookUp(a.Cursor)
	switch {
	case c.s.sessions[a.Cursor.ID] != nil && c.s.sessions[a.Cursor.ID].closed:
		return nil, tagged("closed")
	case bad != nil:
		return nil, bad
	}
	s.content = append(s.content[:len(s.content):len(s.content)], c.body...)
	s.closed = a.Close
	return nil, nil
}

type finish struct {
	Cursor sessionCursor `json:"cursor"`
	Commit commit        `json:"commit"`
}

// finish makes a file of a session.
// LOCKS_REQUIRED(c.s.mu)
func (c *call) finish(a finish, content []byte, batch bool) (*node, *refusal) {
	s, bad := c.lookUp(a.Cursor)
	switch {
	case bad != nil:
		bad.tags = append([]string{"lookup_failed"}, bad.tags...)
		return nil, bad
	case batch && !s.closed:
		return nil, tagged("lookup_failed", "not_closed")
	}
	s.content = append(s.content[:len(s.content):len(s.content)], content...)
	n, bad := c.make(a.Commit, s.content)
	s.finished = bad == nil
	return n, bad
}

func sessionFinish(c *call, arg []byte) (any, *refusal) {
	var a struct {
		finish
		Hash string `json:"content_hash"`
	}
	if bad := read(arg, &a); bad != nil {
		return nil, bad
	}
	if bad := c.checkBody(a.Hash); bad != nil {
		return nil, bad
	}
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	n, bad := c.finish(a.finish, c.body, false)
	if bad != nil {
		return nil, bad
	}
	return c.file(n), nil
}

func sessionFinishBatch(c *call, arg []byte) (any, *refusal) {
	var a struct {
		Entries []finish `json:"entries"`
	}
	if bad := read(arg, &a); bad != nil {
		return nil, bad
	}
	if len(a.Entries) > 1000 {
		return nil, wrong("entries: list is longer than 1000")
	}
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	c.s.batches = append(c.s.batches, len(a.Entries))
	entries := []any{}
	for _, e := range a.Entries {
		var n *node
		bad := tagged("too_many_write_operations")
		if c.s.lock > 0 {
			c.s.lock--
		} else if n, bad = c.finish(e, nil, true); bad != nil && bad.text != "" {
			return nil, bad
		}
		if bad != nil {
			entries = append(entries, map[string]any{".tag": "failure", "failure": bad.union()})
			continue
		}
		m := c.describe(n)
		m[".tag"] = "success"
		entries = append(entries, m)
	}
	return map[string]any{"entries": entries}, nil
}
