package badnet

import (
	"fmt"
	"hash/fnv"
	"io"
	"math/rand/v2"
	"strings"
	"time"
)

// fate decides what becomes of a request of which the rules fit method and path.
// LOCKS_REQUIRED(n.mu)
func (n *Network) fate(method, path string, size int64) Fate {
	for _, r := range n.rules {
		if !r.fits(method, path) || r.Times == 0 {
			continue
		}
		if r.Skip > 0 {
			r.Skip--
			continue
		}
		if r.Times > 0 {
			r.Times--
		}
		return r.Fate
	}
	if n.odds == nil {
		return Fate{}
	}
	kind := kindOf(method, path)
	n.drawn[kind]++
	rng := rand.New(rand.NewPCG(n.odds.Seed, hashOf(kind)+uint64(n.drawn[kind])*0x9e3779b97f4a7c15))
	return n.odds.draw(rng, method, size)
}

// A Rule says what becomes of some requests.
type Rule struct {
	Method string // "" = any
	Path   string // part of the path of the URL and what follows it; "" = any
	Skip   int    // how many of these requests pass first
	Times  int    // for how many it then counts; 0 = all
	Fate   Fate
}

func (r *Rule) fits(method, path string) bool {
	return (r.Method == "" || r.Method == method) && strings.Contains(path, r.Path)
}

// An Answer says what the client gets.
type Answer int

const (
	Passed  Answer = iota // the answer of the server
	Dropped               // something else, when the server is done: its answer is lost
	Ahead                 // something else, as soon as its request is whole, and whatever becomes of that later
)

// A Fate is what becomes of a request. The zero value lets it pass at once.
type Fate struct {
	Rate   int64 // bytes of its body that get through per second; 0 = no limit
	Buffer int64 // how much of its body is taken ahead of that; 0 = all

	Late  time.Duration   // how long the whole request is kept before the server gets anything of it
	Until <-chan struct{} // the same, until it is closed; nil = not at all
	Lost  bool            // the server never gets it

	Answer Answer
	Wait   time.Duration // how long the answer, or what is in its place, is kept
	Status int           // what is in the place of the answer; 0 = a connection that breaks

	// Cut breaks the connection when CutAt bytes of the body have come. A body that was not whole
	// by then is delivered cut.
	Cut   bool
	CutAt int64
}

// String tells what is not as in the zero value.
func (f Fate) String() string {
	var words []string
	add := func(is bool, format string, args ...any) {
		if is {
			words = append(words, fmt.Sprintf(format, args...))
		}
	}
	add(f.Rate > 0, "%d bytes per second", f.Rate)
	add(f.Buffer > 0, "%d bytes ahead", f.Buffer)
	add(f.Late > 0, "late by %v", f.Late)
	add(f.Until != nil, "kept until told")
	add(f.Lost, "lost")
	add(f.Answer == Dropped, "answer dropped")
	add(f.Answer == Ahead, "not awaited")
	add(f.Answer != Passed && f.Status == 0, "connection breaks")
	add(f.Answer != Passed && f.Status != 0, "status %d", f.Status)
	add(f.Wait > 0, "answer kept for %v", f.Wait)
	add(f.Cut, "cut at %d", f.CutAt)
	if words == nil {
		return "passes"
	}
	return strings.Join(words, ", ")
}

// later reports whether the request is kept when it is whole.
func (f Fate) later() bool { return f.Late > 0 || f.Until != nil || f.Lost }

// Odds are how often which fates are drawn: shares between 0 and 1, the rest passes. What becomes
// of a request depends on the seed, its method, its path and how many like it there were before,
// and not on what happens meanwhile.
type Odds struct {
	Seed uint64

	Slow    float64 // bodies that take their time
	Kept    float64 // requests that are delivered and answered after a while
	Held    float64 // answers that are kept for a while
	Dropped float64 // answers that are lost when the server is done
	Late    float64 // requests that nobody waits for, delivered after a while
	Lost    float64 // requests that never arrive
	Cut     float64 // connections that break within the body

	Longest time.Duration // how long a while is at most; 0 = two seconds
	Reads   bool          // what changes nothing meets them, too
}

// draw returns the fate of a request.
func (o *Odds) draw(rng *rand.Rand, method string, size int64) Fate {
	if !o.Reads && reads(method) {
		return Fate{}
	}
	longest := o.Longest
	if longest == 0 {
		longest = 2 * time.Second
	}
	share, part := rng.Float64(), rng.Float64()
	while := time.Duration(part*part*float64(longest)) + 1 // seldom very long
	status := []int{0, 0, 502, 504}[rng.IntN(4)]
	for _, way := range []struct {
		share float64
		fate  Fate
	}{
		{o.Slow, Fate{Rate: max(int64(float64(size)/while.Seconds()), 1<<10)}},
		{o.Kept, Fate{Late: while}},
		{o.Held, Fate{Wait: while}},
		{o.Dropped, Fate{Answer: Dropped, Status: status}},
		{o.Late, Fate{Answer: Ahead, Status: status, Late: while}},
		{o.Lost, Fate{Answer: Ahead, Status: status, Lost: true}},
		{o.Cut, Fate{Cut: true, CutAt: int64(part * float64(max(size, 0)))}},
	} {
		if share < way.share {
			return way.fate
		}
		share -= way.share
	}
	return Fate{}
}

// reads reports whether requests of a method change nothing.
func reads(method string) bool {
	switch method {
	case "GET", "HEAD", "OPTIONS", "PROPFIND":
		return true
	}
	return false
}

// kindOf is what requests are counted by. The rest of the URL may hold what is different each time.
func kindOf(method, path string) string {
	path, _, _ = strings.Cut(path, "?")
	return method + " " + path
}

func hashOf(kind string) uint64 {
	h := fnv.New64a()
	_, _ = io.WriteString(h, kind)
	return h.Sum64()
}
