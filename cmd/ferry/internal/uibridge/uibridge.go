// Package uibridge joins package ui, which shows a server, with what is shown: an FTP server, the
// trees that it serves, their caches and remotes, who is kept away, what users have stored.
package uibridge

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"os"
	"slices"
	"sync"
	"time"

	"ferry/cache"
	"ferry/cmd/ferry/internal/rcbridge"
	"ferry/feed"
	"ferry/ftp"
	"ferry/hooks"
	"ferry/rc"
	"ferry/remote/wrap/count"
	"ferry/serve/defence"
	"ferry/serve/prehooks"
	"ferry/ui"
	"ferry/vfs"
	"ferry/writeback"
)

// A Subject is what the page is about. Server and Opened are required.
type Subject struct {
	Version   string
	What      string   // is served, for people
	Addresses []string // that clients connect to
	Server    *ftp.Server
	Drained   func() string  // how far the server is with leaving its service, "" if it does not; nil: it never does
	Guard     *defence.Guard // nil: nobody is banned
	// Cluster returns how the server stands among other nodes; nil: there are none.
	Cluster func() rc.Cluster
	// Feeds returns the change feeds; nil: there are none.
	Feeds func() []feed.Status
	// Opened returns the trees that are open, as rcbridge has them.
	Opened func() []rcbridge.Opened
	// Hidden is the What of a tree that is not shown.
	Hidden string
	// Users returns the users with what they have stored and may store; nil: there are none.
	Users func() []ui.User
	// Hooks is the outbox of those that are told; nil: there are none.
	Hooks *hooks.Outbox
	// Asked returns how those did that are asked before something is done; nil: there are none.
	Asked func() []prehooks.Status
	// Certificates returns those of the server; nil: there are none.
	Certificates func() []ui.Certificate
}

// A Source is that of a Page. Its methods may be called concurrently.
type Source struct {
	about Subject
	host  string
	since time.Time

	mu   sync.Mutex
	away map[*vfs.FS]absence // guarded by mu: of the remotes that did not answer Check
}

// absence is that of a remote.
type absence struct {
	since time.Time
	err   error
}

var _ ui.Source = (*Source)(nil)

// New returns a Source.
func New(about Subject) *Source {
	host, err := os.Hostname()
	if err != nil {
		host = "localhost"
	}
	return &Source{about: about, host: host, since: time.Now(), away: map[*vfs.FS]absence{}}
}

// Traffic implements ui.Source.
func (s *Source) Traffic() (in, out int64) { return s.about.Server.Traffic() }

// Look implements ui.Source.
func (s *Source) Look() ui.State {
	st := ui.State{
		Server: ui.Server{
			Name: s.host, Version: s.about.Version, Serves: s.about.What, Addresses: s.about.Addresses,
			Since: s.since, Stopping: s.about.Server.Stopping(),
		},
		Sessions: s.sessions(),
	}
	if s.about.Drained != nil {
		st.Server.Drained = s.about.Drained()
	}
	if s.about.Cluster != nil {
		c := s.about.Cluster()
		st.Server.Node, st.Server.Nodes = c.Node, len(c.Nodes)
		st.Server.Twin = c.Twin
		if !c.Reached {
			st.Server.Alone = cmp.Or(c.Problem, "no answer")
		}
	}
	if s.about.Feeds != nil {
		st.Feeds = away(s.about.Feeds())
	}
	opened := s.about.Opened()
	names := rcbridge.Names(opened)
	for i, o := range opened {
		if o.What != s.about.Hidden {
			s.addTree(&st, o, names[i])
		}
	}
	slices.SortStableFunc(st.Waiting, func(a, b ui.Waiting) int { return a.Since.Compare(b.Since) })
	slices.SortStableFunc(st.Refused, func(a, b ui.Refused) int { return a.Since.Compare(b.Since) })
	if s.about.Guard != nil {
		for _, b := range s.about.Guard.Bans() {
			st.Bans = append(st.Bans, ui.Ban{Network: b.Network.String(), Until: b.Until, Times: b.Times, Reason: b.Reason})
		}
	}
	if s.about.Users != nil {
		st.Users = s.about.Users()
	}
	st.Users = withSessions(st.Users, st.Sessions)
	if s.about.Certificates != nil {
		st.Certificates = s.about.Certificates()
	}
	st.Hooks = hooksOf(s.about.Hooks)
	if s.about.Asked != nil {
		st.Hooks = append(st.Hooks, hooksAsked(s.about.Asked())...)
	}
	n := s.about.Server.Stats()
	st.Ports = ui.Ports{Used: n.PassiveUsed, Free: n.PassiveFree}
	return st
}

