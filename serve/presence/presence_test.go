package presence

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"ferry/cluster/clustertest"
)

// A member is a node of a test.
type member struct {
	*Counts
	engine *clustertest.Node
	stop   func()
}

// join starts a node, which ends with the test at the latest.
func join(t *testing.T, s *clustertest.Server, name string) *member {
	t.Helper()
	m := &member{engine: s.Node()}
	m.Counts = New(Options{Engine: m.engine, Node: name})
	m.stop = clustertest.Start(t, m.Run)
	return m
}

// kill ends the node so that nobody is told.
func (m *member) kill() {
	m.engine.Cut(true)
	m.stop()
}

func (m *member) expect(t *testing.T, what, user string, want int) {
	t.Helper()
	if got := m.Users().Others(user); got != want {
		t.Errorf("%s: %s has %d sessions elsewhere, want %d", what, user, got, want)
	}
}

func TestSessionsOfOthersCount(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := clustertest.New()
		a, b, c := join(t, s, "a"), join(t, s, "b"), join(t, s, "c.example.org")
		host := netip.MustParseAddr("2001:db8::")
		a.Users().Count("bob", 2)
		b.Users().Count("bob", 1)
		c.Users().Count("eve ü", 5)
		c.Hosts().Count(host, 3)
		time.Sleep(100 * time.Millisecond)
		a.expect(t, "begun", "bob", 1)
		b.expect(t, "begun", "bob", 2)
		c.expect(t, "begun", "bob", 3)
		a.expect(t, "begun", "eve ü", 5)
		if got := b.Hosts().Others(host); got != 3 {
			t.Errorf("an address has %d sessions elsewhere", got)
		}
		a.Users().Count("bob", 0)
		time.Sleep(100 * time.Millisecond)
		b.expect(t, "ended", "bob", 0)
		c.expect(t, "ended", "bob", 1)
		c.stop()
		time.Sleep(100 * time.Millisecond)
		a.expect(t, "a node has stopped", "eve ü", 0)
	})
}

// TestHoursPass has counts hold for longer than any value lives.
func TestHoursPass(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := clustertest.New()
		a, b := join(t, s, "a"), join(t, s, "b")
		a.Users().Count("bob", 1)
		for range 500 {
			time.Sleep(time.Minute)
			b.expect(t, "later", "bob", 1)
		}
	})
}

func TestALostNodeCountsForAWhile(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := clustertest.New()
		a, b := join(t, s, "a"), join(t, s, "b")
		a.Users().Count("bob", 1)
		time.Sleep(time.Hour)
		a.kill()
		time.Sleep(50 * time.Second)
		b.expect(t, "50 s after it was lost", "bob", 1)
		s.Stop() // what it has said is heard again
		s.Start(true)
		time.Sleep(25*time.Second + time.Millisecond)
		b.expect(t, "75 s after it was lost", "bob", 0)
		c := join(t, s, "c") // which sees what the lost one has left
		time.Sleep(time.Second)
		c.expect(t, "for a node that came later", "bob", 0)

		again := join(t, s, "a") // in another run
		time.Sleep(time.Second)
		b.expect(t, "the node is back without the session", "bob", 0)
		again.Users().Count("bob", 2)
		time.Sleep(time.Second)
		b.expect(t, "the node is back", "bob", 2)
	})
}

func TestWithoutTheEngineCountsAreLocal(t *testing.T) {
	for _, keep := range []bool{true, false} {
		t.Run(fmt.Sprintf("keeps=%v", keep), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := clustertest.New()
				a, b := join(t, s, "a"), join(t, s, "b")
				a.Users().Count("bob", 1)
				a.Users().Count("eve", 1)
				time.Sleep(time.Second)
				s.Stop()
				a.Users().Count("bob", 3)
				a.Users().Count("eve", 0)
				time.Sleep(2 * Lost)
				b.expect(t, "away", "bob", 0)
				s.Start(keep)
				time.Sleep(3 * time.Second)
				b.expect(t, "back", "bob", 3)
				b.expect(t, "back", "eve", 0)
			})
		})
	}
}

