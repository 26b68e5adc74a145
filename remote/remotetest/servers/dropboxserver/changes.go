package dropboxserver

import (
	"strings"
)

func createFolder(c *call, arg []byte) (any, *refusal) {
	var a struct {
		Path       string `json:"path"`
		Autorename bool   `json:"autorename"`
	}
	if bad := read(arg, &a); bad != nil {
		return nil, bad
	}
	p, bad := c.path(a.Path)
	if bad != nil {
		return nil, bad
	}
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	if disallowed(p) {
		return nil, tagged("path", "disallowed_name")
	}
	if why := c.s.tree.blocked(p); why != "" {
		return nil, tagged("path", "conflict", why)
	}
	n := c.s.tree.makeFolder(p)
	c.s.wake()
	m := c.describe(n)
	delete(m, ".tag")
	return map[string]any{"metadata": m}, nil
}

func deleteOne(c *call, arg []byte) (any, *refusal) {
	var a struct {
		Path string `json:"path"`
		Rev  string `json:"parent_rev"`
	}
	if bad := read(arg, &a); bad != nil {
		return nil, bad
	}
	p, bad := c.path(a.Path)
	if bad != nil {
		return nil, tagged("path_lookup", "malformed_path")
	}
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	n := c.s.tree.find(p)
	switch {
	case n == nil:
		return nil, tagged("path_lookup", "not_found")
	case n.readOnly:
		return nil, tagged("path_write", "no_write_permission")
	case a.Rev != "" && n.folder:
		return nil, tagged("path_write", "conflict", "folder")
	case a.Rev != "" && n.rev != a.Rev:
		return nil, tagged("path_write", "conflict", "file")
	}
	c.s.tree.remove(p)
	c.s.wake()
	return map[string]any{"metadata": c.describe(n)}, nil
}

func move(c *call, arg []byte) (any, *refusal) { return c.relocate(arg, true) }

func copyOne(c *call, arg []byte) (any, *refusal) { return c.relocate(arg, false) }

func (c *call) relocate(arg []byte, moves bool) (any, *refusal) {
	var a struct {
		From       string `json:"from_path"`
		To         string `json:"to_path"`
		Autorename bool   `json:"autorename"`
		Ownership  bool   `json:"allow_ownership_transfer"`
	}
	if bad := read(arg, &a); bad != nil {
		return nil, bad
	}
	from, bad := c.path(a.From)
	if bad != nil {
		return nil, tagged("from_lookup", "malformed_path")
	}
	to, bad := c.path(a.To)
	if bad != nil {
		return nil, tagged("to", "malformed_path")
	}
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	tree := c.s.tree
	n := tree.find(from)
	switch {
	case n == nil:
		return nil, tagged("from_lookup", "not_found")
	case lower(from) == lower(to): // nor does a new case make it another name
		return nil, tagged("duplicated_or_nested_paths")
	case strings.HasPrefix(lower(to), lower(from)+"/") && n.folder:
		return nil, tagged("cant_move_folder_into_itself")
	case moves && n.readOnly:
		return nil, tagged("from_write", "no_write_permission")
	case disallowed(to):
		return nil, tagged("to", "disallowed_name")
	case len(tree.below(from, true)) > 10_000:
		return nil, tagged("too_many_files")
	}
	if why := tree.blocked(to); why != "" {
		return nil, tagged("to", "conflict", why)
	}
	tree.relocate(from, to, moves)
	c.s.wake()
	return map[string]any{"metadata": c.describe(tree.find(to))}, nil
}
