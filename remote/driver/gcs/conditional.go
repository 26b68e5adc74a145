package gcs

import (
	"context"
	"errors"
	"hash/crc32"
	"net/http"
	"sync/atomic"

	"ferry/remote"
	"ferry/remote/driver/internal/google"
)

// insertion is where the draft stores what o describes. The precondition is that of the target.
func (d *draft) insertion(o *object) insertion {
	i := insertion{at: d.into, describes: o}
	if !d.composes {
		i.only = d.only
	}
	return i
}

// insertHeld stores what is held. When a request was sent and not answered, and the next one finds
// another generation, that may be what the first one has stored.
func (d *draft) insertHeld(ctx context.Context, i insertion) (*object, error) {
	var doubt atomic.Bool
	asking := remote.WithUnanswered(ctx, func() {
		doubt.Store(true)
		remote.Unanswered(ctx)
	})
	o, err := d.store.insertWhole(asking, i, d.held)
	if i.only == nil || !doubt.Load() || !google.HasCode(err, http.StatusPreconditionFailed) {
		return o, err
	}
	there, headErr := d.store.Head(ctx, i.at)
	if headErr != nil {
		return nil, errors.Join(headErr, err)
	}
	if mine, ok := there.Facts.(*object); ok && there.Size == int64(len(d.held)) &&
		mine.CRC32C == encodeSum(crc32.Checksum(d.held, crc32.MakeTable(crc32.Castagnoli))) {
		return mine, nil
	}
	return nil, err
}
