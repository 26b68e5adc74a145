package defence

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"ferry/cluster/clustertest"
	"ferry/events"
	"ferry/ftp"
)

// A member is a node of a test.
type member struct {
	*Guard
	engine *clustertest.Node
	stop   func()

	mu    sync.Mutex
	ended []netip.Prefix // guarded by mu
}

// join starts a node.
func join(t *testing.T, s *clustertest.Server, name string, o Options) *member {
	t.Helper()
	m := &member{Guard: open(t, o), engine: s.Node()}
	m.Share(m.engine, name, func(network netip.Prefix) {
		m.mu.Lock()
		defer m.mu.Unlock()
		m.ended = append(m.ended, network)
	})
	m.stop = clustertest.Start(t, m.Run)
	return m
}

func cluster3(t *testing.T) (*clustertest.Server, []*member) {
	t.Helper()
	s := clustertest.New()
	var all []*member
	for _, name := range []string{"a", "b", "c"} {
		all = append(all, join(t, s, name, Options{}))
	}
	time.Sleep(time.Second)
	return s, all
}

const attacker = "192.0.2.1"

func (m *member) expect(t *testing.T, what string, lets bool) {
	t.Helper()
	if got := m.lets(attacker); got != lets {
		t.Errorf("%s: node %s lets it in: %v", what, m.shared.node, got)
	}
}

func TestOneNodeBansForAll(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, all := cluster3(t)
		all[0].try(attacker, 15)
		time.Sleep(100 * time.Millisecond)
		for _, m := range all {
			m.expect(t, "banned", false)
		}
		if b := all[1].Bans(); len(b) != 1 || b[0].Node != "a" || b[0].Times != 1 {
			t.Errorf("bans of b: %+v", b)
		}
		if b := all[0].Bans(); len(b) != 1 || !b[0].Until.Equal(all[2].Bans()[0].Until) {
			t.Errorf("bans of a: %+v", b)
		}
		all[2].mu.Lock()
		ended := slices.Clone(all[2].ended)
		all[2].mu.Unlock()
		if !slices.Contains(ended, netip.MustParsePrefix(attacker+"/32")) {
			t.Error("its sessions at other nodes are not ended")
		}
		all[2].Unban(netip.MustParsePrefix(attacker + "/32"))
		time.Sleep(100 * time.Millisecond)
		for _, m := range all {
			m.expect(t, "unbanned", true)
		}
		network := netip.MustParsePrefix("192.0.2.0/24")
		if _, err := all[1].Ban(network, time.Hour, "by hand"); err != nil {
			t.Fatal(err)
		}
		time.Sleep(100 * time.Millisecond)
		for _, m := range all {
			m.expect(t, "its network banned", false)
		}
		if all[0].UnbanAll() != 1 {
			t.Error("the ban of another node cannot be lifted")
		}
		time.Sleep(100 * time.Millisecond)
		for _, m := range all {
			m.expect(t, "all unbanned", true)
		}
	})
}

// TestAnAttackerIsSpreadOverNodes has each node see a third of the guesses.
func TestAnAttackerIsSpreadOverNodes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, all := cluster3(t)
		for i := range 15 {
			for _, m := range all {
				m.expect(t, fmt.Sprint("after ", i), true)
			}
			m := all[i%3]
			m.Note(netip.MustParseAddr(attacker), ftp.GuardEvent{Kind: ftp.WrongPassword, Password: fmt.Sprint(i)}, "bob")
			time.Sleep(100 * time.Millisecond)
		}
		for _, m := range all {
			m.expect(t, "after 15", false)
		}
		time.Sleep(10 * time.Second)
		for _, m := range all {
			if b := m.Bans(); len(b) != 1 || b[0].Times != 1 || !b[0].Until.Equal(all[0].Bans()[0].Until) {
				t.Errorf("bans of %s: %+v", m.shared.node, b)
			}
		}
	})
}

func TestOneGuessAtManyNodesCostsOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, all := cluster3(t)
		for range 100 {
			for _, m := range all {
				e, user := guess("camera", "old password")
				m.Note(netip.MustParseAddr(attacker), e, user)
			}
			time.Sleep(time.Second)
		}
		for _, m := range all {
			m.expect(t, "one guess again and again", true)
		}
		all[0].try(attacker, 12)
		all[1].Note(netip.MustParseAddr(attacker), ftp.GuardEvent{Kind: ftp.LoggedIn}, "bob")
		time.Sleep(time.Second)
		all[0].try(attacker, 14)
		all[0].expect(t, "after a login at another node", true)
	})
}

