package handover

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path"
	"strings"
	"time"

	"ferry/remote"
)

// ownersSuffix ends the name of the file with all owners of a queue: one in the place of many,
// which would have to be listed each time.
const ownersSuffix = ".owners"

// ownersTime is how long it is known whose the records of a queue were: a node that was killed
// while it was open has to ask within that time.
const ownersTime = 30 * 24 * time.Hour

// maxOwners is how long that file is at most.
const maxOwners = 64 << 20

// owners returns the IDs of the owners of a queue that is done, by the names of the records; nil
// if it is not.
func (p *Place) owners(ctx context.Context, queue string) (map[string]string, error) {
	r, err := p.remote.Open(ctx, queue+ownersSuffix, 0, -1)
	if errors.Is(err, remote.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer r.Close()
	var all map[string]string
	text, err := io.ReadAll(io.LimitReader(remote.ContextReader(ctx, r), maxOwners))
	if err != nil {
		return nil, err
	}
	if err := json.Unmarshal(text, &all); err != nil {
		return nil, fmt.Errorf("%s%s: %w", queue, ownersSuffix, errDamaged)
	}
	return all, nil
}

// closeQueue replaces the owner files of a queue, all of whose records are taken, by one file.
func (p *Place) closeQueue(ctx context.Context, queue string, files []remote.Entry) error {
	var names []string
	for _, e := range files {
		if name, is := strings.CutSuffix(e.Name, ownerSuffix); is {
			names = append(names, name)
		}
	}
	owners := make([]owner, len(names))
	err := severally(len(names), func(i int) error {
		text, err := p.read(ctx, path.Join(queue, names[i]+ownerSuffix))
		if err != nil {
			return err
		}
		if err := json.Unmarshal(text, &owners[i]); err != nil {
			return fmt.Errorf("%s/%s%s: %w", queue, names[i], ownerSuffix, errDamaged)
		}
		return nil
	})
	if err != nil {
		return err
	}
	all := map[string]string{}
	for i, name := range names {
		all[name] = owners[i].ID
	}
	text, err := json.Marshal(all)
	if err != nil {
		return err
	}
	_, err = p.putNew(ctx, queue+ownersSuffix, string(text))
	if err != nil && !errors.Is(err, remote.ErrChanged) && !errors.Is(err, remote.ErrExist) {
		return err
	}
	_ = severally(len(files), func(i int) error {
		if files[i].Name != doneName {
			p.discard(ctx, path.Join(queue, files[i].Name))
		}
		return nil
	})
	p.discard(ctx, path.Join(queue, doneName)) // the last one: as long as it is there somebody goes on
	_ = p.remote.Rmdir(ctx, queue)             // it costs nothing if it stays
	return nil
}
