// Package clustertest has a double of the engine that nodes share, which lives in memory and fails
// when a test says so, and the sentences that every cluster.Engine keeps.
//
// The double waits by channels and timers alone, so that its time is that of testing/synctest where
// a test runs in such a bubble.
//
//	sentences values messages reader   what every engine keeps
//	node server                        the double
package clustertest

import (
	"cmp"
	"slices"
	"sync"
	"time"

	"ferry/cluster"
)

// A Server is what the nodes of a test share. Its zero value is not usable: see New.
type Server struct {
	mu       sync.Mutex
	changed  chan struct{} // closed at the next change of anything here
	away     bool
	breaks   int // how often it was stopped
	epoch    int // how often all was lost
	messages map[string][]message
	cut      map[string]int // how many of the oldest messages of a subject are not there any more
	buckets  map[string]map[string]*held
	revision uint64
}

// A message was published at a time.
type message struct {
	data []byte
	at   time.Time
}

// held is a value, or what is left of one.
type held struct {
	cluster.Value
	at   time.Time // when it came
	ends time.Time // zero = never
}

// New returns a server without anything on it.
func New() *Server {
	s := &Server{changed: make(chan struct{})}
	s.empty()
	return s
}

func (s *Server) empty() {
	s.messages, s.cut, s.buckets = map[string][]message{}, map[string]int{}, map[string]map[string]*held{}
}

// Stop makes the server go away: calls fail with cluster.ErrAway, and nothing is yielded.
func (s *Server) Stop() {
	s.change(func() {
		s.away = true
		s.breaks++
	})
}

// Start brings the server back, with all it had or with nothing.
func (s *Server) Start(keep bool) {
	s.change(func() {
		s.away = false
		if !keep {
			s.epoch++
			s.empty()
		}
	})
}

// Forget drops the messages of a subject that are there: who has not had them yet gets a Gap.
func (s *Server) Forget(subject string) {
	s.change(func() {
		s.cut[subject] += len(s.messages[subject])
		s.messages[subject] = nil
	})
}

// Node returns a node that is connected to the server.
func (s *Server) Node() *Node { return &Node{server: s} }

// change does something and wakes who waits.
func (s *Server) change(f func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f()
	s.wake()
}

func (s *Server) wake() {
	close(s.changed)
	s.changed = make(chan struct{})
}

// expire removes the values whose time has come. The lock is held.
func (s *Server) expire() {
	now := time.Now()
	for _, b := range s.buckets {
		for _, v := range b {
			if v.Data != nil && !v.ends.IsZero() && !v.ends.After(now) {
				s.revision++
				v.Data, v.Revision, v.at = nil, s.revision, v.ends
			}
		}
	}
}

// nextEnd is when the next value of a bucket expires, zero if none does. The lock is held.
func (s *Server) nextEnd(bucket string) time.Time {
	var next time.Time
	for _, v := range s.buckets[bucket] {
		if v.Data != nil && !v.ends.IsZero() && (next.IsZero() || v.ends.Before(next)) {
			next = v.ends
		}
	}
	return next
}

// since returns what of a bucket has changed after a revision, in order. The lock is held.
func (s *Server) since(bucket string, revision uint64) []held {
	var all []held
	for _, v := range s.buckets[bucket] {
		if v.Revision > revision {
			all = append(all, *v)
		}
	}
	slices.SortFunc(all, func(a, b held) int { return cmp.Compare(a.Revision, b.Revision) })
	return all
}

// set gives a key a value. The lock is held.
func (s *Server) set(bucket, key string, data []byte, life time.Duration) uint64 {
	s.revision++
	v := &held{Value: cluster.Value{Key: key, Data: slices.Clone(data), Revision: s.revision}, at: time.Now()}
	if data != nil && v.Data == nil {
		v.Data = []byte{}
	}
	if life > 0 {
		v.ends = v.at.Add(life)
	}
	if s.buckets[bucket] == nil {
		s.buckets[bucket] = map[string]*held{}
	}
	s.buckets[bucket][key] = v
	s.wake()
	return s.revision
}
