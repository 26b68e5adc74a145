package dropboxserver

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"time"
)

// maxRequest is how much content a request may bring.
const maxRequest = 150 << 20

// A commit says where a content goes.
type commit struct {
	Path string `json:"path"`
	Mode struct {
		Tag    string `json:".tag"`
		Update string `json:"update"`
	} `json:"mode"`
	Modified   string `json:"client_modified"`
	Mute       bool   `json:"mute"`
	Autorename bool   `json:"autorename"`
	Strict     bool   `json:"strict_conflict"`
}

// make makes the file, or says why not.
// LOCKS_REQUIRED(c.s.mu)
func (c *call) make(k commit, content []byte) (*node, *refusal) {
	s := c.s
	modified := time.Time{}
	if k.Modified != "" {
		var err error
		if modified, err = time.Parse("2006-01-02T15:04:05Z", k.Modified); err != nil {
			return nil, wrong("client_modified: time data %q does not match format '%%Y-%%m-%%dT%%H:%%M:%%SZ'", k.Modified)
		}
	}
	p, bad := c.path(k.Path)
	if bad != nil {
		return nil, bad
	}
	old := s.tree.find(p)
	switch why := s.tree.blocked(p); {
	case disallowed(p):
		return nil, tagged("path", "disallowed_name")
	case s.tree.used()+int64(len(content)) > s.space:
		return nil, tagged("path", "insufficient_space")
	case why == "":
		if k.Mode.Tag == "update" && k.Strict {
			return nil, tagged("path", "conflict", "file")
		}
	case why != "file":
		return nil, tagged("path", "conflict", why)
	case old.readOnly:
		return nil, tagged("path", "no_write_permission")
	case !k.Strict && bytes.Equal(old.content, content): // there is nothing to do
		return old, nil
	case k.Mode.Tag == "overwrite":
	case k.Mode.Tag == "update" && k.Mode.Update == old.rev:
	default:
		return nil, tagged("path", "conflict", "file")
	}
	n := s.tree.write(p, content, modified)
	s.wake()
	return n, nil
}

func upload(c *call, arg []byte) (any, *refusal) {
	var a struct {
		commit
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
	n, bad := c.make(a.commit, c.body)
	if bad != nil {
		if len(bad.tags) > 0 && bad.tags[0] == "path" {
			bad.extra = map[string]any{"upload_session_id": newID("")}
		}
		return nil, bad
	}
	return c.file(n), nil
}

// checkBody compares the content that came with its checksum.
func (c *call) checkBody(hash string) *refusal {
	switch {
	case len(c.body) > maxRequest:
		return tagged("payload_too_large")
	case hash != "" && hash != ContentHash(c.body):
		return tagged("content_hash_mismatch")
	}
	return nil
}

func download(c *call, arg []byte) (any, *refusal) {
	var a struct {
		Path string `json:"path"`
	}
	if bad := read(arg, &a); bad != nil {
		return nil, bad
	}
	p, bad := c.path(a.Path)
	if bad != nil {
		return nil, bad
	}
	c.s.mu.Lock()
	n := c.s.tree.find(p)
	var described map[string]any
	if n != nil {
		described = c.file(n)
	}
	c.s.mu.Unlock()
	switch {
	case n == nil:
		return nil, tagged("path", "not_found")
	case n.folder:
		return nil, tagged("path", "not_file")
	case n.document:
		return nil, tagged("unsupported_file")
	}
	text, err := json.Marshal(described)
	if err != nil {
		return nil, wrong("%v", err)
	}
	c.w.Header().Set("Dropbox-API-Result", escaped(text))
	c.w.Header().Set("Content-Type", "application/octet-stream")
	c.w.Header().Set("ETag", `W/"`+n.rev+`"`)
	http.ServeContent(c.w, c.r, "", time.Time{}, bytes.NewReader(n.content))
	return nil, nil
}

// escaped writes JSON in ASCII.
func escaped(text []byte) string {
	var b bytes.Buffer
	for _, c := range string(text) {
		switch {
		case c < 0x7f:
			b.WriteRune(c)
		case c > 0xffff:
			fmt.Fprintf(&b, `\u%04x\u%04x`, 0xd800+(c-0x10000)>>10, 0xdc00+(c-0x10000)&0x3ff)
		default:
			fmt.Fprintf(&b, `\u%04x`, c)
		}
	}
	return b.String()
}