// away returns the feeds that are not listened to.
func away(all []feed.Status) []ui.Feed {
	var shown []ui.Feed
	for _, f := range all {
		if !f.Away.IsZero() {
			shown = append(shown, ui.Feed{Name: f.Name, Since: f.Away, Error: f.Problem})
		}
	}
	return shown
}

// hooksOf returns how the hooks of an outbox do, which may be nil.
func hooksOf(x *hooks.Outbox) []ui.Hook {
	if x == nil {
		return nil
	}
	var all []ui.Hook
	for _, h := range x.Status().Hooks {
		all = append(all, ui.Hook{
			Name: h.Name, Target: h.Target, Waiting: h.Waiting, Dead: h.Dead, Delivered: h.Delivered, Failed: h.Failed,
			Dropped: h.Dropped, Oldest: h.Oldest, Stopped: h.Stopped, Error: h.LastFail,
		})
	}
	return all
}

// hooksAsked returns how hooks do that are asked.
func hooksAsked(all []prehooks.Status) (shown []ui.Hook) {
	for _, h := range all {
		shown = append(shown, ui.Hook{
			Name: h.Name, Target: h.Target, Asked: true, Answered: h.Answered, Open: h.Open.Sum(), Closed: h.Closed.Sum(),
			Late: h.Open.Late + h.Closed.Late, Error: h.LastFail,
		})
	}
	return shown
}

func (s *Source) sessions() []ui.Session {
	var all []ui.Session
	for _, i := range s.about.Server.Sessions() {
		all = append(all, ui.Session{
			ID: i.ID, User: i.User, Address: i.Remote.String(), Client: i.Client, TLS: i.TLS, Since: i.Since,
			Last: i.Last, Active: i.Active, Command: i.Command, Path: i.Path, Began: i.Began, Bytes: i.Bytes, Size: i.Size,
		})
	}
	return all
}

// withSessions adds to users how many sessions each has, and who has some without being one of
// them. Those who have most of their quota come first.
func withSessions(users []ui.User, sessions []ui.Session) []ui.User {
	count := map[string]int{}
	for i := range sessions {
		if name := sessions[i].User; name != "" {
			count[name]++
		}
	}
	for i := range users {
		users[i].Sessions = count[users[i].Name]
		delete(count, users[i].Name)
	}
	for _, name := range slices.Sorted(maps.Keys(count)) {
		users = append(users, ui.User{Name: name, Sessions: count[name]})
	}
	slices.SortStableFunc(users, func(a, b ui.User) int {
		switch x, y := used(a), used(b); {
		case x > y:
			return -1
		case x < y:
			return 1
		}
		return b.Sessions - a.Sessions
	})
	return users
}

// used is the share of its quota that a user has.
func used(u ui.User) float64 {
	share := 0.0
	if u.MaxBytes > 0 {
		share = float64(u.Bytes) / float64(u.MaxBytes)
	}
	if u.MaxFiles > 0 {
		share = max(share, float64(u.Files)/float64(u.MaxFiles))
	}
	return share
}

