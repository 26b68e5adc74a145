package handover

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path"
	"strings"

	"ferry/remote"
)

// ownerSuffix ends the name of the file that says whose a record is.
const ownerSuffix = ".owner"

// An owner is whose a record is: that of the cache that has one of this ID.
type owner struct {
	ID   string `json:"id"`
	Node string `json:"node"` // for people
}

// claim is what a record is known by in a cache: where it was offered, and as what. A place has no
// blank at the end of its name.
func (p *Place) claim(tree, queue, name string) string {
	return p.remote.Info().Identity() + " " + path.Join(tree, queue, name)
}

// file returns the file of a claim. Where that is in another place, nobody here can know whose the
// record is.
func (p *Place) file(claim string) (string, error) {
	file, here := strings.CutPrefix(claim, p.remote.Info().Identity()+" ")
	if !here {
		return "", fmt.Errorf("it was offered at another place (%s): serve with that as --handover", claim)
	}
	return file, nil
}

// decide settles whose the record of a claim is: whether it is that of the cache that has it by
// this ID. After an error that stays open.
func (p *Place) decide(ctx context.Context, claim, id string) (mine bool, err error) {
	file, err := p.file(claim)
	if err != nil {
		return false, err
	}
	text, err := json.Marshal(owner{ID: id, Node: p.node})
	if err != nil {
		return false, err
	}
	_, err = p.putNew(ctx, file+ownerSuffix, string(text))
	if errors.Is(err, remote.ErrChanged) || errors.Is(err, remote.ErrExist) {
		return p.owns(ctx, file, id)
	}
	begun := !errors.Is(err, remote.ErrNotExist) // the directory of the queue is there
	if err != nil && begun {
		return false, err
	}
	// There may have been an owner whose file is gone by now: then it is in that of all.
	queue, name := remote.Split(file)
	all, err := p.owners(ctx, queue)
	switch other, there := all[name]; {
	case err != nil:
		return false, err
	case there:
		if begun {
			p.discard(ctx, file+ownerSuffix)
		}
		return other == id, nil
	}
	return begun || strings.HasSuffix(file, "-"+id), nil // its giver has not stored it
}

// owns reports whether the owner file says that the record is that of id.
func (p *Place) owns(ctx context.Context, file, id string) (bool, error) {
	text, err := p.read(ctx, file+ownerSuffix)
	if err != nil {
		return false, err
	}
	var o owner
	if err := json.Unmarshal(text, &o); err != nil {
		return false, fmt.Errorf("%s%s: %w", file, ownerSuffix, errDamaged)
	}
	return o.ID == id, nil
}
