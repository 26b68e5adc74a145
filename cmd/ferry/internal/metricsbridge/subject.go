package metricsbridge

import (
	"strings"
	"time"

	"ferry/budget"
	"ferry/cmd/ferry/internal/rcbridge"
	"ferry/events"
	"ferry/ftp"
	"ferry/metrics"
	"ferry/remote"
	"ferry/serve/defence"
)

// A Subject is what there is to look at.
type Subject struct {
	Server    *ftp.Server
	Listeners int // that it is to serve
	Guard     *defence.Guard
	Budget    *budget.Budget
	// Leaving returns why no new session should come, although it would be taken; "": none needs to
	// go elsewhere. nil: it never is.
	Leaving func() string
	// Main is the tree that the command line names; its Tree is nil where that is nothing.
	Main rcbridge.Opened
	// Trees returns those of users that are open now; nil = there never are any.
	Trees func() []rcbridge.Opened
	// Certificates are those that clients are shown, and that of the remote control; nil = there
	// are none.
	Certificates func() []*ftp.KeyPair
	Quotas       func() []metrics.Quota  // nil = nobody has one
	Shared       func() *metrics.Shared  // nil = there are no other nodes
	Hooks        func() []metrics.Hook   // nil = there are none
	Asked        func() []metrics.Asked  // nil = there are none
	Feeds        func() []metrics.Feed   // nil = there are none
	Cluster      func() *metrics.Cluster // nil = there are no other nodes
	Events       *events.Stream          // is told of what waits for too long
}

// opened returns all trees that are open, that of the command line first.
func (s *Subject) opened() []rcbridge.Opened {
	var all []rcbridge.Opened
	if s.Main.Tree != nil {
		all = append(all, s.Main)
	}
	if s.Trees != nil {
		all = append(all, s.Trees()...)
	}
	return all
}

// typeOf returns the type of a remote, with which its name begins.
func typeOf(info remote.Info) string {
	kind, _, _ := strings.Cut(info.Name, ":")
	return kind
}

// age is how long the oldest change of a tree waits; 0 = none does.
func age(o rcbridge.Opened) time.Duration {
	oldest := o.Tree.Oldest()
	if oldest.IsZero() {
		return 0
	}
	return max(time.Since(oldest), 0)
}