func TestANodeThatStartsWithoutTheEngine(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := clustertest.New()
		s.Stop()
		a, b := join(t, s, "a"), join(t, s, "b")
		a.Users().Count("bob", 1)
		time.Sleep(time.Hour)
		b.expect(t, "away", "bob", 0)
		s.Start(true)
		time.Sleep(3 * time.Second)
		b.expect(t, "there", "bob", 1)
	})
}

func TestAnswersAreLost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := clustertest.New()
		a, b := join(t, s, "a"), join(t, s, "b")
		for n := range 20 {
			a.engine.LoseAnswers(n % 3)
			a.Users().Count("bob", n)
			time.Sleep(5 * time.Second)
			b.expect(t, "an answer was lost", "bob", n)
		}
	})
}

// TestMoreNamesThanAValueHolds has what fits be told.
func TestMoreNamesThanAValueHolds(t *testing.T) {
	v := value{Run: "x", Counts: map[string]int{}}
	for i := range 10_000 {
		v.Counts[fmt.Sprintf("u:%064d", i)] = 1
	}
	if n := len(v.encode()); n > maxValue || n < maxValue/2 {
		t.Errorf("%d bytes", n)
	}
}

func TestKeys(t *testing.T) {
	for _, node := range []string{"a", "node-1.example.org", strings.Repeat("ü/", 40)} {
		part, got, ok := parseKey(keyOf(beatPart, node))
		if part != beatPart || got != node || !ok {
			t.Errorf("%s: %d %s %v", node, part, got, ok)
		}
	}
	for _, key := range []string{"", "x", "1", "-1-YQ", "17-YQ", "03-", "03-*"} {
		if _, _, ok := parseKey(key); ok {
			t.Errorf("%q is the key of a node", key)
		}
	}
}

// TestHistories has nodes that come, go, are cut off and lose answers; when all are reached again,
// each knows what the others have.
func TestHistories(t *testing.T) {
	clustertest.Histories(t, history)
}

func history(t *testing.T, random *rand.Rand) {
	s := clustertest.New()
	names := []string{"a", "b", "c", "d"}
	nodes, has := map[string]*member{}, map[string]map[string]int{}
	for range 300 {
		name := names[random.IntN(len(names))]
		m := nodes[name]
		user := fmt.Sprint("user", random.IntN(20))
		switch k := random.IntN(20); {
		case m == nil:
			nodes[name], has[name] = join(t, s, name), map[string]int{}
		case k == 0:
			m.stop()
			delete(nodes, name)
			delete(has, name)
		case k == 1:
			m.kill()
			delete(nodes, name)
			delete(has, name)
		case k == 2:
			m.engine.Cut(random.IntN(2) == 0)
		case k == 3:
			m.engine.LoseAnswers(random.IntN(4))
		case k == 4:
			m.engine.Delay(time.Duration(random.IntN(1000)) * time.Millisecond)
		case k == 5:
			s.Stop()
			time.Sleep(time.Duration(random.IntN(100)) * time.Second)
			s.Start(random.IntN(3) > 0)
		default:
			n := random.IntN(3)
			m.Users().Count(user, n)
			has[name][user] = n
		}
		time.Sleep(time.Duration(random.IntN(2000)) * time.Millisecond)
	}
	for _, m := range nodes {
		m.engine.Cut(false)
	}
	time.Sleep(2 * Lost)
	for name, m := range nodes {
		want := map[string]int{}
		for other, counts := range has {
			for user, n := range counts {
				if other != name && n > 0 {
					want[user] += n
				}
			}
		}
		if got, _ := m.Elsewhere(); !maps.Equal(got, want) {
			t.Errorf("node %s sees %v, want %v", name, got, want)
		}
	}
}

func BenchmarkOthers(b *testing.B) {
	c := New(Options{Node: "me"})
	now := time.Now()
	for i := range 100 {
		p := &peer{run: "x", heard: now}
		for part := range p.parts {
			p.parts[part] = held{"x", map[string]int{"u:bob": 1}}
		}
		c.peers[fmt.Sprint(i)] = p
	}
	for b.Loop() {
		c.Users().Others("bob")
	}
}
