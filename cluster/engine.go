// Package cluster is what several ferries over one store tell each other: which files have changed,
// and small state that counts for all of them. An Engine, such as a NATS server, carries it.
//
// Nothing that may lose or tear a file depends on the Engine. Without it each node goes on with
// what it knows by itself, as if it were alone.
package cluster

import (
	"context"
	"errors"
	"iter"
	"time"
)

// An Engine carries messages between nodes, and keeps small values for them. All methods may be
// called concurrently. While the engine cannot be reached they fail soon with an error that is
// ErrAway.
type Engine interface {
	// Publish brings data to all who Subscribe to the subject, this node among them, in the order
	// of the calls. It returns when the engine has it; after an error the engine may have it all
	// the same.
	Publish(ctx context.Context, subject string, data []byte) error

	// Subscribe yields the messages of a subject until ctx ends. The first one is a Gap: what was
	// published before is not yielded. From then on no message is left out, also where the engine
	// was away for a while; where some had to be, a Gap is in their place. One may come twice. It
	// ends with an error: that of ctx, or another if it broke off for good.
	Subscribe(ctx context.Context, subject string) iter.Seq2[Message, error]

	// Get returns the newest value of a key. A missing one, and one that has expired, is
	// ErrNoValue.
	Get(ctx context.Context, bucket, key string) (Value, error)

	// Create sets a key that has no value; one that has is ErrConflict. The value expires after
	// life, 0 = never; engines may keep it longer, up to life + 1 min. After another error the
	// value may have been set, as after one of Update.
	Create(ctx context.Context, bucket, key string, data []byte, life time.Duration) (revision uint64, err error)

	// Update replaces the value of a key if its revision is still that one, else it is ErrConflict.
	// The new value has a life of its own, as by Create. Data of nil removes the value.
	Update(ctx context.Context, bucket, key string, data []byte, revision uint64, life time.Duration) (uint64, error)

	// Watch yields the values of all keys of a bucket, then a Value without a key when these were
	// all, then the new value of each key that changes, until ctx ends; of several changes of a key
	// the last one may be all that is yielded. A value that was removed or has expired is yielded
	// with Data nil. After the engine was away it may begin anew, with all values and the Value
	// without a key: a key that is not among them has no value any more. It ends with an error:
	// that of ctx, or another if it broke off for good.
	Watch(ctx context.Context, bucket string) iter.Seq2[Value, error]
}

// A Message was published by a node.
type Message struct {
	Data []byte
	// Gap reports that messages before this one may have been missed. Such a message has no Data.
	Gap bool
}

// A Value is what a key had at some time.
type Value struct {
	Key      string // of ASCII letters and digits and -_=, as names of buckets and subjects
	Data     []byte // up to 64 KiB
	Revision uint64 // grows with each change
}

var (
	// ErrNoValue is returned where a key has no value.
	ErrNoValue = errors.New("the key has no value")
	// ErrConflict is returned where another node was quicker.
	ErrConflict = errors.New("another node has changed the key")
	// ErrAway is returned while the engine cannot be reached.
	ErrAway = errors.New("the engine that nodes share is not reached")
)
