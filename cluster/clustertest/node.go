package clustertest

import (
	"context"
	"fmt"
	"iter"
	"slices"
	"strings"
	"time"

	"ferry/cluster"
)

// A Node is a cluster.Engine of a test: one node's connection to a Server.
type Node struct {
	server *Server

	// These are under the lock of the server.
	away   bool
	breaks int // how often it was cut off
	delay  time.Duration
	twice  bool
	lost   int
}

// Cut takes the node off the server, or brings it back; others do not notice.
func (n *Node) Cut(away bool) {
	n.server.change(func() {
		n.away = away
		n.breaks++
	})
}

// Delay makes messages and values come to the node so much later.
func (n *Node) Delay(d time.Duration) { n.server.change(func() { n.delay = d }) }

// Twice makes every message come to the node two times, or one time again.
func (n *Node) Twice(twice bool) { n.server.change(func() { n.twice = twice }) }

// LoseAnswers makes the next calls of the node that change something fail with cluster.ErrAway
// after they were done.
func (n *Node) LoseAnswers(calls int) { n.server.change(func() { n.lost = calls }) }

// begin locks the server for a call. The caller unlocks it, whatever the result.
func (n *Node) begin(ctx context.Context, names ...string) error {
	n.server.mu.Lock()
	if err := ctx.Err(); err != nil {
		return err
	}
	for _, name := range names {
		if err := checkName(name); err != nil {
			return err
		}
	}
	if n.isAway() {
		return cluster.ErrAway
	}
	n.server.expire()
	return nil
}

func (n *Node) isAway() bool { return n.away || n.server.away }

// checkName refuses what not every engine can keep.
func checkName(name string) error {
	const allowed = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_="
	if name == "" || strings.Trim(name, allowed) != "" {
		return fmt.Errorf("%q is no name of a key, bucket or subject", name)
	}
	return nil
}

// end is the error of a call that was made.
func (n *Node) end() error {
	if n.lost > 0 {
		n.lost--
		return cluster.ErrAway
	}
	return nil
}

// Publish implements cluster.Engine.
func (n *Node) Publish(ctx context.Context, subject string, data []byte) error {
	s := n.server
	defer s.mu.Unlock()
	if err := n.begin(ctx, subject); err != nil {
		return err
	}
	s.messages[subject] = append(s.messages[subject], message{slices.Clone(data), time.Now()})
	s.wake()
	return n.end()
}

// Get implements cluster.Engine.
func (n *Node) Get(ctx context.Context, bucket, key string) (cluster.Value, error) {
	defer n.server.mu.Unlock()
	if err := n.begin(ctx, bucket, key); err != nil {
		return cluster.Value{}, err
	}
	v := n.server.buckets[bucket][key]
	if v == nil || v.Data == nil {
		return cluster.Value{}, cluster.ErrNoValue
	}
	return v.copy(), nil
}

// copy returns the value for somebody else.
func (h *held) copy() cluster.Value {
	v := h.Value
	v.Data = slices.Clone(v.Data)
	return v
}

// Create implements cluster.Engine.
func (n *Node) Create(ctx context.Context, bucket, key string, data []byte, life time.Duration) (uint64, error) {
	defer n.server.mu.Unlock()
	if err := n.begin(ctx, bucket, key); err != nil {
		return 0, err
	}
	if v := n.server.buckets[bucket][key]; v != nil && v.Data != nil {
		return 0, cluster.ErrConflict
	}
	if data == nil {
		data = []byte{}
	}
	return n.answer(n.server.set(bucket, key, data, life))
}

func (n *Node) answer(revision uint64) (uint64, error) {
	if err := n.end(); err != nil {
		return 0, err
	}
	return revision, nil
}

// Update implements cluster.Engine.
func (n *Node) Update(ctx context.Context, bucket, key string, data []byte, revision uint64, life time.Duration) (uint64, error) {
	defer n.server.mu.Unlock()
	if err := n.begin(ctx, bucket, key); err != nil {
		return 0, err
	}
	if v := n.server.buckets[bucket][key]; v == nil || v.Data == nil || v.Revision != revision {
		return 0, cluster.ErrConflict
	}
	return n.answer(n.server.set(bucket, key, data, life))
}