func TestWhatIsTrustedStaysSo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := clustertest.New()
		trusts := join(t, s, "a", Options{Trusted: networks("192.0.2.0/24")})
		off := join(t, s, "b", Options{Off: true})
		c := join(t, s, "c", Options{})
		time.Sleep(time.Second)
		trusts.try(attacker, 20)
		off.try(attacker, 20)
		time.Sleep(time.Second)
		c.expect(t, "guesses at nodes that do not count them", true)
		c.try(attacker, 15)
		time.Sleep(time.Second)
		c.expect(t, "banned", false)
		trusts.expect(t, "banned, and trusted here", true)
		off.expect(t, "banned for points, where no points are counted", true)
		if _, err := c.Ban(netip.MustParsePrefix("192.0.2.0/24"), time.Hour, "by hand"); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Second)
		off.expect(t, "banned by hand", false)
		trusts.expect(t, "banned by hand, and trusted here", true)
	})
}

func TestBansAreMergedWhenTheEngineIsBack(t *testing.T) {
	for _, keep := range []bool{true, false} {
		t.Run(fmt.Sprintf("keeps=%v", keep), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s, all := cluster3(t)
				old := netip.MustParsePrefix("198.51.100.7/32")
				if _, err := all[0].Ban(old, 0, "by hand"); err != nil {
					t.Fatal(err)
				}
				time.Sleep(10 * time.Second)
				s.Stop()
				all[0].try(attacker, 15)
				all[1].try("192.0.2.2", 8)
				all[2].try("192.0.2.2", 7)
				all[2].Unban(old)
				time.Sleep(5 * time.Minute)
				all[0].expect(t, "away", false)
				all[1].expect(t, "away", true)
				if !all[1].lets("192.0.2.2") {
					t.Error("a node knows of points that it was not told of")
				}
				s.Start(keep)
				time.Sleep(3 * time.Second)
				for _, m := range all {
					m.expect(t, "back", false)
					if m.lets("192.0.2.2") {
						t.Errorf("node %s does not know of the points", m.shared.node)
					}
					if !m.lets("198.51.100.7") {
						t.Errorf("node %s has a ban that was lifted", m.shared.node)
					}
				}
			})
		})
	}
}

// TestBansSurviveTheRestartOfAll has no node and not the engine be there for a while.
func TestBansSurviveTheRestartOfAll(t *testing.T) {
	for _, keep := range []bool{true, false} {
		t.Run(fmt.Sprintf("keeps=%v", keep), func(t *testing.T) {
			dir := t.TempDir()
			synctest.Test(t, func(t *testing.T) {
				s := clustertest.New()
				options := func(name string) Options { return Options{File: filepath.Join(dir, name)} }
				a, b := join(t, s, "a", options("a")), join(t, s, "b", options("b"))
				time.Sleep(time.Second)
				a.try(attacker, 15)
				time.Sleep(time.Second)
				a.stop()
				b.stop()
				s.Stop()
				s.Start(keep)
				b = join(t, s, "b", options("b"))
				c := join(t, s, "c", Options{})
				time.Sleep(time.Second)
				b.expect(t, "restarted", false)
				c.expect(t, "a new node", false)
				if got := c.Bans(); len(got) != 1 || got[0].Node != "a" {
					t.Errorf("bans of c: %+v", got)
				}
				time.Sleep(20 * time.Minute)
				c.expect(t, "the ban is over", true)
				c.try(attacker, 15)
				if got := c.Bans(); len(got) != 1 || got[0].Times != 2 {
					t.Errorf("the next ban: %+v", got)
				}
			})
		})
	}
}

