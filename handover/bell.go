package handover

import (
	"context"
	"encoding/json"
	"time"

	"ferry/remote"
)

// subject is where nodes tell each other that something was handed over.
const subject = "handover"

const (
	ringEvery = 2 * time.Second // while a node gives
	ringTime  = time.Second     // for telling it
	ringRetry = 2 * time.Second // before listening again
)

// A ring is the message that it is worth looking. What there is says the place.
type ring struct {
	From string `json:"from"` // the process
	Node string `json:"node"` // for people
}

// rung tells other nodes that there is something. Where that fails they find out by themselves.
func (p *Place) rung(ctx context.Context) {
	if p.engine == nil {
		return
	}
	text, err := json.Marshal(ring{p.id, p.node})
	if err != nil {
		panic(err) // strings
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), ringTime)
	defer cancel()
	if err := p.engine.Publish(ctx, subject, text); err != nil {
		p.log.InfoContext(ctx, "other nodes are not told that something is handed over: they look each minute", "error", err)
	}
}

// Listen calls heard whenever another node may have handed over something, until ctx ends. It
// returns at once where nobody could tell.
func (p *Place) Listen(ctx context.Context, heard func()) {
	for p.engine != nil && ctx.Err() == nil {
		for m, err := range p.engine.Subscribe(ctx, subject) {
			if err != nil {
				break
			}
			var r ring
			if m.Gap || json.Unmarshal(m.Data, &r) != nil || r.From != p.id {
				heard()
			}
		}
		if remote.Sleep(ctx, ringRetry) != nil {
			return
		}
	}
}

// told notes that a record is stored, and tells others, unless it has done so a moment ago.
func (g *Giver) told(ctx context.Context) {
	g.mu.Lock()
	g.untold = true
	due := time.Since(g.rang) >= ringEvery
	if due {
		g.untold, g.rang = false, time.Now()
	}
	g.mu.Unlock()
	if due {
		g.place.rung(ctx)
	}
}

// tellRest tells others of what they were not told of.
func (g *Giver) tellRest(ctx context.Context) {
	g.mu.Lock()
	untold := g.untold
	g.untold = false
	g.mu.Unlock()
	if untold {
		g.place.rung(ctx)
	}
}
