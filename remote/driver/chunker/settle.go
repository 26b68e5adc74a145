package chunker

import (
	"bytes"
	"context"
	"errors"
	"time"

	"ferry/remote"
)

// settle takes the mark out of the names of the chunks of f and out of its record, when nobody
// reads it. The caller holds the lock of its name. Where this fails, the file is whole all the
// same.
func (r *Remote) settle(ctx context.Context, f file) {
	if r.o.Marked {
		return
	}
	r.whenUnread(ctx, f.name, func(ctx context.Context) {
		if err := r.unmark(ctx, f); err != nil {
			remote.Warn(ctx, "a file in chunks keeps its mark: rclone reads it with transactions = norename alone", "file", f.name, "error", err)
		}
	})
}

func (r *Remote) unmark(ctx context.Context, f file) error {
	now, err := r.find(ctx, f.name)
	if err != nil || now.rec == nil || now.rec.Txn != f.rec.Txn {
		return nil // another one has taken its place
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
