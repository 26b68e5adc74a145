package chunker

import (
	"bytes"
	"context"
	"errors"
	"time"

	"ferry/remote"
)

// settle takes the mark out of the names of the chunks of f, which was just stored, and out of its
// record. The caller holds the lock of its name. Where this fails, or others are reading, or a
// change may yet arrive, the mark stays, and the file is whole all the same.
func (r *Remote) settle(ctx context.Context, f file) {
	if r.o.Marked {
		return
	}
	r.mu.Lock()
	stay := r.readers[f.name] != nil || r.unsure[f.name]
	r.mu.Unlock()
	err := errInUse
	if !stay {
		committed, release := remote.Committed(r.noting(ctx, f.name))
		defer release()
		err = r.unmark(committed, f)
	}
	if err != nil {
		remote.Warn(ctx, "a file in chunks keeps its mark: rclone reads it with transactions = norename alone", "file", f.name, "error", err)
	}
}

var errInUse = errors.New("it was read, or a change of it was not answered, when it was replaced")

func (r *Remote) unmark(ctx context.Context, f file) error {
	now, err := r.find(ctx, f.name)
	if err != nil {
		return err
	}
	plain := f.unmarked()
	for i := range *f.rec.Chunks {
		err := remote.Move(ctx, r.below, r.chunkName(f, i), r.chunkName(plain, i))
		if err != nil && !errors.Is(err, remote.ErrNotExist) {
			return err
		}
	}
	content := plain.rec.encode()
	var when time.Time
	if r.info.Caps.ModTime > 0 {
		when = now.entry.ModTime
	}
	_, err = r.below.Put(uploads(ctx), f.name, bytes.NewReader(content), remote.PutOptions{Size: int64(len(content)), ModTime: when, FactsOf: f.name})
	return err
}
