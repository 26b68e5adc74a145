package objects

import (
	"context"
	"maps"
	"strings"
	"sync"
	"time"
)

const (
	// indexTime is how long what a listing said of the unfinished uploads counts: so nobody who
	// has none pays for those of others.
	indexTime = 30 * time.Second
	// maxIndex is how many slots are remembered. Where there are more, each is asked for.
	maxIndex = 10_000
)

// A keptIndex is what a process knows of the unfinished uploads that are kept in a store, and a
// hint only: other nodes keep theirs there, too. Its methods may be called concurrently.
type keptIndex struct {
	list func(ctx context.Context, bucket string) (slots []string, whole bool, err error)

	mu      sync.Mutex
	buckets map[string]*bucketIndex // guarded by mu
}

// A bucketIndex is what is known of one bucket.
type bucketIndex struct {
	listing sync.Mutex // held by who lists

	// guarded by keptIndex.mu
	listed  time.Time            // when it was
	crowded bool                 // there are more than are remembered
	slots   map[string]time.Time // by name of the key: when it was seen
}

// LOCKS_REQUIRED(x.mu)
func (x *keptIndex) of(bucket string) *bucketIndex {
	if x.buckets == nil {
		x.buckets = map[string]*bucketIndex{}
	}
	b := x.buckets[bucket]
	if b == nil {
		b = &bucketIndex{slots: map[string]time.Time{}}
		x.buckets[bucket] = b
	}
	return b
}

// note notes that there is a manifest.
func (x *keptIndex) note(slot Key) {
	x.mu.Lock()
	defer x.mu.Unlock()
	b := x.of(slot.Bucket)
	if evict(b.slots, maxIndex) {
		b.crowded = true
	}
	b.slots[slot.Name] = time.Now()
}

// gone notes that there is no manifest.
func (x *keptIndex) gone(slot Key) {
	x.mu.Lock()
	defer x.mu.Unlock()
	delete(x.of(slot.Bucket).slots, slot.Name)
}

// may reports whether there may be a manifest.
func (x *keptIndex) may(slot Key) bool {
	x.mu.Lock()
	defer x.mu.Unlock()
	b := x.of(slot.Bucket)
	_, seen := b.slots[slot.Name]
	return seen || b.crowded
}

// below returns the slots whose names begin with prefix.
func (x *keptIndex) below(prefix Key) []Key {
	x.mu.Lock()
	defer x.mu.Unlock()
	var slots []Key
	for name := range x.of(prefix.Bucket).slots {
		if strings.HasPrefix(name, prefix.Name) {
			slots = append(slots, Key{prefix.Bucket, name})
		}
	}
	return slots
}

// stale reports whether it is time to list.
func (x *keptIndex) stale(bucket string) bool {
	x.mu.Lock()
	defer x.mu.Unlock()
	b := x.of(bucket)
	return b.listed.IsZero() || time.Since(b.listed) >= indexTime
}

// refresh lists what is kept, unless that was done a moment ago. A bucket that cannot be listed has
// what this process has kept.
func (x *keptIndex) refresh(ctx context.Context, bucket string) {
	if !x.stale(bucket) {
		return
	}
	x.mu.Lock()
	b := x.of(bucket)
	x.mu.Unlock()
	b.listing.Lock()
	defer b.listing.Unlock()
	if !x.stale(bucket) {
		return
	}
	began := time.Now()
	names, whole, err := x.list(ctx, bucket)
	if ctx.Err() != nil {
		return
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	b.listed = began
	if err != nil {
		return
	}
	b.crowded = !whole
	maps.DeleteFunc(b.slots, func(_ string, seen time.Time) bool { return seen.Before(began) })
	for _, name := range names {
		b.slots[name] = began
	}
}
