package main

import (
	"cmp"
	"context"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"

	"ferry/cluster"
	"ferry/feed"
	"ferry/remote"
	"ferry/remote/wrap/announce"
)

const (
	// echoTime is how long what is told may take to come back.
	echoTime = 5 * time.Second
	// echoAgain is when another message is sent; the next waits twice as long.
	echoAgain = time.Second
	// echoLook is the time between two looks whether it has.
	echoLook = 20 * time.Millisecond
)

// cluster tries what nodes share.
func (d *doctor) cluster(ctx context.Context) {
	if peers, err := d.options.openPeers(slog.New(slog.DiscardHandler)); err != nil {
		d.report.Fail(areaCluster, "--cluster", "", "%v", err)
	} else if peers != nil {
		d.engine(ctx, peers)
	}
	d.handover(ctx)
}

// engine tries the servers by which nodes know of each other.
func (d *doctor) engine(ctx context.Context, peers *peers) {
	done, err := peers.reach(ctx)
	if err != nil {
		if ctx.Err() == nil {
			d.report.Fail(areaCluster, "--cluster", "see that nats-server runs there with -js, and has this user", "NATS is not reached: %s", peers.engine.State().Problem)
		}
		return
	}
	defer done()
	state := peers.engine.State()
	if !state.Reached {
		return
	}
	d.report.OK(areaCluster, "--cluster", "NATS %s at %s; this is node %s of %s", state.Version, state.Server, peers.name, d.options.Cluster.Name)
	d.echo(ctx, peers)
}

// echo has a message and a value come back from the servers, as those of nodes do. To these it is a
// node of another name that tells nothing, and ends.
func (d *doctor) echo(ctx context.Context, p *peers) {
	ctx, cancel := context.WithTimeout(ctx, echoTime)
	defer cancel()
	quiet := slog.New(slog.DiscardHandler)
	name := p.name + " (doctor)"
	missing := "a value"
	err := cluster.NewName(p.engine, name+" "+p.id, p.id, name, quiet).Try(ctx)
	var lag time.Duration
	if err == nil {
		missing = "a message"
		lag, err = hear(ctx, announce.Options{Engine: p.engine, Node: name, Log: quiet})
	}
	if err != nil {
		why := cmp.Or(p.engine.State().Refused, "nothing within "+echoTime.String())
		d.report.Fail(areaCluster, "messages", "give the user of NATS the rights that doc/cluster.md names", "%s that nodes tell each other does not come back: %s", missing, why)
		return
	}
	d.report.OK(areaCluster, "messages", "what nodes tell each other comes back in %v", lag.Round(time.Microsecond))
}

// hear returns how long a message takes to come back. One that was sent before this process listens
// does not: then another one is sent.
func hear(ctx context.Context, o announce.Options) (lag time.Duration, err error) {
	for wait := echoAgain; ; wait *= 2 {
		one, cancel := context.WithTimeout(ctx, wait)
		lag, err = hearOne(one, o)
		cancel()
		if err == nil || ctx.Err() != nil {
			return lag, err
		}
	}
}

func hearOne(ctx context.Context, o announce.Options) (time.Duration, error) {
	x := announce.NewExchange(o)
	running, end := context.WithCancel(ctx)
	var wg sync.WaitGroup
	defer wg.Wait()
	defer end()
	wg.Go(func() { _ = x.Run(running) }) // it returns when all is told
	err := until(ctx, func() bool { return x.Status().Lag > 0 })
	return x.Status().Lag, err
}

// until returns nil when done reports true, else the cause of the end of ctx.
func until(ctx context.Context, done func() bool) error {
	for !done() {
		if err := remote.Sleep(ctx, echoLook); err != nil {
			return err
		}
	}
	return nil
}

// listen listens to the change feeds while the remote is tried, so that what is stored there comes
// as a notification. hear ends that and tells what has come. Queues are not listened to: what
// doctor would take from them the running server would miss.
func (d *doctor) listen(ctx context.Context) (hear func(ctx context.Context)) {
	all := d.options.Cluster.Feeds
	if len(all) == 0 {
		return func(context.Context) {}
	}
	f, err := d.options.openFeeds(slog.New(slog.DiscardHandler))
	if err != nil {
		d.report.Fail(areaCluster, "--change-feed", "", "%v", err)
		return func(context.Context) {}
	}
	running, end := context.WithCancel(ctx)
	var wg sync.WaitGroup
	shared := f.Only(func(kind string) bool { return kind == "nats" || kind == "kafka" })
	wg.Go(func() { shared.Run(running) })
	begun, cancel := context.WithTimeout(ctx, echoTime)
	defer cancel()
	_ = until(begun, func() bool {
		return !slices.ContainsFunc(shared.Status(), func(s feed.Status) bool { return !s.Up && s.Problem == "" })
	}) // hear tells
	return func(ctx context.Context) {
		defer wg.Wait()
		defer end()
		d.heard(ctx, shared)
		for _, u := range all {
			if u.Kind != "nats" && u.Kind != "kafka" {
				d.report.Skip(areaCluster, "--change-feed", "%s is not listened to, as that would take notifications from the server: ferry_feed_up of /metrics tells", u)
			}
		}
	}
}

// heard tells what has come of feeds. Where something was stored, it is waited for.
func (d *doctor) heard(ctx context.Context, shared *feed.Set) {
	ctx, cancel := context.WithTimeout(ctx, echoTime)
	defer cancel()
	if d.stored {
		_ = until(ctx, func() bool {
			return !slices.ContainsFunc(shared.Status(), func(s feed.Status) bool { return s.Up && notified(s) == 0 })
		}) // the rows tell
	}
	for _, s := range shared.Status() {
		n := notified(s)
		switch {
		case !s.Up:
			d.report.Fail(areaCluster, "--change-feed", "see that it is there, and that its user may listen", "%s is not listened to: %s", s.Name, cmp.Or(s.Problem, "no answer within "+echoTime.String()))
		case n > 0:
			d.report.OK(areaCluster, "--change-feed", "%s: %d notifications came while the remote was tried", s.Name, n)
		case s.Results[feed.Unreadable] > 0:
			d.report.Warn(areaCluster, "--change-feed", "see that nothing but notifications goes there", "%s: what comes is no notification", s.Name)
		case d.stored:
			d.report.Warn(areaCluster, "--change-feed", "see that the bucket tells it of objects that are made and removed", "%s is listened to, but nothing came of what was stored on the remote", s.Name)
		default:
			d.report.OK(areaCluster, "--change-feed", "%s is listened to; nothing was stored that it could tell of", s.Name)
		}
	}
}

// notified returns how many notifications have come that were understood.
func notified(s feed.Status) uint64 {
	return s.Results[feed.Applied] + s.Results[feed.Older] + s.Results[feed.Foreign]
}

// handover tries whether changes can be left for other nodes.
func (d *doctor) handover(ctx context.Context) {
	o := d.options
	switch {
	case o.Cluster.Handover == "":
		return
	case o.IsReadOnly():
		d.report.Skip(areaCluster, "--handover", "not tried: --read-only")
		return
	}
	h, err := d.process.openHandover(ctx, o, slog.New(slog.DiscardHandler))
	if err != nil {
		d.report.Fail(areaCluster, "--handover", "", "%s", strings.TrimPrefix(err.Error(), "--handover: "))
		return
	}
	defer func() { _ = h.close() }()
	if err := h.place.Prepare(ctx); err != nil {
		d.report.Fail(areaCluster, "--handover", "", "%v", err)
		return
	}
	d.report.OK(areaCluster, "--handover", "%s stores files on conditions", h.what)
}
