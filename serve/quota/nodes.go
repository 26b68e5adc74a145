package quota

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"ferry/cluster"
)

// Bucket is where nodes keep what they count together.
const Bucket = "quota"

// Sharing is how a Store counts together with those of other nodes.
type Sharing struct {
	Engine cluster.Engine
	Node   string // what this node is called, as no other
	// Offline has users store on when the engine is away and all is used that this node has
	// leased, up to their limits as far as is known. Else they are refused.
	Offline bool
	Log     *slog.Logger // nil = none
}

// Share has the limits of users hold for what they store by all nodes together. It comes before the
// first Account; Run does what goes on beside. What was counted here before counts for all if no
// node has told of the user yet; else it does not, and a scan has to say what is true.
func (s *Store) Share(o Sharing) error {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	id, err := s.nodeID()
	if err != nil {
		return err
	}
	s.nodes = &nodes{
		engine: o.Engine, node: o.Node + "~" + id, offline: o.Offline, log: o.Log, wake: make(chan struct{}, 1),
		due: map[*Account]time.Time{}, busy: map[*Account]bool{}, users: map[string]Usage{},
	}
	return nil
}

// nodeID returns what tells the records of this directory from those of any other, also one of a
// node that was called the same before.
func (s *Store) nodeID() (string, error) {
	if err := os.MkdirAll(s.dir, 0o700); err != nil {
		return "", err
	}
	path := filepath.Join(s.dir, "node.id") // no user's: their records have no dot in them
	text, err := os.ReadFile(path)
	if id := strings.TrimSpace(string(text)); err == nil && id != "" {
		return id, nil
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return "", err
	}
	id := rand.Text()[:8]
	return id, os.WriteFile(path, []byte(id+"\n"), 0o600)
}

const (
	// atOnce is how many users are synced at a time.
	atOnce = 8
	// goodbye is how long the end of a run may take to give back what was leased.
	goodbye = 2 * time.Second
)

// Run exchanges with the other nodes what is counted until ctx ends, and gives back then what was
// leased. Without a Share it only waits for that.
func (s *Store) Run(ctx context.Context) error {
	n := s.nodes
	if n == nil {
		<-ctx.Done()
		return context.Cause(ctx)
	}
	var wg sync.WaitGroup
	wg.Go(func() { _ = cluster.Values(ctx, n.engine, Bucket, s.heard) }) // it returns when ctx has ended
	var timer *time.Timer
	slots := make(chan struct{}, atOnce)
	for ctx.Err() == nil {
		a, at := n.next(time.Now())
		if a != nil {
			slots <- struct{}{}
			wg.Go(func() {
				s.sync(ctx, a, false)
				n.synced(a)
				<-slots
			})
			continue
		}
		timer = time.NewTimer(time.Hour)
		if !at.IsZero() {
			timer.Reset(time.Until(at))
		}
		select {
		case <-ctx.Done():
		case <-n.wake:
		case <-timer.C:
		}
		timer.Stop()
	}
	wg.Wait()
	s.leave(ctx)
	return context.Cause(ctx)
}

// leave gives back what is leased, and tells what was counted.
func (s *Store) leave(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), goodbye)
	defer cancel()
	s.mu.Lock()
	var all []*Account
	for _, a := range s.accounts {
		all = append(all, a)
	}
	s.mu.Unlock()
	slots := make(chan struct{}, atOnce)
	var wg sync.WaitGroup
	for _, a := range all {
		slots <- struct{}{}
		wg.Go(func() {
			s.sync(ctx, a, true)
			<-slots
		})
	}
	wg.Wait()
}

// heard takes in what nodes know together of a user.
func (s *Store) heard(v cluster.Value) {
	n := s.nodes
	if v.Key == "" {
		s.untold()
		return
	}
	c, ok := decode(v.Data)
	if !ok {
		n.heard(v.Key, Usage{}, false)
		return
	}
	n.heard(v.Key, c.Used, true)
	s.mu.Lock()
	a := s.accounts[c.User]
	if p := c.Nodes[n.node]; a == nil && p != nil && p.Lease != (Usage{}) {
		a, _ = s.account(c.User, Limits{}) // of a run before this one: it is given back
	}
	s.mu.Unlock()
	if a != nil {
		a.heard(c, v.Revision)
	}
}

// heard takes in what nodes know together of the user. What another one lacks is given back, and
// what this one lacks may be there now.
func (a *Account) heard(c *common, revision uint64) {
	n := a.store.nodes
	a.mu.Lock()
	defer a.mu.Unlock()
	l := a.lease
	if !n.isBusy(a) {
		a.know(c, revision, n.node)
	}
	if c.wanted(n.node, time.Now()) && l.answered != c.Want.At {
		l.answered, l.yields = c.Want.At, true
		n.later(a, 0)
	}
	if len(l.waiting) > 0 || l.granted != (Usage{}) && a.users.Load() == 0 {
		n.later(a, 0)
	}
}

// untold has the users synced of whom something was counted here that was not told.
func (s *Store) untold() {
	entries, err := os.ReadDir(s.dir)
	if err != nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, a := range s.accounts {
		s.nodes.later(a, 0)
	}
	for _, e := range entries {
		user, err := url.PathUnescape(e.Name())
		if err != nil || strings.Contains(e.Name(), ".") || isHashed(e.Name()) || s.accounts[user] != nil || s.path(user) != filepath.Join(s.dir, e.Name()) {
			continue
		}
		r, err := openRecord(s.path(user), false)
		if err != nil {
			continue
		}
		c, err := r.readTally()
		if r.close(); err != nil || !c.known || c.here == c.told {
			continue
		}
		if a, err := s.account(user, Limits{}); err == nil {
			s.nodes.later(a, 0)
		}
	}
}

// Told returns what nodes have told of a user; without a Share it is Usage.
func (s *Store) Told(ctx context.Context, user string) (Usage, error) {
	if s.nodes == nil {
		return s.Usage(user)
	}
	c, _, err := s.nodes.get(ctx, user)
	if err != nil {
		return Usage{}, err
	}
	if c == nil { // no node has told of the user yet: it would be what was counted here
		return s.Usage(user)
	}
	return c.Used.most(Usage{}), nil
}

// SetForAll replaces what all nodes know of a user, as after a Scan; without a Share it is Set.
// What nodes have counted and not told yet is added to it.
func (s *Store) SetForAll(ctx context.Context, user string, u Usage) error {
	if s.nodes == nil {
		return s.Set(user, u)
	}
	ctx, cancel := context.WithTimeout(ctx, answer)
	defer cancel()
	var err error
	for try := 0; ; try++ {
		var c *common
		var revision uint64
		if c, revision, err = s.nodes.get(ctx, user); err != nil && !errors.Is(err, errDamaged) {
			return err
		}
		if c == nil {
			c = &common{User: user}
		}
		c.Used = u
		if _, err = s.nodes.set(ctx, c, revision); !errors.Is(err, cluster.ErrConflict) {
			return err
		}
		if giveWay(ctx, try) != nil {
			return fmt.Errorf("other nodes count as fast: try again: %w", err)
		}
	}
}
