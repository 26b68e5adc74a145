package defence

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"os"
	"slices"
	"sync"
	"time"

	"ferry/config"
)

// A record is an address in the file. Guesses are not kept: with the key beside it, their hashes
// would tell passwords that are almost right.
type record struct {
	Network netip.Prefix `json:"network"`
	Until   time.Time    `json:"until,omitzero"`
	Times   int          `json:"times,omitempty"`
	Reason  string       `json:"reason,omitempty"`
	Made    time.Time    `json:"made,omitzero"`
	Node    string       `json:"node,omitempty"`
	ByHand  bool         `json:"byHand,omitempty"`
	Marks   []keptMark   `json:"marks,omitempty"`
}

type keptMark struct {
	At     time.Time `json:"at"`
	Points int       `json:"points"`
}

// kept is the whole file.
type kept struct {
	Version int      `json:"version"`
	Hosts   []record `json:"hosts"` // least recently heard of first
}

const fileVersion = 1

// load reads the file. One that is damaged is an error only in the log: it must not keep the server
// from starting.
func (g *Guard) load() error {
	if g.o.File == "" {
		return nil
	}
	text, err := os.ReadFile(g.o.File)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("the file of bans: %w", err)
	}
	var k kept
	if err := json.Unmarshal(text, &k); err != nil || k.Version != fileVersion {
		g.o.Log.Error("the bans are forgotten: their file is damaged or of another version", "file", g.o.File, "error", err)
		return nil
	}
	g.scores.restore(k.Hosts, time.Now())
	return nil
}

// restore fills the empty table.
func (s *scores) restore(hosts []record, now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, r := range hosts {
		if !r.Network.IsValid() {
			continue
		}
		var e *entry
		if Host(r.Network.Addr()) != r.Network {
			if len(s.wide) >= maxWide {
				continue
			}
			e = &entry{host: r.Network}
			s.wide[r.Network] = e
		} else {
			if s.entries[r.Network] != nil {
				continue
			}
			e = s.insert(r.Network)
			if r.Times > 0 {
				s.move(e, s.banned)
			}
		}
		e.until, e.times, e.reason = r.Until, r.Times, r.Reason
		e.made, e.node, e.byHand = r.Made, r.Node, r.ByHand
		for _, m := range r.Marks {
			e.marks = append(e.marks, mark{at: m.At, points: m.Points})
		}
	}
	s.forgetOld(now)
}

// records returns what is worth keeping, and the number of changes that led to it.
func (s *scores) records(now time.Time) ([]record, int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.forgetOld(now)
	all := make([]record, 0, len(s.entries)+len(s.wide))
	add := func(e *entry) {
		r := record{Network: e.host, Until: e.until, Times: e.times, Reason: e.reason, Made: e.made, Node: e.node, ByHand: e.byHand}
		for _, m := range e.marks {
			r.Marks = append(r.Marks, keptMark{m.at, m.points})
		}
		all = append(all, r)
	}
	for _, e := range s.wide {
		add(e)
	}
	slices.SortFunc(all, func(a, b record) int { return a.Network.Compare(b.Network) })
	for el := s.suspects.Front(); el != nil; el = el.Next() {
		add(el.Value.(*entry))
	}
	for el := s.banned.Front(); el != nil; el = el.Next() {
		add(el.Value.(*entry))
	}
	return all, s.changes
}

// saveEvery is how often the file is written while something changes.
const saveEvery = 5 * time.Second

// Run writes the file when something has changed, until ctx ends, and then once more. Where bans
// are shared it tells other nodes and listens to them.
func (g *Guard) Run(ctx context.Context) error {
	var wg sync.WaitGroup
	defer wg.Wait()
	if g.shared != nil {
		wg.Go(func() { g.share(ctx) })
	}
	return g.keep(ctx)
}

func (g *Guard) keep(ctx context.Context) error {
	if g.o.File == "" {
		<-ctx.Done()
		return context.Cause(ctx)
	}
	tick := time.NewTicker(saveEvery)
	defer tick.Stop()
	saved, failed := 0, false
	var next time.Time // not before: writing a long file takes no more than a twentieth of the time
	save := func(atEnd bool) {
		if begun := time.Now(); g.scores.changed(saved) && (atEnd || !begun.Before(next)) {
			n, err := g.save()
			next = time.Now().Add(20 * time.Since(begun))
			if err == nil {
				saved = n
			} else if !failed {
				g.o.Log.Error("cannot keep the bans over a restart", "file", g.o.File, "error", err)
			}
			failed = err != nil
		}
	}
	for {
		select {
		case <-tick.C:
			save(false)
		case <-ctx.Done():
			save(true)
			return context.Cause(ctx)
		}
	}
}

func (s *scores) changed(saved int) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.changes != saved
}

// save writes the file, atomically and durably, and returns the number of changes in it.
func (g *Guard) save() (int, error) {
	hosts, n := g.scores.records(time.Now())
	text, err := json.Marshal(kept{fileVersion, hosts})
	if err != nil {
		return 0, err
	}
	return n, config.WriteFile(g.o.File, append(text, '\n'), config.Loose)
}
