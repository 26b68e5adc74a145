package dropbox

import (
	"context"
	"encoding/json"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"ferry/remote"
)

// A committer makes files of upload sessions. One request makes many: those that have come while
// the one before was made.
type committer struct {
	service *service
	most    int           // files of a request
	linger  time.Duration // how long it waits for more
	tries   int

	mu      sync.Mutex
	queue   []*pending // guarded by mu
	running bool       // guarded by mu; a goroutine takes from the queue
}

func newCommitter(s *service, o Options) *committer {
	c := &committer{service: s, most: o.BatchSize, linger: o.BatchTimeout, tries: o.Network.Tries()}
	if o.Unbatched {
		c.most, c.linger = 1, 0
	}
	return c
}

// A pending commit waits, or is made.
type pending struct {
	arg   finishArg
	ended func(then func()) (stop func() bool) // calls then when nobody waits for it any more
	busy  func()                               // tells who waits that there are too many requests
	alone bool                                 // by a request of its own
	done  chan struct{}                        // closed when the rest is known

	file  *metadata
	err   error
	doubt bool // it may have been made although there is an error
}

type finishArg struct {
	Cursor sessionCursor `json:"cursor"`
	Commit commitInfo    `json:"commit"`
}

// commit makes a file of a session that is closed. The error is in doubt if the file may have been
// made.
func (c *committer) commit(ctx context.Context, arg finishArg) (file *metadata, doubt bool, err error) {
	committed, release := remote.Committed(ctx)
	defer release()
	for tried := 1; ; tried++ {
		p := &pending{arg: arg, alone: tried > 1, done: make(chan struct{})}
		p.ended = func(then func()) (stop func() bool) { return context.AfterFunc(ctx, then) }
		p.busy = func() { remote.Congested(ctx) }
		c.enqueue(ctx, p)
		select {
		case <-p.done:
		case <-ctx.Done():
			if c.withdraw(p) {
				return nil, doubt, context.Cause(ctx)
			}
			select {
			case <-p.done:
			case <-committed.Done():
				return nil, true, context.Cause(ctx)
			}
		}
		doubt = doubt || p.doubt
		busy := has(p.err, tooManyWrites) || has(p.err, tooManyTargets)
		switch {
		case !busy:
			return p.file, doubt, p.err
		case tried >= c.tries:
			return nil, doubt, remote.Repeated(p.err)
		}
		c.service.pace.slow(ctx, tried, 0)
	}
}

// enqueue lets a commit wait, and starts what makes them if none waited.
func (c *committer) enqueue(ctx context.Context, p *pending) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.queue = append(c.queue, p)
	if !c.running {
		c.running = true
		go c.run(context.WithoutCancel(ctx))
	}
}

// withdraw takes a commit back, unless it is being made or was.
func (c *committer) withdraw(p *pending) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	i := slices.Index(c.queue, p)
	if i >= 0 {
		c.queue = slices.Delete(c.queue, i, i+1)
	}
	return i >= 0
}

// run makes commits until none waits. ctx does not end.
func (c *committer) run(ctx context.Context) {
	for {
		if c.linger > 0 {
			time.Sleep(c.linger)
		}
		release, _ := c.service.enter(ctx)
		batch := c.take()
		if batch == nil {
			release()
			return
		}
		made := make(chan struct{})
		go func() {
			defer close(made)
			defer release()
			c.make(ctx, batch)
		}()
		patience := time.NewTimer(gatePatience)
		select {
		case <-made:
		case <-patience.C: // as in enter
		}
		patience.Stop()
	}
}

// take returns the commits that are next, nil for the end of run.
func (c *committer) take() []*pending {
	c.mu.Lock()
	defer c.mu.Unlock()
	n := 0
	for n < len(c.queue) && n < c.most && (n == 0 || !c.queue[n].alone && !c.queue[0].alone) {
		n++
	}
	if n == 0 {
		c.running = false
		return nil
	}
	batch := slices.Clone(c.queue[:n])
	c.queue = slices.Delete(c.queue, 0, n)
	return batch
}

// make makes commits by one request. It ends when nobody waits for any of them.
func (c *committer) make(ctx context.Context, batch []*pending) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var alive atomic.Int64
	alive.Store(int64(len(batch)))
	arg := struct {
		Entries []finishArg `json:"entries"`
	}{}
	for _, p := range batch {
		arg.Entries = append(arg.Entries, p.arg)
		stop := p.ended(func() {
			if alive.Add(-1) == 0 {
				cancel()
			}
		})
		defer stop()
	}
	ctx, lost := doubting(remote.WithCongested(ctx, func() {
		for _, p := range batch {
			p.busy()
		}
	}))
	var answer struct {
		Entries []finished `json:"entries"`
	}
	err := c.finish(ctx, arg, &answer)
	if err == nil && len(answer.Entries) != len(batch) {
		err = errMalformed
	}
	for i, p := range batch {
		p.err = err
		if err == nil {
			p.file, p.err = answer.Entries[i].result()
		}
		// After an answer was lost, it was asked again: only the first one makes a file of a
		// session, and the others do not find it.
		p.doubt = lost.Load() && (err != nil || has(p.err, "lookup_failed"))
		close(p.done)
	}
}

// finish asks again where no answer comes: a session becomes a file once.
func (c *committer) finish(ctx context.Context, arg, answer any) error {
	began := time.Now()
	for tried := 1; ; tried++ {
		err := c.service.rpc(ctx, "files/upload_session/finish_batch_v2", arg, answer)
		if err == nil || !passes(err) || unreachable(err) || remote.WasRepeated(err) || ctx.Err() != nil {
			return err
		}
		if tried >= c.tries || time.Since(began) > repeatTime {
			return remote.Repeated(err)
		}
		if remote.Sleep(ctx, backoff(tried)) != nil {
			return err
		}
	}
}

// finished is what became of a commit.
type finished struct {
	Tag string `json:".tag"` // success, or failure
	metadata
	Failure json.RawMessage `json:"failure"`
}

func (f *finished) result() (*metadata, error) {
	if f.Tag == "success" {
		return &f.metadata, nil
	}
	e := &refusal{route: "files/upload_session/finish_batch_v2", code: 409}
	e.read(f.Failure)
	return nil, e
}
