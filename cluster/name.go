package cluster

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"
)

const (
	namesBucket = "names"
	nameLife    = time.Hour
	nameRenewal = nameLife / 3
	// nameAnswer is how long who has a name may take to say so when it is asked: who does not is
	// dead, or cut off.
	nameAnswer = 2 * time.Second
	nameLook   = 50 * time.Millisecond // between two looks for an answer
	// nameRetry is when a name is tried again that could not be taken.
	nameRetry = time.Minute
	// nameAway is the same while the engine is away.
	nameAway = 2 * time.Second
)

// A TakenError says that another process has the name of this node.
type TakenError struct{ Node, By string }

func (e *TakenError) Error() string {
	return fmt.Sprintf("another ferry (%s) has the name %q in this cluster: give each its own by --node", e.By, e.Node)
}

// A Name is that of this node, which one process has at a time: nodes write values under it. The
// process that has it answers who asks for it. One that does not answer is taken for dead.
type Name struct {
	engine       Engine
	key          string
	node, id, by string
	log          *slog.Logger
	due          chan struct{} // holds one when the value is to be looked at

	mu      sync.Mutex
	taken   *TakenError // guarded by mu; who has it instead; nil = nobody is known to
	renewed time.Time   // guarded by mu; when it was written here
}

// NewName returns the name node for the process id, which others are told is by.
func NewName(e Engine, node, id, by string, log *slog.Logger) *Name {
	sum := sha256.Sum256([]byte(node))
	return &Name{engine: e, key: hex.EncodeToString(sum[:16]), node: node, id: id, by: by, log: log, due: make(chan struct{}, 1)}
}

// A nameValue says who has a name.
type nameValue struct {
	Version int    `json:"v"`
	Node    string `json:"node"`
	ID      string `json:"id"`
	By      string `json:"by"`
	Asks    string `json:"asks,omitempty"` // who wants to know whether that one is alive
}

// Take takes the name. It returns a TakenError if a process has it that answers; of one that does
// not, it is taken over after nameAnswer. Another error means that this cannot be known.
func (n *Name) Take(ctx context.Context) error {
	err := n.take(ctx)
	n.mu.Lock()
	defer n.mu.Unlock()
	switch {
	case err == nil:
		n.taken = nil
	case !errors.As(err, &n.taken): // what was known stays
		return err
	}
	return err
}

func (n *Name) take(ctx context.Context) error {
	var asked time.Time // since when the same process does not answer
	var silent string
	for {
		v, had, err := n.get(ctx)
		switch {
		case errors.Is(err, ErrNoValue):
			err = n.write(ctx, nil)
		case err != nil:
			return err
		case had.ID == n.id && had.Asks == "" && !n.old():
			return nil
		case had.ID == n.id:
			err = n.write(ctx, &v)
		case had.ID != silent:
			silent, asked = had.ID, time.Now()
			if had.Asks == "" {
				had.Asks = n.id
				_, err = n.engine.Update(ctx, namesBucket, n.key, had.encode(), v.Revision, nameLife)
			}
			if err == nil {
				err = ErrConflict // to be looked at again
			}
		case had.Asks == "":
			return &TakenError{n.node, had.By}
		case time.Since(asked) >= nameAnswer:
			if err = n.write(ctx, &v); err == nil {
				n.log.InfoContext(ctx, "this node has taken over its name from a process that does not answer", "node", n.node, "process", had.By)
			}
		default:
			err = ErrConflict
		}
		if !errors.Is(err, ErrConflict) {
			return err
		}
		if err := pause(ctx, nameLook); err != nil {
			return err
		}
	}
}

// get returns the value with what it says. One that is not understood is taken for none of anybody.
func (n *Name) get(ctx context.Context) (v Value, had nameValue, err error) {
	if v, err = n.engine.Get(ctx, namesBucket, n.key); err == nil {
		_ = json.Unmarshal(v.Data, &had) // who wrote something else does not answer
	}
	return v, had, err
}

// write writes that this process has the name, in the place of old; nil = there is none.
func (n *Name) write(ctx context.Context, old *Value) (err error) {
	data := nameValue{Version: 1, Node: n.node, ID: n.id, By: n.by}.encode()
	if old == nil {
		_, err = n.engine.Create(ctx, namesBucket, n.key, data, nameLife)
	} else {
		_, err = n.engine.Update(ctx, namesBucket, n.key, data, old.Revision, nameLife)
	}
	if err == nil {
		n.mu.Lock()
		defer n.mu.Unlock()
		n.renewed = time.Now()
	}
	return err
}

func (v nameValue) encode() []byte {
	data, err := json.Marshal(v)
	if err != nil {
		panic(err) // strings
	}
	return data
}

// old reports whether it is time to write the value again.
func (n *Name) old() bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	return time.Since(n.renewed) >= nameRenewal
}

// Twin returns who is known to have the name instead of this process; "" = nobody.
func (n *Name) Twin() string {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.taken == nil {
		return ""
	}
	return n.taken.By
}

// Run keeps the name, and answers who asks for it, until ctx ends; then the name is free. Where it
// could not be taken before, as the engine was away, it is now. That another process has it is
// logged.
func (n *Name) Run(ctx context.Context) error {
	var watching sync.WaitGroup
	defer watching.Wait()
	watching.Go(func() { _ = Values(ctx, n.engine, namesBucket, n.heard) }) // it returns when ctx has ended
	for {
		told := n.Twin() != ""
		wait := nameRenewal
		switch err := n.Take(ctx); {
		case ctx.Err() != nil:
			n.free(ctx)
			return context.Cause(ctx)
		case n.Twin() != "":
			wait = nameRetry
			if !told {
				n.log.ErrorContext(ctx, "other nodes take this one for another: sessions are counted wrong, and what waits here is not shown there", "error", err)
			}
		case err != nil:
			wait = nameAway
		}
		select {
		case <-time.After(wait):
		case <-n.due:
		case <-ctx.Done():
		}
	}
}

// heard has the value looked at if something is to be done. Who has the name instead is left alone
// until it is tried again.
func (n *Name) heard(v Value) {
	if v.Key != n.key && v.Key != "" {
		return
	}
	var had nameValue
	_ = json.Unmarshal(v.Data, &had) // of none and of another one it is to be seen
	if n.Twin() != "" && v.Data != nil {
		return
	}
	if v.Data != nil && had.ID == n.id && had.Asks == "" {
		return
	}
	select {
	case n.due <- struct{}{}:
	default:
	}
}

// Try takes the name, hears that it is taken, and gives it back: so do all values come and go.
func (n *Name) Try(ctx context.Context) error {
	if err := n.Take(ctx); err != nil {
		return err
	}
	defer n.free(ctx)
	for v, err := range n.engine.Watch(ctx, namesBucket) {
		if err != nil || v.Key == n.key {
			return err
		}
	}
	return context.Cause(ctx)
}

// free gives the name back.
func (n *Name) free(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), memberLeaves)
	defer cancel()
	if v, had, err := n.get(ctx); err == nil && had.ID == n.id {
		_, _ = n.engine.Update(ctx, namesBucket, n.key, nil, v.Revision, 0) // else it expires
	}
}
