package main

import (
	"fmt"
	"log/slog"
	"time"

	"ferry/cmd/ferry/internal/flags"
	"ferry/feed"
	from "ferry/feed/source"
	"ferry/metrics"
	"ferry/rc"
	"ferry/remote"
)

// feeds are the change feeds of a process. It may be nil, which is none.
type feeds struct {
	*feed.Set
	inlets []rc.Inlet // of those that are posted to
}

// openFeeds opens what --change-feed names. Nothing is connected to yet.
func (o *options) openFeeds(log *slog.Logger) (*feeds, error) {
	if len(o.Cluster.Feeds) == 0 {
		return nil, nil
	}
	net, err := o.Network.Options()
	if err != nil {
		return nil, flags.Usagef("%w", err)
	}
	all := &feeds{}
	var list []*feed.Feed
	for _, u := range o.Cluster.Feeds {
		s, err := from.Open(u, net)
		if err != nil {
			return nil, fmt.Errorf("--change-feed %s: %w", u, err)
		}
		list = append(list, feed.New(s, feed.Options{Kind: u.Kind, Name: u.String(), Buckets: u.Buckets, Log: log}))
		if w, ok := s.(*from.Webhook); ok {
			all.inlets = append(all.inlets, rc.Inlet{Path: w.Path, Handler: w})
		}
	}
	all.Set = feed.NewSet(list...)
	return all, nil
}

// around has a driver tell what the feeds tell.
func (f *feeds) around(r remote.Remote) remote.Remote {
	if f == nil {
		return r
	}
	return f.Around(r)
}

// set returns the feeds themselves, nil for none.
func (f *feeds) set() *feed.Set {
	if f == nil {
		return nil
	}
	return f.Set
}

// posts returns where notifications are posted to.
func (f *feeds) posts() []rc.Inlet {
	if f == nil {
		return nil
	}
	return f.inlets
}

// metrics returns what has come of the feeds.
func (f *feeds) metrics() []metrics.Feed {
	var all []metrics.Feed
	for _, s := range f.set().Status() {
		m := metrics.Feed{Source: s.Kind, Up: s.Up, Lag: s.Lag, Last: s.Last, Gaps: s.Gaps, Results: map[string]uint64{}}
		for i, word := range feed.Results() {
			m.Results[word] = s.Results[i]
		}
		all = append(all, m)
	}
	return all
}

// neverPolled is an interval for those that are told of changes, while nobody is to be asked for
// them.
const neverPolled = time.Hour

// followInterval is how often remotes are asked for changes that do not tell by themselves. Where
// others tell of changes, 0 does not switch those off.
func (o *options) followInterval() time.Duration {
	d := o.UsedPollInterval()
	if d <= 0 && (len(o.Cluster.Feeds) > 0 || o.Cluster.Shared()) {
		return neverPolled
	}
	return d
}