// addTree adds what belongs to a tree: its remote, its cache and what waits in that.
func (s *Source) addTree(st *ui.State, o rcbridge.Opened, name string) {
	st.Remotes = append(st.Remotes, s.remote(o))
	if o.Cache.Store == nil {
		return
	}
	for _, q := range o.Tree.Queue() {
		st.Waiting = append(st.Waiting, waiting(q, name))
	}
	for _, c := range o.Tree.Waiting().Causes {
		st.Causes = append(st.Causes, ui.Cause{Text: c.Text, Since: c.Since, Changes: c.Changes})
	}
	lost, err := o.Tree.Refused()
	if err != nil {
		st.Causes = append(st.Causes, ui.Cause{Text: err.Error(), Since: time.Now()})
	}
	for _, l := range lost {
		st.Refused = append(st.Refused, ui.Refused{Tree: name, ID: l.ID, Name: l.Name, Size: l.Size, Since: l.Committed, Reason: l.Reason})
	}
	st.Caches = append(st.Caches, cacheOf(o))
}

func waiting(q writeback.Queued, tree string) ui.Waiting {
	w := ui.Waiting{
		Tree: tree, ID: q.ID, Name: q.Name, Change: q.Kind.String(), File: q.Kind == cache.File, Size: q.Size,
		Since: q.Since, Due: q.Expiry, Tries: q.Tries, Uploading: q.Uploading,
	}
	if q.LastError != nil {
		w.Error = q.LastError.Error()
	}
	return w
}

func cacheOf(o rcbridge.Opened) ui.Cache {
	n := o.Cache.Stats()
	c := ui.Cache{
		Tree: rcbridge.TreeName(o.What), Dir: o.Cache.Dir, Limit: n.Limit, Used: n.Used, Free: -1,
		Waiting: n.Waiting.Bytes, Refused: n.Lost.Bytes, Copies: n.Clean.Bytes, Parts: n.Parts.Bytes + n.Drafts.Bytes,
	}
	if free, err := o.Cache.DiskFree(); err == nil {
		c.Free = free
	}
	return c
}

// moving are the methods whose calls last as long as a content takes.
var moving = []string{"open", "put", "stage"}

// remote returns how the remote of a tree does.
func (s *Source) remote(o rcbridge.Opened) ui.Remote {
	r := ui.Remote{Tree: rcbridge.TreeName(o.What)}
	n := o.Counts.Stats()
	r.Up, r.Down, r.Type = n.Up, n.Down, o.Counts.Info().Name
	var took count.Durations
	for name, m := range n.Methods {
		r.Calls += m.Calls
		r.Running += m.Running
		r.Errors += m.Errors
		if slices.Contains(moving, name) {
			continue
		}
		for i, n := range m.Took {
			took[i] += n
		}
	}
	r.Took = took[:]
	for i := range took {
		r.Bounds = append(r.Bounds, count.Bound(i))
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if a, away := s.away[o.Tree]; away {
		r.Away, r.Error = a.since, a.err.Error()
	}
	return r
}

const (
	// checkLimit is how long a remote may take to answer.
	checkLimit = 5 * time.Second
	// checksAtOnce is how many are asked at a time.
	checksAtOnce = 8
)

// Check implements ui.Source.
func (s *Source) Check(ctx context.Context) {
	opened := s.about.Opened()
	found := make([]error, len(opened))
	turns := make(chan struct{}, checksAtOnce)
	var wg sync.WaitGroup
	for i, o := range opened {
		if o.What == s.about.Hidden {
			continue
		}
		turns <- struct{}{}
		wg.Go(func() {
			defer func() { <-turns }()
			one, cancel := context.WithTimeoutCause(ctx, checkLimit, errSilent)
			defer cancel()
			if err := o.Tree.Ready(one); err != nil {
				if errors.Is(err, context.DeadlineExceeded) {
					err = errSilent
				}
				found[i] = err
			}
		})
	}
	wg.Wait()
	if ctx.Err() != nil {
		return
	}
	now, away := time.Now(), map[*vfs.FS]absence{}
	s.mu.Lock()
	defer s.mu.Unlock()
	for i, o := range opened {
		if err := found[i]; err != nil {
			a := absence{now, err}
			if before, is := s.away[o.Tree]; is {
				a.since = before.since
			}
			away[o.Tree] = a
		}
	}
	s.away = away
}

// errSilent is the error of a remote that does not answer.
var errSilent = errors.New("it does not answer within " + checkLimit.String())
