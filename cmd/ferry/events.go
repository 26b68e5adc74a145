package main

import (
	"context"
	"log/slog"
	"sync"

	"ferry/cmd/ferry/internal/logging"
	"ferry/events"
	"ferry/ftp"
	"ferry/hooks"
	"ferry/serve/observe"
	"ferry/serve/prehooks"
	"ferry/vfs"
)

// A listening is one listener to what happens, and what it needs while the process runs.
type listening struct {
	name string // as a log calls it, "audit log"
	events.Subscription
	run    func(ctx context.Context) error // works until ctx ends; nil = it has nothing to do by itself
	reopen func() error                    // opens its file again after SIGHUP; nil = it has none
	close  func()                          // after the last event; nil = nothing is to be closed
}

// listenings are all that listen. nil is nobody.
type listenings struct {
	all    []listening
	stream *events.Stream // nil = nobody listens

	outbox *hooks.Outbox   // nil = no hook is told of anything
	asked  *prehooks.Hooks // those of the flags that are asked; nil where users are not those of the flags
	// treeOf returns the tree that the upload of e is in; nil until trees are served.
	treeOf func(ctx context.Context, e *events.Event) (tree *vfs.FS, release func(), err error)
}

// openListenings opens the listeners that flags ask for. It comes before all that records, and what
// it returns is closed after that.
func (p process) openListenings(ctx context.Context, o *options, log *slog.Logger) (*listenings, error) {
	ls := &listenings{}
	// Each returns nil where no flag asks for it. Listeners are told in this order.
	for _, open := range []func(context.Context, *options, *slog.Logger) (*listening, error){
		openMetrics, openAuditLog, openTransferLog, ls.openHooks, openRecent,
	} {
		l, err := open(ctx, o, log)
		if err != nil {
			ls.close()
			return nil, err
		}
		if l != nil {
			ls.all = append(ls.all, *l)
		}
	}
	ls.subscribe()
	if o.HasUsers() {
		return ls, nil
	}
	var err error
	if ls.asked, err = o.openPrehooks(nil, log); err != nil {
		ls.close()
		return nil, err
	}
	return ls, nil
}

// subscribe makes the stream to those that listen.
func (ls *listenings) subscribe() {
	var subscriptions []events.Subscription
	for _, l := range ls.all {
		subscriptions = append(subscriptions, l.Subscription)
	}
	if len(subscriptions) > 0 {
		ls.stream = events.New(subscriptions...)
	}
}

// observe has the listeners told of what happens in sessions of server; source is what knows its
// users.
func (ls *listenings) observe(server *ftp.Server, source string) {
	if ls.stream != nil {
		server.Backend = observe.Backend(server.Backend, ls.stream)
		server.Observer = observe.New(ls.stream, source)
	}
}

// events is the stream to those that listen. It may be called on nil, as the other methods below.
func (ls *listenings) events() *events.Stream {
	if ls == nil {
		return nil
	}
	return ls.stream
}

// count is how many there are.
func (ls *listenings) count() int {
	if ls == nil {
		return 0
	}
	return len(ls.all)
}

// run has the listeners work until ctx ends. It calls fail with what ends one of them before.
func (ls *listenings) run(ctx context.Context, wg *sync.WaitGroup, fail func(error)) {
	if ls == nil {
		return
	}
	for _, l := range ls.all {
		if l.run == nil {
			continue
		}
		wg.Go(func() {
			if err := l.run(ctx); err != nil && ctx.Err() == nil {
				fail(err)
			}
		})
	}
}

// reopen has the listeners open their files again.
func (ls *listenings) reopen(ctx context.Context, log *slog.Logger) {
	if ls == nil {
		return
	}
	for _, l := range ls.all {
		if l.reopen == nil {
			continue
		}
		if err := l.reopen(); err != nil {
			log.ErrorContext(ctx, "the old file of the "+l.name+" stays", "error", err)
			continue
		}
		log.Log(ctx, logging.Notice, "opened the file of the "+l.name+" again")
	}
}

func (ls *listenings) close() {
	if ls == nil {
		return
	}
	ls.asked.Close()
	for _, l := range ls.all {
		if l.close != nil {
			l.close()
		}
	}
}
