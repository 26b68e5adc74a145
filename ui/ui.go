// Package ui is a page that shows what a server does: who is connected, what is transferred, what
// waits, what is wrong. It is live, and made once a second however many look; if nobody looks it is
// not made at all.
//
// The files, in reading order:
//
//	ui.go         Page: how it is made, and run; frames.go: when a snapshot is made, and who gets it
//	state.go      State: what the page asks of a server
//	snapshot.go   Snapshot: what is shown, made of a State
//	trouble.go    what is wrong; queue.go: what waits, in sum
//	latency.go    how long calls of remotes took; rates.go: how fast transfers are
//	history.go    the throughput of the last hour and day; series.go: by steps; picture.go: as a picture
//	recent.go     Recorder: a listener to events that remembers logins and transfers
//	handler.go    the page over HTTP; live.go: as server-sent events
//	assets/       HTML, CSS and JavaScript
//
// The package imports no part of the server: it reads through a Source.
package ui

import (
	"context"
	"log/slog"
	"net/http"
	"sync"
	"time"
)

const (
	// interval is the time between two snapshots.
	interval = time.Second
	// share bounds the time that is spent on snapshots: one that took long is made less often.
	share = 5
	// checkInterval is how often the remotes are asked whether they answer, while somebody looks.
	checkInterval = 10 * time.Second
)

// Options configure a Page. Source is required.
type Options struct {
	Source Source
	Recent *Recorder // nil: logins and transfers that have ended are not shown
	// May reports whether the sender of a request may make a call of the remote control. nil:
	// nobody may make any.
	May func(ctx context.Context, call string) bool
	// History is the file that keeps the throughput between two processes; "" = it is forgotten.
	History string
	// QueueLate is the age of a pending change that is trouble; 0 = DefaultQueueLate.
	QueueLate time.Duration
	Log       *slog.Logger // nil: nothing is logged
}

// DefaultQueueLate is the default of Options.QueueLate.
const DefaultQueueLate = 15 * time.Minute

// A Page shows a server. It is an http.Handler. Run makes it live. Its methods may be called
// concurrently.
type Page struct {
	opt     Options
	log     *slog.Logger
	handler http.Handler
	history *history

	mu      sync.Mutex
	last    *frame               // guarded by mu: the latest; nil = none
	making  chan struct{}        // guarded by mu: closed when the next one is made; nil = nobody makes it
	ready   time.Time            // guarded by mu: when the next one may be made
	made    uint64               // guarded by mu: how many there were
	rates   rates                // guarded by mu
	delays  latencies            // guarded by mu
	viewers map[*viewer]struct{} // guarded by mu
	closed  bool                 // guarded by mu: there will be no more frames
	asked   time.Time            // guarded by mu: when somebody last looked
}

// New returns a Page, with the history of its file.
func New(o Options) *Page {
	p := &Page{opt: o, log: o.Log, history: newHistory(), viewers: map[*viewer]struct{}{}}
	if p.log == nil {
		p.log = slog.New(slog.DiscardHandler)
	}
	if p.opt.QueueLate == 0 {
		p.opt.QueueLate = DefaultQueueLate
	}
	if p.opt.Recent == nil {
		p.opt.Recent = NewRecorder()
	}
	if o.History != "" {
		if err := p.history.load(o.History, time.Now()); err != nil {
			p.log.Warn("the throughput of the last day is not known", "error", err)
		}
	}
	p.handler = p.routes()
	return p
}

// Run notes the throughput, and sends snapshots to who looks, until ctx ends; then it says goodbye
// to them and saves the history. It is called once.
func (p *Page) Run(ctx context.Context) error {
	var wg sync.WaitGroup
	wg.Go(func() { p.checkRemotes(ctx) })
	ticker := time.NewTicker(interval)
	defer ticker.Stop()
	in, out := p.opt.Source.Traffic()
	p.history.start(in, out)
	for {
		select {
		case now := <-ticker.C:
			in, out := p.opt.Source.Traffic()
			p.history.note(now, in, out)
			p.publish(now)
			continue
		case <-ctx.Done():
		}
		break
	}
	p.close()
	wg.Wait()
	if p.opt.History == "" {
		return nil
	}
	if err := p.history.save(p.opt.History); err != nil {
		p.log.Warn("the throughput of the last day is not kept", "error", err)
	}
	return nil
}

// checkRemotes has the remotes asked from time to time while somebody looks, until ctx ends.
func (p *Page) checkRemotes(ctx context.Context) {
	ticker := time.NewTicker(interval)
	defer ticker.Stop()
	var last time.Time
	for {
		select {
		case <-ctx.Done():
			return
		case now := <-ticker.C:
			if p.watched(now) && now.Sub(last) >= checkInterval {
				p.opt.Source.Check(ctx)
				last = now
			}
		}
	}
}
