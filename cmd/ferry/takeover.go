package main

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"time"

	"ferry/cmd/ferry/internal/logging"
	"ferry/cmd/ferry/internal/rcbridge"
	"ferry/config"
	"ferry/events"
	"ferry/serve"
)

// takeEvery is how often it is looked whether something was handed over.
const takeEvery = time.Minute

// takeOver takes what other nodes hand over until ctx ends: at the start, when they tell of it, and
// each minute.
func (s *service) takeOver(ctx context.Context) {
	h := s.handing
	if h == nil {
		return
	}
	var wg sync.WaitGroup
	defer wg.Wait()
	wg.Go(func() { keepRunning(ctx, h.remote, h.log) })
	told := make(chan struct{}, 1)
	wg.Go(func() {
		h.place.Listen(ctx, func() {
			select {
			case told <- struct{}{}:
			default:
			}
		})
	})
	warned := false
	for {
		if s.draining.reason() == "" {
			h.tell(ctx, s.takeOnce(ctx))
		}
		if !warned && s.stack.what != nothing && s.stack.kept.Store == nil {
			warned = true
			h.log.WarnContext(ctx, "what other nodes hand over for this remote is not taken: there is no disk cache; give --vfs-cache-mode writes",
				"remote", s.stack.remote.Info().Name)
		}
		select {
		case <-told:
		case <-time.After(takeEvery):
		case <-ctx.Done():
			return
		}
	}
}

// tell logs an error that is another one than the last.
func (h *handing) tell(ctx context.Context, err error) {
	text := ""
	if err != nil && ctx.Err() == nil {
		text = err.Error()
	}
	h.mu.Lock()
	same := text == h.told
	h.told = text
	h.mu.Unlock()
	if text != "" && !same {
		h.log.WarnContext(ctx, "not all that was handed over could be taken; it is tried again", "place", h.what, "error", err)
	}
}

// takeOnce takes what there is for the trees that are open, and opens those for which there is
// something.
func (s *service) takeOnce(ctx context.Context) error {
	h := s.handing
	var errs []error
	for _, o := range s.cached() {
		errs = append(errs, h.settle(ctx, o))
	}
	trees, err := h.place.Trees(ctx)
	if err != nil {
		return errors.Join(append(errs, err)...)
	}
	for _, tree := range trees {
		o, open := s.cachedAs(tree)
		if !open {
			release, err := s.openHandedOver(ctx, tree)
			if err != nil {
				errs = append(errs, err)
			}
			if release == nil {
				continue
			}
			if o, open = s.cachedAs(tree); open {
				errs = append(errs, h.settle(ctx, o))
			}
			defer release()
		}
		if open {
			errs = append(errs, s.takeFor(ctx, tree, o))
		}
	}
	return errors.Join(errs...)
}

// settle finds out whose the changes are of which an earlier process left that open.
func (h *handing) settle(ctx context.Context, o rcbridge.Opened) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	open := len(o.Cache.Claimed())
	if open == 0 {
		return nil
	}
	err := h.place.Settle(ctx, o.Tree.WriteBack())
	if err != nil {
		return fmt.Errorf("it is open whether %d changes in %s were handed over: %w", len(o.Cache.Claimed()), o.Cache.Dir, err)
	}
	h.log.Log(ctx, logging.Notice, "it is known now which changes were handed over before", "dir", o.Cache.Dir, "changes", open)
	return nil
}

// takeFor takes what there is for one tree.
func (s *service) takeFor(ctx context.Context, tree string, o rcbridge.Opened) error {
	h := s.handing
	h.mu.Lock()
	defer h.mu.Unlock()
	taken, err := h.place.Take(ctx, tree, o.Tree.WriteBack())
	if taken.Changes > 0 {
		h.log.Log(ctx, logging.Notice, "took over changes from another node", "from", taken.From, "changes", taken.Changes,
			"size", config.Size(taken.Bytes).String(), "remote", o.Tree.Remote().Name)
		record(ctx, s.listening.events(), &events.Event{
			Kind: events.TakeOver, Argument: strconv.Itoa(taken.Changes), Remote: typeOfRemote(o.Tree.Remote().Name),
		})
	}
	return err
}

func typeOfRemote(name string) string {
	kind, _, _ := strings.Cut(name, ":")
	return kind
}

// openHandedOver opens the tree of a user for which something was handed over. release is nil
// where nobody here sees that tree.
func (s *service) openHandedOver(ctx context.Context, tree string) (release func(), err error) {
	if s.accounts == nil {
		return nil, nil
	}
	about, err := s.handing.place.About(ctx, tree)
	if err != nil || about.User == "" {
		return nil, err
	}
	a := s.accounts
	if u, ok := a.known(about.User); ok {
		if opened, err := a.backend.Tree(ctx, u); err == nil {
			if _, is := s.cachedAs(tree); is {
				return func() { opened.Close() }, nil
			}
			opened.Close()
		}
	}
	if about.Remote == "" {
		return nil, nil
	}
	_, done, err := a.trees.open(ctx, serve.Wanted{Remote: about.Remote, User: about.User, Options: about.Options})
	if err != nil {
		return nil, fmt.Errorf("what was handed over for the user %s: %w", about.User, err)
	}
	return done, nil
}
