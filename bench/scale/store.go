// Package scale is what many nodes over one store would do, on virtual time: the directory caches
// and the messages between nodes are ferry's own, the store and the network are models.
// doc/scale.md has its figures.
//
//	store.go       the model of an object store
//	scale_test.go  the nodes, what their clients do, and what is measured
package scale

import (
	"context"
	"iter"
	"math"
	"math/rand/v2"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"ferry/remote"
	"ferry/remote/driver/memory"
	"ferry/remote/wrap/intercept"
)

// What a bucket bears, below each of its prefixes (Amazon says so for S3), and how long its answers
// take.
const (
	writesEachSecond = 3500
	readsEachSecond  = 5500

	storing = 25 * time.Millisecond // the least, and what comes to it in the middle
	reading = 8 * time.Millisecond
	listing = 20 * time.Millisecond // and again for each thousand entries
	pause   = time.Second           // after an answer that there were too many requests
)

// A Store is a bucket in the memory of this process. Several nodes use one.
type Store struct {
	remote.Remote
	// OnePrefix has the store take all that is asked for as below one prefix, as a new bucket does.
	OnePrefix bool

	rng      *rand.Rand
	Lists    atomic.Int64 // requests for a listing
	Writes   atomic.Int64
	Reads    atomic.Int64
	SlowDown atomic.Int64 // requests that were told to come again

	mu       sync.Mutex
	prefixes map[string]*prefix // guarded by mu, and so is rng
}

// A prefix is what was asked for below it in a second.
type prefix struct {
	second        int64
	writes, reads int
}

// NewStore returns an empty Store.
func NewStore(seed uint64) *Store {
	s := &Store{rng: rand.New(rand.NewPCG(seed, 0)), prefixes: map[string]*prefix{}}
	s.Remote = intercept.New(bucket{remote.Forward{Remote: memory.New()}}, s.answer)
	return s
}

// bucket is a remote of objects, which are far away.
type bucket struct{ remote.Forward }

// Info implements remote.Remote.
func (b bucket) Info() remote.Info {
	info := b.Forward.Info()
	info.Name, info.Place = "s3:bucket", "s3.example.org/bucket"
	info.Caps.CheapStat, info.Caps.MoveDir = false, false
	return info
}

// Watch implements remote.Watcher: the bucket tells nobody of changes.
func (b bucket) Watch(context.Context, time.Duration) iter.Seq2[remote.Change, error] {
	return func(yield func(remote.Change, error) bool) { yield(remote.Change{}, remote.ErrUnsupported) }
}

// answer takes the time that an answer takes.
func (s *Store) answer(ctx context.Context, c *intercept.Call) error {
	least, writes := reading, 0
	switch c.Op {
	case intercept.List:
		least = listing
		s.Lists.Add(1)
	case intercept.Put, intercept.Remove, intercept.Move, intercept.Copy, intercept.Mkdir, intercept.Rmdir:
		least, writes = storing, 1
		s.Writes.Add(1)
	default:
		s.Reads.Add(1)
	}
	top, _, _ := strings.Cut(c.Name, "/")
	if s.OnePrefix {
		top = ""
	}
	for !s.takes(top, writes) {
		s.SlowDown.Add(1)
		if err := remote.Sleep(ctx, s.between(pause)); err != nil {
			return err
		}
	}
	if err := remote.Sleep(ctx, s.between(least)); err != nil {
		return err
	}
	return c.Do(ctx)
}

// takes reports whether there may be another request below a prefix in this second.
func (s *Store) takes(top string, writes int) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	p := s.prefixes[top]
	if p == nil {
		p = &prefix{}
		s.prefixes[top] = p
	}
	if now := time.Now().Unix(); now != p.second {
		*p = prefix{second: now}
	}
	if writes > 0 {
		p.writes++
		return p.writes <= writesEachSecond
	}
	p.reads++
	return p.reads <= readsEachSecond
}

// between returns a time of which the half is certain, and the rest chance, with a long tail.
func (s *Store) between(least time.Duration) time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	tail := -math.Log(1 - s.rng.Float64())
	return least + time.Duration(tail*float64(least)/2)
}
