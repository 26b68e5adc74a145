package elsewhere

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"ferry/cluster"
)

const (
	// often is the time between two times of looking what waits, if anything does.
	often = 100 * time.Millisecond
	// share is how much of its time it may take to look: one part in so many.
	share = 20
	// rateOfAll is how many bytes all nodes write in a second, if there are many: each reads them.
	// Of these a node writes at least leastRate and at most mostRate.
	rateOfAll = 2 << 20
	leastRate = 16 << 10
	mostRate  = 256 << 10
	// retry is when what could not be written is tried again.
	retry = time.Second
	// farewell is for what has changed at the end.
	farewell = time.Second
)

// A teller tells what waits here.
type teller struct {
	f   *Files
	own *cluster.Own

	woken chan struct{} // holds one when there may be something to tell at once

	mu      sync.Mutex
	ready   bool              // guarded by mu; all values were heard once
	earlier map[string]value  // guarded by mu; of earlier processes of this node, by key
	places  map[string]*place // guarded by mu
	pieces  int               // guarded by mu; of all places
	warned  bool              // guarded by mu; that there are too many files
	away    bool              // guarded by mu; the last try to write has failed
	renewed time.Time         // guarded by mu; when all was written
}

// A place is what waits here for one place.
type place struct {
	pieces
	tree  *Tree // nil = it was closed: what it has left stays until it expires
	edits uint64
	due   time.Time // when there may be something to tell besides
	known bool      // what there is was looked at
}

func (t *teller) init(f *Files) {
	t.f, t.own = f, cluster.NewOwn(f.o.Engine, Bucket)
	t.woken = make(chan struct{}, 1)
	t.earlier, t.places, t.renewed = map[string]value{}, map[string]*place{}, time.Now()
}

// tell tells what waits until ctx ends.
func (f *Files) tell(ctx context.Context) {
	t := &f.telling
	for ctx.Err() == nil {
		began := time.Now()
		t.look()
		wait := max(t.rest(), share*time.Since(began))
		wrote, err := t.write(ctx)
		if err != nil {
			wait = retry
		}
		rate := min(max(rateOfAll/(1+f.hearing.nodes()), leastRate), mostRate)
		wait = max(wait, time.Duration(wrote)*time.Second/time.Duration(rate))
		t.sleep(ctx, wait, wait <= Age)
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), farewell)
	defer cancel()
	t.look()
	_, _ = t.write(ctx) // else it expires
}

// look looks what waits in all trees.
func (t *teller) look() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if !t.ready {
		return
	}
	if time.Since(t.renewed) >= renewal {
		t.renewed = time.Now()
		for _, p := range t.places {
			if p.tree != nil {
				p.touch()
			}
		}
	}
	for _, p := range t.places {
		if p.tree != nil {
			t.lookAt(p)
		}
	}
}

// sleep returns after d, when ctx ends, or if early when it is woken.
func (t *teller) sleep(ctx context.Context, d time.Duration, early bool) {
	woken := t.woken
	if !early {
		woken = nil
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-woken:
	case <-ctx.Done():
	}
}

func (t *teller) wake() {
	select {
	case t.woken <- struct{}{}:
	default:
	}
}

// rest is how long it may take until it is looked again: while nothing waits, and nothing is told
// of, nothing can be to be told sooner than Age from now.
func (t *teller) rest() time.Duration {
	t.mu.Lock()
	defer t.mu.Unlock()
	if !t.ready {
		return Age
	}
	for _, p := range t.places {
		if !p.due.IsZero() || len(p.in) > 0 || p.all != [maxPieces]*piece{} || p.tree != nil && !p.known {
			return often
		}
	}
	return Age
}

// touch has all pieces written again.
func (p *place) touch() {
	for _, in := range p.all {
		if in != nil {
			in.dirty = true
		}
	}
}

// lookAt looks what waits in the tree of a place.
// LOCKS_REQUIRED(t.mu)
func (t *teller) lookAt(p *place) {
	source := p.tree.source
	edits := source.Edits() // before what it is about
	if p.known && edits == p.edits && (p.due.IsZero() || time.Now().Before(p.due)) {
		return
	}
	p.edits, p.known = edits, true
	p.begin()
	p.due = source.Unsent(Age, func(name string, size int64, modTime time.Time) {
		p.note(name, newFile(name, size, modTime), t.f.o.Node, t.takePiece)
	})
	p.end()
	if p.untold > 0 && !t.warned {
		t.warned = true
		t.f.o.Log.Warn("so many files wait to be sent that other nodes are not told of all", "place", p.place, "untold", p.untold)
	}
}

