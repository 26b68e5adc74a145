package handover

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"path"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"ferry/remote"
	"ferry/writeback"
)

const doneName = "done"

// A Giver gives the changes of one tree to whoever takes them.
type Giver struct {
	place *Place
	tree  string
	queue string
	open  atomic.Bool // whose a record is could not be settled
	bytes atomic.Int64

	mu     sync.Mutex
	rang   time.Time // guarded by mu; when others were told last
	untold bool      // guarded by mu; something is stored since
}

var _ writeback.Heir = (*Giver)(nil)

// Giver begins a queue of a tree, and notes what there is to know of that. The tree is named by
// what all nodes that serve it have in common.
func (p *Place) Giver(ctx context.Context, tree string, about About) (*Giver, error) {
	if err := p.note(ctx, tree, about); err != nil {
		return nil, err
	}
	g := &Giver{place: p, tree: tree, queue: queueName(p.node)}
	return g, p.makeDir(ctx, path.Join(tree, g.queue))
}

// queueName makes a name for a queue of a node that no other has.
func queueName(node string) string {
	var chance [8]byte
	rand.Read(chance[:]) // it never fails
	node = strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '-' || r == '_' {
			return r
		}
		return '_'
	}, node)
	return fmt.Sprintf("%s-%s", node, hex.EncodeToString(chance[:]))
}

// Claim implements writeback.Heir. Records are taken in the order of the names.
func (g *Giver) Claim(id string, seq uint64) string {
	return g.place.claim(g.tree, g.queue, fmt.Sprintf("%016x-%s", seq, id))
}

// offers is how often the storing of a record is tried.
const offers = 3

// Offer implements writeback.Heir. The record is there when it is stored: a taker may have removed
// it a moment later.
func (g *Giver) Offer(ctx context.Context, claim string, o writeback.Offered) error {
	file, err := g.place.file(claim)
	if err != nil {
		return err
	}
	for try := 1; ; try++ {
		err := g.store(ctx, file, &o)
		if err == nil {
			g.bytes.Add(o.Size)
			g.told(ctx)
			return nil
		}
		if try == offers || ctx.Err() != nil || remote.Permanent(err) {
			return fmt.Errorf("%q: %w", o.Name, err)
		}
	}
}

func (g *Giver) store(ctx context.Context, file string, o *writeback.Offered) error {
	h := headerOf(g.tree, g.place.node, o)
	var content io.Reader
	if o.Content != nil {
		content = o.Content.Section()
	}
	body, size, err := encode(&h, content)
	if err != nil {
		return err
	}
	_, err = remote.PutIf(ctx, g.place.remote, file, body, "", remote.PutOptions{Size: size})
	if errors.Is(err, remote.ErrUnsupported) {
		return ErrNoConditions
	}
	return err
}

// Decide implements writeback.Heir.
func (g *Giver) Decide(ctx context.Context, claim, id string) (mine bool, err error) {
	mine, err = g.place.decide(ctx, claim, id)
	if err != nil {
		g.open.Store(true)
		return false, err
	}
	if file, fileErr := g.place.file(claim); mine && fileErr == nil {
		g.place.discard(ctx, file)
	}
	return mine, nil
}

// Close ends the queue. Others find out that nobody has to know any more whose its records were.
func (g *Giver) Close(ctx context.Context) error {
	defer g.tellRest(ctx)
	if g.open.Load() {
		return nil
	}
	return g.place.end(ctx, path.Join(g.tree, g.queue))
}

// end says that the giver of a queue needs nothing of it any more.
func (p *Place) end(ctx context.Context, queue string) error {
	_, err := p.putNew(ctx, path.Join(queue, doneName), "")
	if errors.Is(err, remote.ErrChanged) || errors.Is(err, remote.ErrExist) {
		return nil
	}
	return err
}
