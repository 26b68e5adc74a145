package defence

import (
	"context"
	"crypto/rand"
	"encoding/json"
	randv2 "math/rand/v2"
	"net/netip"
	"time"

	"ferry/cluster"
)

// subject is where nodes tell each other of points.
const subject = "points"

// told is a mark as other nodes are told of it. Without points, those of the host are taken back;
// without a host, all.
type told struct {
	Host   netip.Prefix `json:"host,omitzero"`
	Points int          `json:"points,omitempty"`
	Guess  uint64       `json:"guess,omitempty"`
	Reason string       `json:"reason,omitempty"`
	Ago    int64        `json:"ago,omitempty"` // in ms when it is told, so that clocks need not agree

	at time.Time
}

// report is a message about marks.
type report struct {
	Node   string `json:"node"`
	Run    string `json:"run"`
	Number uint64 `json:"number"` // of the reports of the run: it grows
	Marks  []told `json:"marks"`
}

// heard is what a node has said last.
type heard struct {
	run    string
	number uint64
}

const (
	maxReport = 200 // marks, so that it is some ten KiB
	maxReason = 100
	maxNodes  = 10_000
)

// tellPoints publishes the marks that wait. What could not be published is in left.
func (s *sharing) tellPoints(ctx context.Context, left *report) error {
	for {
		if len(left.Marks) == 0 {
			left.Number++
			if left.Marks = s.takePoints(); len(left.Marks) == 0 {
				return nil
			}
		}
		now := time.Now()
		for i := range left.Marks {
			t := &left.Marks[i]
			t.Ago = now.Sub(t.at).Milliseconds()
			t.Reason = t.Reason[:min(len(t.Reason), maxReason)]
		}
		text, err := json.Marshal(left)
		if err != nil {
			panic(err) // numbers and strings
		}
		if err := s.engine.Publish(ctx, subject, text); err != nil {
			return err
		}
		left.Marks = nil
	}
}

// takePoints returns the oldest marks that wait and still count.
func (s *sharing) takePoints() []told {
	s.mu.Lock()
	defer s.mu.Unlock()
	for len(s.points) > 0 && time.Since(s.points[0].at) > window {
		s.points = s.points[1:]
	}
	n := min(len(s.points), maxReport)
	taken := s.points[:n:n]
	s.points = s.points[n:]
	return taken
}

// hear adds the marks that another node tells of. A report that comes again says nothing new.
func (g *Guard) hear(m cluster.Message) {
	var r report
	s := g.shared
	if m.Gap || json.Unmarshal(m.Data, &r) != nil || r.Run == s.run {
		return
	}
	if last := s.heard[r.Node]; last.run == r.Run && r.Number <= last.number {
		return
	}
	if len(s.heard) >= maxNodes {
		clear(s.heard)
	}
	s.heard[r.Node] = heard{r.Run, r.Number}
	now := time.Now()
	for _, t := range r.Marks {
		t.at = now.Add(-time.Duration(max(t.Ago, 0)) * time.Millisecond)
		g.hearOf(t, now, r.Node)
	}
}

// hearOf takes in one mark. Each node decides on a ban by itself, and one of them will tell of it.
func (g *Guard) hearOf(t told, now time.Time, node string) {
	switch {
	case !t.Host.IsValid() && t.Points == 0:
		g.scores.forgivePoints()
	case !t.Host.IsValid() || Host(t.Host.Addr()) != t.Host:
	case t.Points <= 0:
		g.scores.forgive(t.Host)
	case g.o.Off || g.isTrusted(t.Host.Addr()) || now.Sub(t.at) > window:
	default:
		b, banned := g.scores.add(t.Host, mark{t.at, min(t.Points, threshold), t.Guess, true}, t.Reason, now)
		if !banned {
			return
		}
		g.shared.decided(t.Host, tellLater())
		g.bannedElsewhere(b, node)
	}
}

// tellLater is when a ban is told that others most likely tell of before.
func tellLater() time.Duration { return 300*time.Millisecond + randv2.N(500*time.Millisecond) }

// runName returns what tells a run from others.
func runName() string { return rand.Text() }
