package metricsbridge

import (
	"context"
	"slices"

	"ferry/cmd/ferry/internal/rcbridge"
	"ferry/ftp"
	"ferry/metrics"
)

// snapshot returns what is now.
func (b *Bridge) snapshot(ctx context.Context) metrics.Snapshot {
	at := b.subject.Load()
	if at == nil {
		return metrics.Snapshot{}
	}
	stats := at.Server.Stats()
	now := metrics.Snapshot{
		Bans:    len(at.Guard.Bans()),
		Passive: metrics.Passive{Used: stats.PassiveUsed, Free: stats.PassiveFree, Failures: stats.PassiveFailed},
		Buffers: at.Budget.Held(),
	}
	countSessions(&now, at.Server.Sessions())
	for _, o := range at.opened() {
		now.Trees = append(now.Trees, treeOf(o))
	}
	if at.Main.Tree != nil {
		now.Trees[0].Up = b.pulse.ask(ctx, at.Main.Tree) == nil
	}
	if at.Certificates != nil {
		for _, pair := range at.Certificates() {
			now.Certificates = append(now.Certificates, metrics.Certificate{Name: nameOf(pair), Expires: pair.Expires()})
		}
	}
	if at.Quotas != nil && b.options.Users {
		now.Quotas = at.Quotas()
	}
	if at.Shared != nil {
		now.Shared = at.Shared()
	}
	if at.Hooks != nil {
		now.Hooks = at.Hooks()
	}
	if at.Feeds != nil {
		now.Feeds = at.Feeds()
	}
	if at.Cluster != nil {
		now.Cluster = at.Cluster()
	}
	if at.Asked != nil {
		now.Asked = at.Asked()
	}
	return now
}

func countSessions(now *metrics.Snapshot, all []ftp.SessionInfo) {
	for _, s := range all {
		if s.TLS {
			now.Secure++
		} else {
			now.Clear++
		}
		switch s.Command {
		case "":
		case "RETR":
			now.Down++
		case "STOR", "APPE", "STOU":
			now.Up++
		default:
			now.List++
		}
	}
}

// nameOf is the first name that a certificate is for.
func nameOf(pair *ftp.KeyPair) string {
	if names := pair.Names(); len(names) > 0 {
		return slices.Min(names)
	}
	return ""
}

func treeOf(o rcbridge.Opened) metrics.Tree {
	waiting, dirs, reads := o.Tree.Waiting(), o.Tree.Stats(), o.Tree.Reads()
	t := metrics.Tree{
		ID: o.Tree, Type: typeOf(o.Tree.Remote()), Up: o.Tree.Answers(),
		Waiting: waiting.Changes, WaitingBytes: waiting.Bytes, Failing: waiting.Failing, Oldest: age(o),
		Directories: dirs.Dirs,
		Counts:      metrics.Counts{Hits: reads.Hits, Misses: reads.Misses, Listed: dirs.Hits, Unlisted: dirs.Misses, Changes: dirs.Changes},
	}
	if o.Cache.Store == nil {
		return t
	}
	kept := o.Cache.Stats()
	t.Cached, t.Clean, t.Refused, t.Counts.Evictions = true, kept.Clean.Bytes, kept.Lost.Files, kept.Evictions
	t.Dirty = kept.Drafts.Bytes + kept.Parts.Bytes + kept.Waiting.Bytes + kept.Lost.Bytes
	if free, err := o.Cache.Free(); err == nil {
		t.Free = max(free, 0)
	}
	return t
}
