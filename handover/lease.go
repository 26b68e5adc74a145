package handover

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path"
	"strings"
	"time"

	"ferry/remote"
)

const leaseName = "lease"

// Times of a lease: how long it holds, and when it is prolonged.
const (
	leaseTime  = time.Minute
	leaseRenew = leaseTime / 3
)

// errLeaseLost is why a node stops to take: another one does.
var errLeaseLost = errors.New("another node takes over what was handed over")

// A lease is the right to take from a tree.
type lease struct {
	place   *Place
	file    string
	holder  string // who holds it: one call of one process
	version string // of the file, as this one wrote it
	until   time.Time
}

// A holder is what the file of a lease says.
type holder struct {
	Holder string    `json:"holder"`
	Node   string    `json:"node"` // for people
	Until  time.Time `json:"until"`
}

// acquire returns the lease of a tree, nil if another node has it.
func (p *Place) acquire(ctx context.Context, tree string) (*lease, error) {
	l := &lease{place: p, file: path.Join(tree, leaseName), holder: queueName(p.node)}
	e, err := p.remote.Stat(ctx, l.file)
	if errors.Is(err, remote.ErrNotExist) {
		return l.won(l.write(ctx, ""))
	}
	if err != nil {
		return nil, err
	}
	text, err := p.read(ctx, l.file)
	if errors.Is(err, remote.ErrNotExist) {
		return nil, nil // it was given back this moment, to somebody who is quicker
	}
	if err != nil {
		return nil, err
	}
	var has holder
	if err := json.Unmarshal(text, &has); err == nil && time.Now().Before(has.Until) {
		return nil, nil
	}
	if e.Version == "" { // it cannot be replaced on a condition
		p.discard(ctx, l.file)
	}
	return l.won(l.write(ctx, e.Version))
}

// won returns l if writing it has succeeded, and nil where another node was quicker.
func (l *lease) won(err error) (*lease, error) {
	switch {
	case err == nil:
		return l, nil
	case errors.Is(err, remote.ErrChanged), errors.Is(err, remote.ErrExist), errors.Is(err, remote.ErrNotExist):
		return nil, nil
	}
	return nil, err
}

// write stores the lease on the condition that the file has that version.
func (l *lease) write(ctx context.Context, version string) error {
	until := time.Now().Add(leaseTime)
	text, err := json.Marshal(holder{Holder: l.holder, Node: l.place.node, Until: until})
	if err != nil {
		return err
	}
	e, err := remote.PutIf(ctx, l.place.remote, l.file, strings.NewReader(string(text)), version, remote.PutOptions{Size: int64(len(text))})
	if err != nil {
		return err
	}
	if e.Version == "" {
		if e, err = l.place.remote.Stat(ctx, l.file); err != nil {
			return err
		}
	}
	l.version, l.until = e.Version, until
	return nil
}

// hold prolongs the lease while do runs, whose context ends when it is lost, and gives it back.
func (l *lease) hold(ctx context.Context, do func(ctx context.Context) error) error {
	ctx, cancel := context.WithCancelCause(ctx)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		l.keep(ctx, cancel)
	}()
	err := do(ctx)
	lost := errors.Is(context.Cause(ctx), errLeaseLost)
	cancel(nil)
	<-ended
	if !lost {
		giving, stop := context.WithTimeout(context.WithoutCancel(ctx), leaseRenew)
		defer stop()
		if e := (remote.Entry{Version: l.version}); l.version != "" {
			_ = remote.RemoveVersion(giving, l.place.remote, l.file, e) // else it expires
		} else {
			l.place.discard(giving, l.file)
		}
	}
	return err
}

// keep prolongs the lease until ctx ends, or calls lost.
func (l *lease) keep(ctx context.Context, lost context.CancelCauseFunc) {
	for remote.Sleep(ctx, leaseRenew) == nil {
		err := l.write(ctx, l.version)
		switch {
		case err == nil, ctx.Err() != nil:
		case errors.Is(err, remote.ErrChanged), errors.Is(err, remote.ErrExist), errors.Is(err, remote.ErrNotExist):
			lost(errLeaseLost)
			return
		case time.Until(l.until) < leaseRenew: // it has not been prolonged for too long
			lost(fmt.Errorf("%w: it could not be prolonged: %w", errLeaseLost, err))
			return
		}
	}
}
