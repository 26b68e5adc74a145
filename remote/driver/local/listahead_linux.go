package local

import (
	"context"
	"sync"

	"golang.org/x/sys/unix"
)

const (
	describers = 2              // goroutines that describe the entries of a large directory
	batchSize  = 512            // entries that one of them takes at a time
	batches    = describers + 2 // that are described or used at a time
)

// ahead describes the entries of a directory before they are used. One describer at a time reads
// names, all make the system calls for each of them.
type ahead struct {
	rd   *dirReader
	free chan *batch
	read chan *batch // in the order of the directory; closed behind the last

	mu   sync.Mutex
	over bool // guarded by mu: read is closed
}

// A batch is some entries of a directory, in its order.
type batch struct {
	names []dirName
	found []meta
	err   error         // ends the listing behind found
	done  chan struct{} // gets a value when found and err are set
}

// listAhead is the rest of list.
func (rd *dirReader) listAhead(ctx context.Context, yield func(*meta) bool) error {
	ctx, stop := context.WithCancel(ctx)
	a := &ahead{rd: rd, free: make(chan *batch, batches), read: make(chan *batch, batches)}
	for range batches {
		a.free <- &batch{done: make(chan struct{}, 1)}
	}
	var running sync.WaitGroup
	defer running.Wait() // they use the descriptor and the buffer
	defer stop()
	for range describers {
		running.Go(func() { a.run(ctx) })
	}
	for b := range a.read {
		<-b.done
		for i := range b.found {
			if !yield(&b.found[i]) {
				return nil
			}
		}
		if b.err != nil {
			return b.err
		}
		a.free <- b
	}
	return context.Cause(ctx)
}

// run describes batches until the end of the directory or of ctx.
func (a *ahead) run(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			a.end()
			return
		case b := <-a.free:
			if !a.next(ctx, b) {
				return
			}
			b.describe(a.rd)
			b.done <- struct{}{}
		}
	}
}

// next fills b with names and passes it on. It returns false behind the end of the directory or of
// ctx.
func (a *ahead) next(ctx context.Context, b *batch) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.over {
		return false
	}
	b.names, b.err = b.names[:0], nil
	last := ctx.Err() != nil
	for !last && len(b.names) < batchSize {
		name, typ, err := a.rd.entry()
		if last = err != nil || name == nil; last {
			b.err = err
		} else {
			b.names = append(b.names, dirName{string(name), typ})
		}
	}
	useful := len(b.names) > 0 || b.err != nil
	if useful {
		a.read <- b
	}
	if last {
		a.over = true
		close(a.read)
	}
	return useful
}

// end ends the listing if nothing else has.
func (a *ahead) end() {
	a.mu.Lock()
	defer a.mu.Unlock()
	if !a.over {
		a.over = true
		close(a.read)
	}
}

// describe sets what was found of the names.
func (b *batch) describe(rd *dirReader) {
	var st unix.Statx_t
	b.found = b.found[:0]
	for _, n := range b.names {
		m, ok, err := rd.describe(n, &st)
		if err != nil {
			b.err = err
			return
		}
		if ok {
			b.found = append(b.found, m)
		}
	}
}
