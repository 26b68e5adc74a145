package cluster

import (
	"context"
	"errors"
	"time"
)

// ownAnswer is how long the engine may take for one value.
const ownAnswer = 5 * time.Second

// Own sets values that no other node writes. It is used by one goroutine at a time.
type Own struct {
	engine Engine
	bucket string
	known  map[string]uint64 // revisions, by key
}

// NewOwn returns an Own for the keys of a bucket.
func NewOwn(e Engine, bucket string) *Own { return &Own{e, bucket, map[string]uint64{}} }

// Set sets a value, whatever the key has; life is that of Engine.Create. Data of nil removes it.
// After an error it may have been set.
func (o *Own) Set(ctx context.Context, key string, data []byte, life time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, ownAnswer)
	defer cancel()
	var err error
	for range 3 {
		var revision uint64
		known := o.known[key]
		switch {
		case known != 0:
			revision, err = o.engine.Update(ctx, o.bucket, key, data, known, life)
		case data != nil:
			revision, err = o.engine.Create(ctx, o.bucket, key, data, life)
		default:
			err = ErrConflict // what there is to remove is to be looked up
		}
		switch {
		case err == nil && data == nil:
			delete(o.known, key)
			return nil
		case err == nil:
			o.known[key] = revision
			return nil
		case !errors.Is(err, ErrConflict):
			return err
		}
		// It has expired, a process before this one has written it, or the answer was lost.
		now, getErr := o.engine.Get(ctx, o.bucket, key)
		switch {
		case errors.Is(getErr, ErrNoValue):
			delete(o.known, key)
			if data == nil {
				return nil
			}
		case getErr != nil:
			return getErr
		default:
			o.known[key] = now.Revision
		}
	}
	return err
}
