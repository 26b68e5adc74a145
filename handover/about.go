package handover

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"path"
	"strings"

	"ferry/remote"
)

// About says who sees a tree, so that a node that does not have it open can open it.
type About struct {
	User    string            `json:"user,omitempty"`
	Remote  string            `json:"remote,omitempty"` // as it was opened; "" where there is a secret in it
	Options map[string]string `json:"options,omitempty"`
}

const aboutName = "about"

// About returns what is noted of a tree. It is the zero value where nothing is.
func (p *Place) About(ctx context.Context, tree string) (About, error) {
	var a About
	text, err := p.read(ctx, path.Join(tree, aboutName))
	if errors.Is(err, remote.ErrNotExist) {
		return a, nil
	}
	if err != nil {
		return a, err
	}
	return a, json.Unmarshal(text, &a)
}

// note stores what there is to know of a tree.
func (p *Place) note(ctx context.Context, tree string, a About) error {
	text, err := json.Marshal(a)
	if err != nil {
		return err
	}
	name := path.Join(tree, aboutName)
	if before, err := p.read(ctx, name); err == nil && bytes.Equal(before, text) {
		return nil
	}
	if err := p.makeDir(ctx, tree); err != nil {
		return err
	}
	_, err = p.remote.Put(ctx, name, strings.NewReader(string(text)), remote.PutOptions{Size: int64(len(text))})
	return err
}
