package dropboxserver

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
)

// A call is a request under way.
type call struct {
	s    *Server
	w    http.ResponseWriter
	r    *http.Request
	base string // what paths are relative to
	body []byte // content that came with it
}

// A refusal is why a call is refused: tags, from the general to the particular.
type refusal struct {
	tags  []string
	extra map[string]any // beside the last tag
	code  int            // 0 = 409
	text  string         // of a request that is wrong
}

func tagged(tags ...string) *refusal { return &refusal{tags: tags} }

func wrong(format string, args ...any) *refusal {
	return &refusal{code: http.StatusBadRequest, text: fmt.Sprintf(format, args...)}
}

// admit says whether a call may be made now, by whom it is.
// LOCKS_REQUIRED(c.s.mu)
func (c *call) admit(name string, to route) *refusal {
	s := c.s
	if !to.public {
		token, _ := strings.CutPrefix(c.r.Header.Get("Authorization"), "Bearer ")
		if !s.tokens[token] {
			return &refusal{tags: []string{"expired_access_token"}, code: http.StatusUnauthorized}
		}
	}
	if s.refuse > 0 {
		s.refuse--
		if s.after > 0 {
			c.w.Header().Set("Retry-After", strconv.Itoa(s.after))
		}
		return &refusal{tags: []string{"too_many_requests"}, code: http.StatusTooManyRequests}
	}
	if to.changes && s.lock > 0 {
		s.lock--
		switch name {
		case "files/upload", "files/create_folder_v2":
			return tagged("path", "too_many_write_operations")
		case "files/upload_session/finish_batch_v2": // which says so of each file
			s.lock++
			return nil
		}
		return tagged("too_many_write_operations")
	}
	return c.beRepresented()
}

// beRepresented reads on whose behalf a call is made, and what its paths are relative to.
// LOCKS_REQUIRED(c.s.mu)
func (c *call) beRepresented() *refusal {
	if who := c.r.Header.Get("Dropbox-API-Select-User"); who != "" && who != MemberID {
		return &refusal{tags: []string{"invalid_select_user"}, code: http.StatusUnauthorized}
	}
	if who := c.r.Header.Get("Dropbox-API-Select-Admin"); who != "" && who != AdminID {
		return &refusal{tags: []string{"invalid_select_admin"}, code: http.StatusUnauthorized}
	}
	c.base = c.s.home
	text := c.r.Header.Get("Dropbox-API-Path-Root")
	if text == "" {
		return nil
	}
	var root struct {
		Tag string `json:".tag"`
		ID  string `json:"namespace_id"`
	}
	if json.Unmarshal([]byte(text), &root) != nil || root.Tag != "namespace_id" {
		return wrong("the header Dropbox-API-Path-Root is not understood")
	}
	if root.ID != TeamSpace {
		return &refusal{tags: []string{"no_permission"}, code: http.StatusUnprocessableEntity}
	}
	c.base = ""
	return nil
}

// argument returns the JSON of a call.
func (c *call) argument(to route, body []byte) ([]byte, *refusal) {
	kind := c.r.Header.Get("Content-Type")
	if !to.content {
		if kind != "application/json" {
			return nil, wrong("Bad HTTP \"Content-Type\" header: %q", kind)
		}
		return body, nil
	}
	download := strings.HasSuffix(c.r.URL.Path, "/download")
	if !download && kind != "application/octet-stream" || download && (kind != "" && kind != "application/octet-stream" || len(body) > 0) {
		return nil, wrong("Bad HTTP \"Content-Type\" header: %q", kind)
	}
	c.body = body
	arg := c.r.Header.Get("Dropbox-API-Arg")
	for _, b := range []byte(arg) {
		if b < 0x20 || b >= 0x7f {
			return nil, wrong("the header Dropbox-API-Arg holds what is not ASCII")
		}
	}
	return []byte(arg), nil
}

// read decodes an argument, which may hold nothing that the route does not know.
func read(arg []byte, into any) *refusal {
	d := json.NewDecoder(bytes.NewReader(arg))
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		return wrong("Error in call to API function: request body: %v", err)
	}
	return nil
}

// refuse answers with an error of the service's form.
func (c *call) refuse(why *refusal) {
	if why.text != "" {
		c.w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		c.w.WriteHeader(why.code)
		_, _ = io.WriteString(c.w, why.text)
		return
	}
	code := why.code
	if code == 0 {
		code = http.StatusConflict
	}
	c.w.Header().Set("Content-Type", "application/json")
	c.w.WriteHeader(code)
	_ = json.NewEncoder(c.w).Encode(map[string]any{"error_summary": strings.Join(why.tags, "/") + "/...", "error": why.union()})
}

// union is the error as nested values, each called like the tag above it. That of an upload is
// called reason.
func (why *refusal) union() any {
	var inner any
	for i := len(why.tags) - 1; i >= 0; i-- {
		node := map[string]any{".tag": why.tags[i]}
		switch {
		case inner == nil:
			for k, v := range why.extra {
				node[k] = v
			}
		case i == 0 && why.tags[i] == "path" && why.extra["upload_session_id"] != nil:
			node["reason"] = inner
		default:
			node[why.tags[i]] = inner
		}
		inner = node
	}
	return inner
}

func (s *Server) locked(do func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	do()
}

// wake tells those who wait for a change.
// LOCKS_REQUIRED(s.mu)
func (s *Server) wake() {
	close(s.changed)
	s.changed = make(chan struct{})
}
