package main

import (
	"ferry/cmd/ferry/internal/metricsbridge"
	"ferry/cmd/ferry/internal/rcbridge"
	"ferry/metrics"
	"ferry/serve/prehooks"
)

// watchedBy tells o.watched what there is to look at.
func (s *service) watchedBy(o *options) {
	at := metricsbridge.Subject{
		Server: s.server, Leaving: s.draining.reason, Listeners: len(s.listeners), Guard: s.watch.guard, Budget: o.ofAll().budget,
		Trees: s.accounts.openTrees, Quotas: s.accounts.quotas, Shared: o.ofAll().peers.shared(s.accounts), Hooks: s.listening.waiting, Asked: func() []metrics.Asked { return asked(hooksAsked(s.listening, s.accounts)) }, Certificates: s.keyPairs, Events: o.ofAll().events,
	}
	at.Feeds, at.Cluster = s.feeds.metrics, s.peers.metrics()
	if s.stack.what != nothing || s.accounts == nil {
		at.Main = rcbridge.Opened{What: s.stack.what, Tree: s.stack.tree, Cache: s.stack.kept, Options: &o.Options}
	}
	s.watched = o.watched
	s.watched.Look(at)
}

// waiting returns the hooks for which events wait, and those for which none do. It may be called on
// nil.
func (ls *listenings) waiting() []metrics.Hook {
	if ls == nil || ls.outbox == nil {
		return nil
	}
	var all []metrics.Hook
	for _, h := range ls.outbox.Status().Hooks {
		all = append(all, metrics.Hook{Name: h.Name, Waiting: h.Waiting})
	}
	return all
}

// asked returns how hooks did that are asked before something is done.
func asked(h *prehooks.Hooks) []metrics.Asked {
	var all []metrics.Asked
	for _, s := range h.Status() {
		all = append(all, metrics.Asked{Name: s.Name, Open: metrics.Unanswered(s.Open), Closed: metrics.Unanswered(s.Closed)})
	}
	return all
}

// quotas returns what users have stored: those of the file of users, and of others those who are
// logged in. It may be called on nil.
func (a *accounts) quotas() []metrics.Quota {
	if a == nil || a.backend.Quota == nil {
		return nil
	}
	var all []metrics.Quota
	if a.file != nil {
		f := a.file.source.File()
		for _, name := range f.Names() {
			u, _ := f.User(name)
			if u.QuotaBytes <= 0 && u.QuotaFiles <= 0 {
				continue
			}
			if used, err := a.backend.Quota.Usage(name); err == nil {
				all = append(all, metrics.Quota{User: name, Used: used.Bytes, Limit: u.QuotaBytes})
			}
		}
		return all
	}
	for _, q := range a.backend.Quota.States() {
		all = append(all, metrics.Quota{User: q.User, Used: q.Used.Bytes, Limit: q.Limit.Bytes})
	}
	return all
}