// Subscribe implements cluster.Engine.
func (n *Node) Subscribe(ctx context.Context, subject string) iter.Seq2[cluster.Message, error] {
	return func(yield func(cluster.Message, error) bool) {
		s := n.server
		epoch, at := -1, 0
		for {
			s.mu.Lock()
			var found []cluster.Message
			var wait wait
			if err := checkName(subject); err != nil {
				s.mu.Unlock()
				yield(cluster.Message{}, err)
				return
			}
			if !n.isAway() {
				found, wait.until = n.read(subject, &epoch, &at)
			}
			wait.changed = s.changed
			s.mu.Unlock()
			for _, m := range found {
				if !yield(m, nil) {
					return
				}
			}
			if len(found) > 0 && ctx.Err() == nil {
				continue
			}
			if err := wait.wait(ctx); err != nil {
				yield(cluster.Message{}, err)
				return
			}
		}
	}
}

// read returns what the node has not had yet, and when the next one comes. The lock is held.
func (n *Node) read(subject string, epoch, at *int) (found []cluster.Message, next time.Time) {
	s := n.server
	all, cut := s.messages[subject], s.cut[subject]
	switch {
	case *epoch < 0:
		*epoch, *at = s.epoch, cut+len(all)
		return []cluster.Message{{Gap: true}}, time.Time{}
	case *epoch != s.epoch:
		*epoch, *at = s.epoch, cut
		found = append(found, cluster.Message{Gap: true})
	case *at < cut:
		*at = cut
		found = append(found, cluster.Message{Gap: true})
	}
	for _, m := range all[*at-cut:] {
		if due := m.at.Add(n.delay); due.After(time.Now()) {
			return found, due
		}
		*at++
		found = append(found, cluster.Message{Data: slices.Clone(m.data)})
		if n.twice {
			found = append(found, cluster.Message{Data: slices.Clone(m.data)})
		}
	}
	return found, time.Time{}
}

// Watch implements cluster.Engine.
func (n *Node) Watch(ctx context.Context, bucket string) iter.Seq2[cluster.Value, error] {
	return func(yield func(cluster.Value, error) bool) {
		if err := checkName(bucket); err != nil {
			yield(cluster.Value{}, err)
			return
		}
		var w position
		for {
			found, wait := n.look(bucket, &w)
			for _, v := range found {
				if !yield(v, nil) {
					return
				}
			}
			if len(found) > 0 && ctx.Err() == nil {
				continue
			}
			if err := wait.wait(ctx); err != nil {
				yield(cluster.Value{}, err)
				return
			}
		}
	}
}

// A position is what a watch has yielded.
type position struct {
	begun    bool
	breaks   int
	revision uint64
}

// look returns what a watch has to yield now, and what it waits for then.
func (n *Node) look(bucket string, w *position) (found []cluster.Value, next wait) {
	s := n.server
	s.mu.Lock()
	defer s.mu.Unlock()
	next.changed = s.changed
	if n.isAway() {
		return nil, next
	}
	s.expire()
	if breaks := s.breaks + n.breaks; !w.begun || w.breaks != breaks {
		*w = position{begun: true, breaks: breaks, revision: s.revision}
		for _, v := range s.since(bucket, 0) {
			if v.Data != nil {
				found = append(found, v.copy())
			}
		}
		return append(found, cluster.Value{}), next
	}
	next.until = s.nextEnd(bucket)
	for _, v := range s.since(bucket, w.revision) {
		if due := v.at.Add(n.delay); due.After(time.Now()) {
			next.until = due
			break
		}
		w.revision = v.Revision
		found = append(found, v.copy())
	}
	return found, next
}

// A wait ends by a change or at a time, if that is not zero.
type wait struct {
	changed chan struct{}
	until   time.Time
}

func (w wait) wait(ctx context.Context) error {
	var timer <-chan time.Time
	if !w.until.IsZero() {
		t := time.NewTimer(time.Until(w.until))
		defer t.Stop()
		timer = t.C
	}
	select {
	case <-w.changed:
	case <-timer:
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	return nil
}
