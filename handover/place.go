// Package handover brings pending changes from one node to another by way of a remote that both
// reach, so that what a node acknowledged is stored although the node has ended. There is a
// directory for each tree, by the name of its disk cache:
//
//	TREE/about                     who sees the tree, for nodes that do not have it open
//	TREE/lease                     who takes from it now
//	TREE/QUEUE/SEQ-ID              a record with its content, see format.go
//	TREE/QUEUE/SEQ-ID.owner        whose that record is; made on the condition that there is none
//	TREE/QUEUE/done                its giver has no record any more of which that is open
//	TREE/QUEUE.owners              all owners of a queue that is done and taken
//
// A QUEUE is what one process gives away. Exactly one node ends up with a record: the one whose
// owner file is there. The giver has a Claim in its record before it stores the content, the taker
// in its copy before it makes the owner file, and whoever finds a Claim after a crash asks the
// owner file again; it is there for ownersTime. The lease only saves others the transfer: nothing
// is wrong when two have it. That there is something nodes tell each other by a cluster.Engine, if
// there is one; nothing depends on that either, as each looks from time to time.
//
// The files, in an order in which calls lead only to files below:
//
//	place.go   Place: what is where
//	take.go    Take: taking over; lease.go: who does
//	several.go records, several at a time
//	settle.go  Settle: whose a record is that was taken or given
//	give.go    Giver, a writeback.Heir
//	bell.go    telling other nodes
//	claim.go   whose a record is; owners.go: of a whole queue
//	about.go   who sees a tree
//	format.go  the bytes of a record
//	severally.go  requests at a time
package handover

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"strings"
	"sync"

	"ferry/cluster"
	"ferry/remote"
)

// A Place is where changes are handed over. Its methods may be called concurrently.
type Place struct {
	remote remote.Remote
	engine cluster.Engine // nil = nobody is told
	node   string
	id     string // of this one, for the engine
	log    *slog.Logger

	mu      sync.Mutex
	damaged map[string]bool // guarded by mu; records that cannot be read, which are told of once
}

// Options say who uses a Place.
type Options struct {
	Node   string         // how others call this node
	Engine cluster.Engine // tells other nodes that there is something; nil = they look by themselves
	Log    *slog.Logger   // may be nil
}

// New returns the Place at the root of r. The caller closes r.
func New(r remote.Remote, o Options) *Place {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return &Place{remote: r, engine: o.Engine, node: o.Node, id: rand.Text(), log: o.Log, damaged: map[string]bool{}}
}

// ErrNoConditions says that a remote cannot be a Place.
var ErrNoConditions = errors.New("it cannot store a file on the condition that there is none, so that two ferries would take the same: " +
	"use a remote that can, as s3, gcs, azureblob or a local directory")

// marker is the file by which a Place is known.
const (
	marker     = "ferry-handover"
	markerText = "1\n"
)

// Prepare makes the directory of the place, and finds out whether it can be one: ErrNoConditions.
// After another error nothing can be handed over there for now.
func (p *Place) Prepare(ctx context.Context) error {
	if _, err := p.remote.Stat(ctx, marker); err == nil {
		_, err = p.remote.Put(ctx, marker, strings.NewReader(markerText), remote.PutOptions{Size: int64(len(markerText))})
		return err // that it is there does not say that this node may write
	}
	if err := p.makeDir(ctx, "."); err != nil {
		return err
	}
	_, err := p.putNew(ctx, marker, markerText)
	if errors.Is(err, remote.ErrUnsupported) {
		return fmt.Errorf("%s: %w", p.remote.Info().Name, ErrNoConditions)
	}
	if errors.Is(err, remote.ErrChanged) { // another node was quicker
		return nil
	}
	return err
}

// Trees returns the trees that something may be handed over for.
func (p *Place) Trees(ctx context.Context) ([]string, error) {
	entries, err := p.list(ctx, ".")
	var trees []string
	for _, e := range entries {
		if e.Dir {
			trees = append(trees, e.Name)
		}
	}
	return trees, err
}

// list returns the entries of a directory by name. A missing one has none.
func (p *Place) list(ctx context.Context, dir string) ([]remote.Entry, error) {
	var all []remote.Entry
	for e, err := range p.remote.List(ctx, dir) {
		if errors.Is(err, remote.ErrNotExist) {
			return nil, nil
		}
		if err != nil {
			return nil, err
		}
		if e.Part == "" {
			all = append(all, e)
		}
	}
	slices.SortFunc(all, func(a, b remote.Entry) int { return strings.Compare(a.Name, b.Name) })
	return all, nil
}

// makeDir makes dir and what is above it, where directories have to be made.
func (p *Place) makeDir(ctx context.Context, dir string) error {
	if p.remote.Info().Caps.ImplicitDirs {
		return nil
	}
	err := p.remote.Mkdir(ctx, dir)
	if errors.Is(err, remote.ErrNotExist) && dir != "." {
		above, _ := remote.Split(dir)
		if err := p.makeDir(ctx, above); err != nil {
			return err
		}
		err = p.remote.Mkdir(ctx, dir)
	}
	if errors.Is(err, remote.ErrExist) || dir == "." && errors.Is(err, remote.ErrPermission) {
		return nil
	}
	return err
}

// putNew stores a short text as a file that there must not be yet.
func (p *Place) putNew(ctx context.Context, name, text string) (remote.Entry, error) {
	return remote.PutIf(ctx, p.remote, name, strings.NewReader(text), "", remote.PutOptions{Size: int64(len(text))})
}

// maxText is how long the short files are at most.
const maxText = 64 << 10

// read reads a short file.
func (p *Place) read(ctx context.Context, name string) ([]byte, error) {
	r, err := p.remote.Open(ctx, name, 0, -1)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	text, err := io.ReadAll(io.LimitReader(remote.ContextReader(ctx, r), maxText+1))
	if err == nil && len(text) > maxText {
		err = errDamaged
	}
	return text, err
}

// discard removes a file that nobody needs. What is left costs space, and is removed by the next
// who comes by.
func (p *Place) discard(ctx context.Context, name string) {
	if err := p.remote.Remove(ctx, name); err != nil && !errors.Is(err, remote.ErrNotExist) {
		p.log.DebugContext(ctx, "something stays in the place for handing over", "name", name, "error", err)
	}
}
