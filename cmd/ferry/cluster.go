package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"time"

	"ferry/cluster"
	"ferry/cluster/elsewhere"
	"ferry/cluster/nats"
	"ferry/ftp"
	"ferry/metrics"
	"ferry/rc"
	"ferry/remote"
	"ferry/remote/wrap/announce"
	"ferry/serve/presence"
)

// peers is what this node shares with others. nil = there are none.
type peers struct {
	engine   *nats.Engine
	exchange *announce.Exchange
	members  *cluster.Members // set by join
	sessions *presence.Counts
	files    *elsewhere.Files
	holder   *cluster.Name // of name
	name     string        // of this node
	id       string        // of this process
	log      *slog.Logger
}

// openPeers opens what --cluster names; nil where it names nothing. It connects to nothing yet.
func (o *options) openPeers(log *slog.Logger) (*peers, error) {
	if !o.Cluster.Shared() {
		return nil, nil
	}
	p := &peers{name: o.Cluster.NodeName(), id: rand.Text(), log: log}
	var err error
	if p.engine, err = nats.New(nats.Options{
		Servers: o.Cluster.Servers, Name: o.Cluster.Name, Node: p.name, Creds: o.Cluster.Creds, CA: o.Cluster.CA, Log: log,
	}); err != nil {
		return nil, err
	}
	host, _ := os.Hostname() // for people only
	p.holder = cluster.NewName(p.engine, p.name, p.id, fmt.Sprintf("process %d at %s", os.Getpid(), host), log)
	p.sessions = presence.New(presence.Options{Engine: p.engine, Node: p.name, Log: log})
	p.files = elsewhere.New(elsewhere.Options{Engine: p.engine, Node: p.name, Log: log})
	p.exchange = announce.NewExchange(announce.Options{Engine: p.engine, Node: p.name, Log: log})
	return p, nil
}

// around has changes of a remote told to other nodes, and theirs heard. A remote that is as quick
// as a cache is asked each time, so that nothing has to be told. It may be called on nil.
func (p *peers) around(r remote.Remote) remote.Remote {
	if p == nil || r.Info().Caps.CheapStat {
		return r
	}
	return announce.New(r, p.exchange)
}

// join says who this node is. It may be called on nil.
func (p *peers) join(server *ftp.Server) {
	if p == nil {
		return
	}
	self := cluster.Member{ID: p.id, Node: p.name, Version: version(), Started: time.Now().UTC().Truncate(time.Second)}
	p.members = cluster.NewMembers(p.engine, self, func() int { return len(server.Sessions()) })
}

// connect keeps the connection to the engine until ctx ends. It may be called on nil.
func (p *peers) connect(ctx context.Context) {
	if p == nil {
		return
	}
	if err := p.engine.Run(ctx); err != nil && ctx.Err() == nil {
		p.log.ErrorContext(ctx, "the engine that nodes share cannot be used: this node goes on by itself", "error", err)
	}
}

const (
	// firstReach is how long the start waits for the engine, and nameTime for whether this node's
	// name is free: without either it goes on.
	firstReach = time.Second
	nameTime   = 5 * time.Second
)

// enter connects to the engine, and takes the name of this node, until leave is called. An error
// says that another process has it. It may be called on nil.
func (p *peers) enter(ctx context.Context) (leave func(), err error) {
	if p == nil {
		return func() {}, nil
	}
	connected, disconnect := context.WithCancel(context.WithoutCancel(ctx))
	named, end := context.WithCancel(connected)
	var connection, name sync.WaitGroup
	connection.Go(func() { p.connect(connected) })
	leave = func() {
		end()
		name.Wait()
		disconnect()
		connection.Wait()
	}
	var taken *cluster.TakenError
	if p.await(ctx, firstReach) {
		limited, cancel := context.WithTimeout(ctx, nameTime)
		err = p.holder.Take(limited)
		cancel()
	}
	if errors.As(err, &taken) {
		leave()
		return nil, err
	}
	name.Go(func() { _ = p.holder.Run(named) }) // it returns when named has ended
	return leave, nil
}

// await reports whether the engine is reached within d.
func (p *peers) await(ctx context.Context, d time.Duration) bool {
	for end := time.Now().Add(d); !p.engine.State().Reached; {
		if remote.Sleep(ctx, 10*time.Millisecond) != nil || time.Now().After(end) {
			return false
		}
	}
	return true
}

// stay tells other nodes what waits here until ctx ends. It may be called on nil.
func (p *peers) stay(ctx context.Context) {
	if p == nil {
		return
	}
	_ = p.files.Run(ctx) // it returns when ctx has ended
}

// waiting returns what waits for a remote at all nodes; nil where there are no others, or where
// they are not told of changes either. It may be called on nil.
func (p *peers) waiting(r remote.Remote) *elsewhere.Tree {
	if p == nil || r.Info().Caps.CheapStat {
		return nil
	}
	return p.files.Tree(r.Info().Identity())
}

// run tells other nodes of this one, and hears of them, until ctx ends. It may be called on nil.
func (p *peers) run(ctx context.Context) {
	if p == nil {
		return
	}
	var wg sync.WaitGroup
	wg.Go(func() { _ = p.exchange.Run(ctx) }) // they return when ctx has ended
	wg.Go(func() { _ = p.members.Run(ctx) })
	wg.Go(func() { _ = p.sessions.Run(ctx) })
	wg.Wait()
}

// status returns what rc tells; nil where there are no other nodes.
func (p *peers) status() func() rc.Cluster {
	if p == nil {
		return nil
	}
	return func() rc.Cluster {
		engine, changes := p.engine.State(), p.exchange.Status()
		c := rc.Cluster{
			Node: p.name, Reached: engine.Reached, Server: engine.Server, Version: engine.Version, Problem: engine.Problem,
			Twin: p.holder.Twin(), Heard: changes.Heard, Lag: changes.Lag, Waiting: changes.Waiting, Gaps: changes.Gaps,
		}
		c.Files = rc.ClusterFiles(p.files.Status())
		for _, m := range p.members.All() {
			c.Nodes = append(c.Nodes, rc.ClusterNode{ID: m.ID, Name: m.Node, Version: m.Version, Started: m.Started, Sessions: m.Sessions, Self: m.ID == p.id})
		}
		return c
	}
}

// metrics returns what metrics tell; nil where there are no other nodes.
func (p *peers) metrics() func() *metrics.Cluster {
	if p == nil {
		return nil
	}
	return func() *metrics.Cluster {
		s, files := p.exchange.Status(), p.files.Status()
		return &metrics.Cluster{
			Up: p.engine.State().Reached, Heard: s.Heard, Nodes: len(p.members.All()), Lag: s.Lag, Waiting: s.Waiting,
			Elsewhere: files.Elsewhere, Told: files.Told, Untold: files.Untold, Sent: s.Sent, Received: s.Received, Gaps: s.Gaps,
		}
	}
}
