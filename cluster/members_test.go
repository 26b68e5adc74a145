package cluster_test

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"ferry/cluster"
	"ferry/cluster/clustertest"
)

// join has a node run until stop is called, or the test ends.
func join(t *testing.T, e cluster.Engine, id, node string) (m *cluster.Members, stop func()) {
	m = cluster.NewMembers(e, cluster.Member{ID: id, Node: node, Version: "v1", Started: time.Now()}, func() int { return len(id) })
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = m.Run(ctx)
	}()
	stop = func() {
		cancel()
		<-ended
	}
	t.Cleanup(stop)
	return m, stop
}

func expectMembers(t *testing.T, what string, m *cluster.Members, want string) {
	t.Helper()
	synctest.Wait()
	var ids []string
	for _, other := range m.All() {
		ids = append(ids, other.ID)
		if other.Sessions != len(other.ID) || other.Version != "v1" || other.Started.IsZero() {
			t.Errorf("%s: %+v", what, other)
		}
	}
	if got := strings.Join(ids, " "); got != want {
		t.Errorf("%s: the nodes are %q, want %q", what, got, want)
	}
}

func TestNodesKnowEachOther(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := clustertest.New()
		first, lost := s.Node(), s.Node()
		a, _ := join(t, first, "a", "n1")
		b, leave := join(t, s.Node(), "b2", "n2")
		join(t, lost, "c33", "n3")
		expectMembers(t, "three", a, "a b2 c33")
		expectMembers(t, "another sees them", b, "a b2 c33")
		time.Sleep(time.Hour)
		expectMembers(t, "an hour later", a, "a b2 c33")
		leave()
		expectMembers(t, "one leaves", a, "a c33")
		lost.Cut(true)
		time.Sleep(41 * time.Second)
		expectMembers(t, "one is lost", a, "a")
		lost.Cut(false)
		time.Sleep(10 * time.Second)
		expectMembers(t, "and comes back", a, "a c33")
		s.Stop()
		time.Sleep(time.Minute)
		expectMembers(t, "the engine is away", a, "a")
		s.Start(false)
		time.Sleep(20 * time.Second)
		expectMembers(t, "and has lost all", a, "a c33")
		first.LoseAnswers(3)
		time.Sleep(2 * time.Minute)
		expectMembers(t, "answers are lost", a, "a c33")
	})
}

// Nodes that start before they are connected know each other as soon as they are.
func TestNodesKnowEachOtherAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := clustertest.New()
		s.Stop()
		a, _ := join(t, s.Node(), "a", "n1")
		join(t, s.Node(), "b2", "n2")
		synctest.Wait()
		s.Start(true)
		time.Sleep(time.Millisecond)
		expectMembers(t, "at once", a, "a b2")
		s.Start(false)
		time.Sleep(time.Millisecond)
		expectMembers(t, "after all was lost", a, "a b2")
	})
}