func TestAnswersAreLostAndMessagesComeTwice(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, all := cluster3(t)
		all[1].engine.Twice(true)
		all[0].engine.LoseAnswers(2)
		all[0].try(attacker, 14)
		time.Sleep(5 * time.Second)
		all[1].expect(t, "14 points that came twice", true)
		other := "192.0.2.77"
		all[0].Note(netip.MustParseAddr(other), ftp.GuardEvent{Kind: ftp.Noise}, "")
		all[0].Note(netip.MustParseAddr(other), ftp.GuardEvent{Kind: ftp.Noise}, "")
		time.Sleep(5 * time.Second)
		if !all[1].lets(other) {
			t.Error("10 points that came twice make a ban")
		}
		all[0].engine.LoseAnswers(3)
		all[0].try(attacker, 1)
		time.Sleep(10 * time.Second)
		for _, m := range all {
			m.expect(t, "banned", false)
			if b := m.Bans(); len(b) != 1 || b[0].Times != 1 {
				t.Errorf("bans of %s: %+v", m.shared.node, b)
			}
		}
	})
}

// A counter counts events.
type counter struct{ atomic.Int64 }

func (c *counter) Record(context.Context, *events.Event) error {
	c.Add(1)
	return nil
}

// TestABanIsOneEvent has three nodes find one ban.
func TestABanIsOneEvent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := clustertest.New()
		var all []*member
		var heard counter
		for _, name := range []string{"a", "b", "c"} {
			stream := events.New(events.Subscription{Kinds: events.Of(events.Ban), Listener: &heard})
			all = append(all, join(t, s, name, Options{Events: stream}))
		}
		time.Sleep(time.Second)
		for i := range 15 {
			all[i%3].try(attacker, 1)
			time.Sleep(50 * time.Millisecond)
		}
		time.Sleep(5 * time.Second)
		if n := heard.Load(); n != 1 {
			t.Errorf("a ban is %d events", n)
		}
	})
}

// TestHistories has nodes that ban and unban, are cut off, restart and lose answers. A ban that
// was made while all were reached holds everywhere within a second, and when all are reached again,
// all know the same.
func TestHistories(t *testing.T) {
	clustertest.Histories(t, history)
}

func history(t *testing.T, random *rand.Rand) {
	s := clustertest.New()
	var all []*member
	for i := range 4 {
		all = append(all, join(t, s, fmt.Sprint("node", i), Options{}))
	}
	reached := map[*member]bool{}
	for _, m := range all {
		reached[m] = true
	}
	for range 200 {
		m := all[random.IntN(len(all))]
		addr := fmt.Sprint("192.0.2.", random.IntN(6))
		network := netip.MustParsePrefix(addr + "/32")
		switch random.IntN(12) {
		case 0:
			reached[m] = random.IntN(2) == 0
			m.engine.Cut(!reached[m])
		case 1:
			m.engine.LoseAnswers(random.IntN(4))
		case 2:
			m.engine.Twice(random.IntN(2) == 0)
		case 3:
			time.Sleep(3 * time.Second)
			s.Stop()
			time.Sleep(time.Duration(random.IntN(100)) * time.Second)
			s.Start(random.IntN(3) > 0)
			time.Sleep(3 * time.Second)
		case 4:
			m.Unban(network)
		case 5:
			m.UnbanAll()
		case 6:
			m.engine.LoseAnswers(0)
			time.Sleep(2 * retry)
			if _, err := m.Ban(network, time.Duration(1+random.IntN(60))*time.Minute, "by hand"); err != nil {
				t.Fatal(err)
			}
			time.Sleep(time.Second)
			for _, other := range all {
				if reached[m] && reached[other] && other.lets(addr) {
					t.Fatalf("%s has banned %s, and %s lets it in a second later", m.shared.node, addr, other.shared.node)
				}
			}
		default:
			m.try(addr, random.IntN(8))
		}
		time.Sleep(time.Duration(random.IntN(5000)) * time.Millisecond)
	}
	for _, m := range all {
		m.engine.Cut(false)
	}
	time.Sleep(30 * time.Second)
	want := said(all[0])
	for _, m := range all[1:] {
		if got := said(m); !slices.Equal(got, want) {
			t.Errorf("%s has %v, %s has %v", all[0].shared.node, want, m.shared.node, got)
		}
	}
}

// said is what the bans of a node are, but for their order.
func said(m *member) []string {
	var all []string
	for _, b := range m.Bans() {
		all = append(all, fmt.Sprint(b.Network, " until ", b.Until.UTC()))
	}
	slices.Sort(all)
	return all
}
