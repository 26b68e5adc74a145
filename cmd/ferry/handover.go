package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"strconv"
	"sync"
	"syscall"
	"time"

	"ferry/cache"
	"ferry/cmd/ferry/internal/logging"
	"ferry/cmd/ferry/internal/places"
	"ferry/cmd/ferry/internal/rcbridge"
	"ferry/config"
	"ferry/events"
	"ferry/handover"
	"ferry/remote"
	"ferry/writeback"
)

// handing hands over to other nodes what waits here, and takes what they have handed over. nil
// does neither.
type handing struct {
	remote remote.Remote
	place  *handover.Place
	what   string // the place, as it is shown
	log    *slog.Logger

	mu   sync.Mutex // held while changes are given or taken
	told string     // guarded by mu; the last error that was logged
}

// handoverTime bounds how long the start waits for the place.
const handoverTime = 10 * time.Second

// openHandover opens the place of --handover, nil without it. One that does not answer is asked
// again later; one that cannot be a place is an error.
func (p process) openHandover(ctx context.Context, o *options, log *slog.Logger) (*handing, error) {
	if o.Cluster.Handover == "" {
		return nil, nil
	}
	own := *o
	own.user = userOptions{create: true}
	driver, err := p.openDriver(ctx, &own, o.Cluster.Handover, log, openTime)
	if err != nil {
		return nil, fmt.Errorf("--handover: %w", explainRoot(o.Cluster.Handover, err))
	}
	h := &handing{what: config.RedactRemote(o.Cluster.Handover), log: log}
	h.remote, _ = o.decorate(driver, nil, log)
	at := handover.Options{Node: o.Cluster.NodeName(), Log: log}
	if others := o.ofAll().peers; others != nil {
		at.Engine = others.engine
	}
	h.place = handover.New(h.remote, at)
	ctx, cancel := context.WithTimeout(ctx, handoverTime)
	defer cancel()
	switch err := h.place.Prepare(ctx); {
	case errors.Is(err, handover.ErrNoConditions):
		return nil, errors.Join(fmt.Errorf("--handover: %w", err), h.close())
	case err != nil && remote.Permanent(err):
		log.WarnContext(ctx, "nothing can be handed over, as the place for it cannot be written: what waits when this node ends stays on its disk; "+
			"let --handover be a place that is there, and that this node may write", "place", h.what, "error", err)
	case err != nil:
		log.WarnContext(ctx, "the place for handing over does not answer; it is tried again", "place", h.what, "error", err)
	}
	return h, nil
}

// close ends the use of the place. It may be called on nil.
func (h *handing) close() error {
	if h == nil {
		return nil
	}
	return h.remote.Close()
}

// cached returns the trees that are open and have a disk cache.
func (s *service) cached() []rcbridge.Opened {
	var all []rcbridge.Opened
	if s.stack.kept.Store != nil {
		all = append(all, rcbridge.Opened{What: s.stack.what, Tree: s.stack.tree, Cache: s.stack.kept})
	}
	for _, o := range s.accounts.openTrees() {
		if o.Cache.Store != nil {
			all = append(all, o)
		}
	}
	return all
}

// cachedAs returns the open tree that all nodes know by a name: that of the directory of its
// cache.
func (s *service) cachedAs(tree string) (rcbridge.Opened, bool) {
	for _, o := range s.cached() {
		if filepath.Base(o.Cache.Dir) == tree {
			return o, true
		}
	}
	return rcbridge.Opened{}, false
}

// giveAll hands over what waits in the trees that are open, and returns how many changes those
// were.
func (s *service) giveAll(ctx context.Context) (given int, err error) {
	var errs []error
	for _, o := range s.cached() {
		if o.Tree.Waiting().Changes == 0 {
			continue
		}
		n, err := s.handing.give(ctx, o.Cache, aboutOf(o), o.Tree.WriteBack().HandOver)
		given += n
		errs = append(errs, err)
	}
	return given, errors.Join(errs...)
}

// aboutOf says what other nodes have to know to open a tree.
func aboutOf(o rcbridge.Opened) handover.About {
	if n, err := places.ReadNote(o.Cache.Dir); err == nil {
		return handover.About{User: n.User, Remote: n.Remote, Options: n.Options}
	}
	about := handover.About{Remote: o.What}
	if config.RedactRemote(o.What) != o.What {
		about.Remote = ""
	}
	return about
}

// give hands over what waits in one cache, by handOver.
func (h *handing) give(
	ctx context.Context, kept places.Cache, about handover.About, handOver func(context.Context, writeback.Heir) (int, error),
) (given int, err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	g, err := h.place.Giver(ctx, filepath.Base(kept.Dir), about)
	if err != nil {
		return 0, err
	}
	given, err = handOver(ctx, g)
	return given, errors.Join(err, g.Close(context.WithoutCancel(ctx)))
}

// endHandover hands over what still waits when the process ends, also in caches that nobody has
// open, until a signal asks for the end. Nothing applies changes any more.
func (s *service) endHandover(ctx context.Context) {
	if s.handing == nil || s.atOnce {
		return
	}
	if s.abandoned {
		s.log.WarnContext(ctx, "what waits is not handed over, as the remote has not answered all; it is kept in the cache")
		return
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	done := make(chan struct{})
	go func() {
		defer close(done)
		s.giveRest(ctx)
	}()
	for {
		select {
		case <-done:
			return
		case sig := <-s.signals:
			if sig != syscall.SIGHUP {
				cancel()
			}
		}
	}
}

// giveRest hands over all that waits on the disk of this node, and logs what came of it.
func (s *service) giveRest(ctx context.Context) {
	given, err := s.giveAll(ctx)
	keeps := func(string) bool { return false }
	if s.accounts != nil {
		keeps = s.accounts.trees.keeps
	}
	for _, n := range s.places.Waiting(keeps, s.log) {
		if s.stack.kept.Store != nil && n.Dir == s.stack.kept.Dir {
			continue
		}
		more, giveErr := s.giveClosed(ctx, n)
		given += more
		err = errors.Join(err, giveErr)
	}
	s.tellGiven(ctx, given)
	if err != nil {
		s.log.ErrorContext(ctx, "not all that waits could be handed over: it is kept in the cache, and is sent after the next start",
			"place", s.handing.what, "error", err)
	}
}

// tellGiven tells that changes were handed over.
func (s *service) tellGiven(ctx context.Context, given int) {
	if given > 0 {
		s.log.Log(ctx, logging.Notice, "handed over what waited for the remotes", "changes", given, "place", s.handing.what)
		record(ctx, s.listening.events(), &events.Event{Kind: events.HandOver, Argument: strconv.Itoa(given)})
	}
}

// giveClosed hands over what waits in a cache that no tree has.
func (s *service) giveClosed(ctx context.Context, n places.Note) (given int, err error) {
	kept, err := places.OpenCache(n.Dir, cache.Options{})
	if err != nil {
		return 0, err
	}
	about := handover.About{User: n.User, Remote: n.Remote, Options: n.Options}
	given, err = s.handing.give(ctx, kept, about, func(ctx context.Context, heir writeback.Heir) (int, error) {
		return writeback.HandOverStore(ctx, kept.Store, heir)
	})
	return given, errors.Join(err, kept.Close())
}