// takePiece reports whether there may be one piece more.
// LOCKS_REQUIRED(t.mu)
func (t *teller) takePiece() bool {
	if t.pieces == maxPieces {
		return false
	}
	t.pieces++
	return true
}

// A letter is a piece that is to be written.
type letter struct {
	place *place
	piece *piece
	grown bool
	data  []byte
}

// take returns what is to be written, first what has files that others do not know: one that was
// renamed is in both or in the new place.
func (t *teller) take() []letter {
	t.mu.Lock()
	defer t.mu.Unlock()
	var all []letter
	for _, p := range t.places {
		for _, in := range p.all {
			if in != nil && in.dirty {
				all = append(all, letter{p, in, in.grown, in.encode(p.place, t.f.o.Node, t.f.run)})
				in.dirty, in.grown = false, false
			}
		}
	}
	slices.SortFunc(all, func(a, b letter) int { return cmp.Compare(number(b.grown), number(a.grown)) })
	return all
}

func number(b bool) int {
	if b {
		return 1
	}
	return 0
}

// write writes what has changed, and returns how many bytes that were.
func (t *teller) write(ctx context.Context) (wrote int, err error) {
	for _, l := range t.take() {
		if err == nil {
			err = t.own.Set(ctx, l.piece.key, l.data, Life)
		}
		t.written(l, err)
		wrote += len(l.data)
	}
	return wrote, err
}

// written takes in how writing a piece has ended.
func (t *teller) written(l letter, err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if err != nil {
		l.piece.dirty, l.piece.grown = true, l.piece.grown || l.grown
		if !t.away && !errors.Is(err, cluster.ErrAway) && !errors.Is(err, context.Canceled) {
			t.f.o.Log.Warn("other nodes are not told what waits here", "error", err)
		}
	} else if l.data == nil && len(l.piece.files) == 0 {
		t.drop(l.place, l.piece)
	}
	t.away = err != nil
}

// drop forgets a piece in which nothing is left.
// LOCKS_REQUIRED(t.mu)
func (t *teller) drop(p *place, in *piece) {
	if i := slices.Index(p.all[:], in); i >= 0 {
		p.all[i] = nil
		t.pieces--
	}
	if p.tree == nil && len(p.in) == 0 && p.all == [maxPieces]*piece{} {
		delete(t.places, p.place)
	}
}

func (t *teller) count() (told, untold int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, p := range t.places {
		told += len(p.in)
		untold += p.untold
	}
	return told, untold
}

// join begins to tell what waits in a tree.
func (t *teller) join(tree *Tree) {
	t.mu.Lock()
	defer t.mu.Unlock()
	p := t.places[tree.place]
	if p == nil {
		p = &place{pieces: *newPieces(tree.place)}
		t.places[tree.place] = p
	}
	p.tree, p.known = tree, false
	t.wake()
	if t.ready {
		t.adopt(p)
	}
}

// adopt takes over what an earlier process has told of a place.
// LOCKS_REQUIRED(t.mu)
func (t *teller) adopt(p *place) {
	for key, v := range t.earlier {
		if i := pieceOf(key, p.place, t.f.o.Node); v.Place == p.place && i >= 0 && p.all[i] == nil {
			p.pieces.adopt(i, key, v.Files)
			t.pieces++
			delete(t.earlier, key)
		}
	}
}

// leave looks a last time what waits in a tree.
func (t *teller) leave(tree *Tree) {
	t.mu.Lock()
	defer t.mu.Unlock()
	p := t.places[tree.place]
	if p == nil || p.tree != tree {
		return
	}
	if t.ready {
		t.lookAt(p)
	}
	p.tree, p.untold = nil, 0
}

// heard takes in the value of a key; ok = it has one, of this node.
func (t *teller) heard(key string, v value, ok bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	p, in := t.find(key)
	switch {
	case in == nil && ok && v.Run < t.f.run:
		t.earlier[key] = v
	case in == nil:
		delete(t.earlier, key)
	case !ok && p.tree == nil: // it has expired
		p.abandon(in)
		t.drop(p, in)
	case !ok, v.Run < t.f.run: // it is lost, or an earlier process has written it late
		in.dirty = true
	}
}

// find returns the piece that has a key.
// LOCKS_REQUIRED(t.mu)
func (t *teller) find(key string) (*place, *piece) {
	for _, p := range t.places {
		for _, in := range p.all {
			if in != nil && in.key == key {
				return p, in
			}
		}
	}
	return nil, nil
}

// heardAll takes in that all values were yielded. Those of this node are written again, as the
// engine may have lost them.
func (t *teller) heardAll() {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, p := range t.places {
		p.touch()
		if !t.ready {
			t.adopt(p)
		}
	}
	t.ready = true
	t.wake()
}
