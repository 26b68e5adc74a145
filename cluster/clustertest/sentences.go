package clustertest

import (
	"testing"

	"ferry/cluster"
)

// A Lab is an engine that a test commands.
type Lab interface {
	// Node connects a new node. It does not wait for the engine, which may be away.
	Node(t *testing.T) cluster.Engine
	// Stop makes the engine go away.
	Stop(t *testing.T)
	// Start brings it back, with all it had or with nothing.
	Start(t *testing.T, keep bool)
}

// ServerLab is a Server as a Lab.
type ServerLab struct{ *Server }

// Node implements Lab.
func (l ServerLab) Node(*testing.T) cluster.Engine { return l.Server.Node() }

// Stop implements Lab.
func (l ServerLab) Stop(*testing.T) { l.Server.Stop() }

// Start implements Lab.
func (l ServerLab) Start(_ *testing.T, keep bool) { l.Server.Start(keep) }

// Run tests the sentences. Each has a lab of its own, made within: that may be synctest.Test, or
// call what it is given.
func Run(t *testing.T, within func(*testing.T, func(*testing.T)), lab func(t *testing.T) Lab) {
	for _, s := range append(messageSentences(), valueSentences()...) {
		t.Run(s.name, func(t *testing.T) {
			within(t, func(t *testing.T) { s.test(t, lab(t)) })
		})
	}
}
