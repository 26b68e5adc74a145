package union

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"testing"

	"ferry/remote"
	"ferry/remote/driver/memory"
	"ferry/remote/wrap/faulty"
)

// A model is a union of upstreams that fail at random, and what it may hold.
type model struct {
	*testing.T
	r      remote.Remote
	ups    []*faulty.Remote
	random *rand.Rand
	files  map[string]string // by name; absent = there is none
	n      int
}

// TestRandomChanges makes changes while upstreams fail. What was acknowledged is there, what failed
// was made or not, and what exists is never said not to.
func TestRandomChanges(t *testing.T) {
	for _, o := range []Options{{}, {Create: "all"}, {Create: "rand", Search: "newest"}, {Create: "epff", Search: "all"}, {Create: "eprand"}} {
		for range 8 {
			seed := rand.Uint64()
			t.Run(fmt.Sprintf("%s %s %d", o.Create, o.Search, seed), func(t *testing.T) {
				m := &model{T: t, random: rand.New(rand.NewPCG(seed, 0)), files: map[string]string{}}
				var ups []Upstream
				for range 3 {
					f := faulty.New(memory.New())
					m.ups = append(m.ups, f)
					ups = append(ups, up(f))
				}
				m.r = newUnion(t, o, ups...)
				mkdir(t, m.r, "d")
				for range 60 {
					m.step()
				}
			})
		}
	}
}

// name is one of few, so that changes meet.
func (m *model) name() string { return []string{"f", "g", "d/f", "d/g"}[m.random.IntN(4)] }

func (m *model) step() {
	if m.random.IntN(2) == 0 {
		bad := m.ups[m.random.IntN(len(m.ups))]
		bad.Roll(faulty.Odds{Seed: m.random.Uint64(), Unsent: 0.3, Lost: 0.2, Late: 0.2})
		if m.random.IntN(3) == 0 {
			away(bad, faulty.Stat, faulty.List)
		}
	}
	name, to := m.name(), m.name()
	before := map[string]string{}
	for _, n := range []string{name, to} {
		if c, ok := m.files[n]; ok {
			before[n] = c
		}
	}
	var err error
	switch m.random.IntN(5) {
	case 0, 1:
		m.n++
		body := bytes.Repeat(fmt.Appendf(nil, "%d ", m.n), 1+m.random.IntN(40_000))
		_, err = m.r.Put(m.Context(), name, struct{ io.Reader }{bytes.NewReader(body)}, remote.PutOptions{})
		m.settle("Put", name, err, before, string(body))
	case 2:
		err = m.r.Remove(m.Context(), name)
		m.settle("Remove", name, err, before)
	case 3:
		err = remote.Move(m.Context(), m.r, name, to)
		m.moved(name, to, err, before)
	default:
		for n, want := range m.files {
			if got := content(m.T, m.r, n); got == "-" || got != want && got != "!" && m.n == 0 {
				m.Fatalf("%s is not there", n)
			}
		}
	}
	m.heal()
}

func (m *model) heal() {
	for _, u := range m.ups {
		u.Heal()
	}
}

// settle finds out what a change has made of a name: what was there, or after, which is empty for a
// removal.
func (m *model) settle(call, name string, err error, before map[string]string, after ...string) {
	m.Helper()
	m.heal()
	got := content(m.T, m.r, name)
	old, was := before[name]
	done := len(after) > 0 && got == after[0] || len(after) == 0 && got == "-"
	kept := was && got == old || !was && got == "-"
	switch {
	case err == nil && !done:
		m.Fatalf("%s(%s) is acknowledged, and %.20q is there", call, name, got)
	case errors.Is(err, remote.ErrNotExist) && was:
		m.Fatalf("%s(%s): %v, although it is there", call, name, err)
	case !done && !kept:
		m.Fatalf("%s(%s): %v: %.20q is there", call, name, err, got)
	}
	m.now(name, got)
}

func (m *model) now(name, content string) {
	if content == "-" {
		delete(m.files, name)
	} else {
		m.files[name] = content
	}
}

// moved finds out what a rename has made of two names. The content of the first is under one of
// them at least.
func (m *model) moved(from, to string, err error, before map[string]string) {
	m.Helper()
	m.heal()
	content1, content2 := content(m.T, m.r, from), content(m.T, m.r, to)
	old, was := before[from]
	switch {
	case !was:
		if !errors.Is(err, remote.ErrNotExist) && !errors.Is(err, errAway) {
			m.Fatalf("Move(%s, %s) of nothing: %v", from, to, err)
		}
	case errors.Is(err, remote.ErrNotExist):
		m.Fatalf("Move(%s, %s): %v, although it is there", from, to, err)
	case err == nil && (content2 != old || from != to && content1 != "-"):
		m.Fatalf("Move(%s, %s) is acknowledged: %.20q, %.20q", from, to, content1, content2)
	case content1 != old && content2 != old && !m.somewhere(old, from, to):
		m.Fatalf("Move(%s, %s): %v: the file is lost: %.20q, %.20q", from, to, err, content1, content2)
	}
	m.now(from, content1)
	m.now(to, content2)
}

// somewhere reports whether an upstream has a content, although another one may hide it.
func (m *model) somewhere(want string, names ...string) bool {
	for _, u := range m.ups {
		for _, name := range names {
			if content(m.T, u, name) == want {
				return true
			}
		}
	}
	return false
}
