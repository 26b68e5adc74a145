package cluster

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"slices"
	"sync"
	"time"
)

const (
	membersBucket = "nodes"
	memberLife    = 30 * time.Second // without a sign of it a node is taken for gone
	memberBeat    = 10 * time.Second
	memberSilence = memberLife + memberBeat
	memberRetry   = 2 * time.Second
	memberLeaves  = time.Second // for telling at the end that it is gone
)

// A Member is a node as others see it.
type Member struct {
	ID       string    `json:"id"` // of the process; a key
	Node     string    `json:"node"`
	Version  string    `json:"version"`
	Started  time.Time `json:"started"`
	Sessions int       `json:"sessions"`
}

// heard is a node with the time when it was heard of.
type heard struct {
	Member
	at time.Time
}

// Members is who is there. It works while Run runs.
type Members struct {
	engine   Engine
	self     Member
	sessions func() int
	due      chan struct{} // holds one when the value of this node may be missing

	mu    sync.Mutex
	known map[string]heard // guarded by mu; by key
}

// NewMembers returns the members of a cluster, of which self is one. sessions tells how many it
// has, and may be nil.
func NewMembers(e Engine, self Member, sessions func() int) *Members {
	return &Members{engine: e, self: self, sessions: sessions, due: make(chan struct{}, 1), known: map[string]heard{}}
}

// All returns the nodes that are there, in the order of their names; this one is among them, and
// alone while nothing is known of others.
func (m *Members) All() []Member {
	m.mu.Lock()
	defer m.mu.Unlock()
	all := []Member{m.now()}
	for key, other := range m.known {
		switch {
		case key == m.self.ID:
		case time.Since(other.at) > memberSilence:
			delete(m.known, key)
		default:
			all = append(all, other.Member)
		}
	}
	slices.SortFunc(all, func(a, b Member) int { return cmp.Or(cmp.Compare(a.Node, b.Node), cmp.Compare(a.ID, b.ID)) })
	return all
}

func (m *Members) now() Member {
	self := m.self
	if m.sessions != nil {
		self.Sessions = m.sessions()
	}
	return self
}

// Run tells others of this node, and hears of them, until ctx ends.
func (m *Members) Run(ctx context.Context) error {
	var wg sync.WaitGroup
	wg.Go(func() { m.watch(ctx) })
	m.beat(ctx)
	wg.Wait()
	return context.Cause(ctx)
}

// beat keeps the value of this node fresh, and removes it at the end.
func (m *Members) beat(ctx context.Context) {
	var revision uint64
	var err error
	for {
		delay := memberBeat
		if revision, err = m.write(ctx, revision); err != nil {
			delay = memberRetry
		}
		select {
		case <-time.After(delay):
			continue
		case <-m.due:
			continue
		case <-ctx.Done():
		}
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), memberLeaves)
		defer cancel()
		if revision != 0 {
			_, _ = m.engine.Update(ctx, membersBucket, m.self.ID, nil, revision, 0) // else it expires
		}
		return
	}
}

// write writes the value of this node, and returns its revision, 0 where it has none.
func (m *Members) write(ctx context.Context, revision uint64) (uint64, error) {
	m.mu.Lock()
	data, err := json.Marshal(m.now())
	m.mu.Unlock()
	if err != nil {
		return revision, err
	}
	next := revision
	if revision == 0 {
		next, err = m.engine.Create(ctx, membersBucket, m.self.ID, data, memberLife)
	} else {
		next, err = m.engine.Update(ctx, membersBucket, m.self.ID, data, revision, memberLife)
	}
	if !errors.Is(err, ErrConflict) {
		if err != nil {
			next = revision
		}
		return next, err
	}
	// An answer was lost, or the engine has lost the value.
	v, getErr := m.engine.Get(ctx, membersBucket, m.self.ID)
	switch {
	case errors.Is(getErr, ErrNoValue):
		return 0, err
	case getErr != nil:
		return revision, getErr
	}
	return v.Revision, err
}

// watch hears of others until ctx ends.
func (m *Members) watch(ctx context.Context) {
	for ctx.Err() == nil {
		for v, err := range m.engine.Watch(ctx, membersBucket) {
			if err != nil {
				break
			}
			m.note(v)
		}
		select {
		case <-time.After(memberRetry):
		case <-ctx.Done():
		}
	}
}

// note notes what a watch yields. What it should have yielded while it did not go on shows by the
// time since which a node was not heard of.
func (m *Members) note(v Value) {
	var other Member
	switch {
	case v.Key == "": // the engine is reached, maybe for the first time, or after it has lost all
		select {
		case m.due <- struct{}{}:
		default:
		}
		return
	case v.Data == nil || json.Unmarshal(v.Data, &other) != nil:
		m.mu.Lock()
		defer m.mu.Unlock()
		delete(m.known, v.Key)
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	other.ID = v.Key
	m.known[v.Key] = heard{other, time.Now()}
}
