package main

import (
	"context"
	"fmt"
	"sync"
	"time"

	"ferry/ftp"
	"ferry/metrics"
	"ferry/serve"
	"ferry/serve/defence"
	"ferry/serve/quota"
)

// guard has the bans of all nodes hold here, and the limits of addresses for all nodes together. It
// may be called on nil.
func (p *peers) guard(server *ftp.Server, guard *defence.Guard) {
	if p == nil {
		return
	}
	guard.Share(p.engine, p.name, server.EndGuests)
	server.Elsewhere = p.sessions.Hosts()
}

// account has the limits of users hold for all nodes together. It may be called on nil.
func (p *peers) account(o *options, a *serve.Accounts) error {
	if p == nil {
		return nil
	}
	a.Elsewhere = p.sessions.Users()
	if a.Quota == nil {
		return nil
	}
	return a.Quota.Share(p.sharing(o))
}

// sharing is how what users have stored is counted by all nodes.
func (p *peers) sharing(o *options) quota.Sharing {
	return quota.Sharing{Engine: p.engine, Node: p.name, Offline: o.Cluster.QuotaOffline == "allow", Log: p.log}
}

// reachTime is how long a command waits for the engine.
const reachTime = 5 * time.Second

// reach connects to the engine until done is called.
func (p *peers) reach(ctx context.Context) (done func(), err error) {
	ctx, cancel := context.WithCancel(ctx)
	var wg sync.WaitGroup
	wg.Go(func() { p.connect(ctx) })
	done = func() {
		cancel()
		wg.Wait()
	}
	if p.await(ctx, reachTime) {
		return done, nil
	}
	if err = context.Cause(ctx); err == nil {
		err = fmt.Errorf("the servers of --cluster are not reached: %s", p.engine.State().Problem)
	}
	done()
	return nil, err
}

// shared returns what metrics show, nil where there is nothing. It may be called on nil, and so may
// a.
func (p *peers) shared(a *accounts) func() *metrics.Shared {
	if p == nil {
		return nil
	}
	return func() *metrics.Shared {
		now := &metrics.Shared{}
		users, hosts := p.sessions.Elsewhere()
		for _, n := range users {
			now.Users += n
		}
		for _, n := range hosts {
			now.Addresses += n
		}
		if a != nil && a.backend.Quota != nil {
			leases := a.backend.Quota.Leases()
			now.Leased, now.Exchanges, now.Failed = leases.Bytes, leases.Exchanges, leases.Failed
		}
		return now
	}
}

// elsewhere returns what counts the sessions at other nodes, nil where there are none.
func (p *peers) elsewhere() func() (users, addresses map[string]int) {
	if p == nil {
		return nil
	}
	return p.sessions.Elsewhere
}
