package local

import (
	"errors"
	"io/fs"

	"ferry/remote"
)

// A precondition is what must be true of the file that an upload replaces.
type precondition struct {
	name    string
	base    string // last element of name
	version string // "" = there must be none
	failed  error  // when it is not true
}

// renameOnly publishes the hidden file from on the precondition.
func (h *hiding) renameOnly(from string) error {
	if h.only.version == "" {
		err := h.dir.rename(from, h.dir, h.only.base, false)
		if errors.Is(err, fs.ErrExist) {
			return h.only.failed
		}
		return err
	}
	h.r.replacing.Lock()
	defer h.r.replacing.Unlock()
	m, err := h.r.tree.stat(h.only.name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return h.only.failed
	case err != nil:
		return err
	case m.kind == directory:
		return remote.ErrIsDir
	case m.version() != h.only.version:
		return h.only.failed
	}
	return h.dir.rename(from, h.dir, h.only.base, true)
}
