package test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/textproto"
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"ferry/remote/remotetest/badnet"
	"ferry/remote/remotetest/ledger"
)

// TestHistoriesOverABadNetwork lets clients store, append, rename and delete by FTP while the
// network to the server of each kind loses answers, delivers requests late and in another order,
// and ferry is killed where it has a cache. When everything has arrived the server must come to
// hold what was acknowledged last of each name, or something later. FERRY_FAR_TIMES lets it run for
// longer, in every mode; FERRY_MODEL_SEED repeats a history, as far as servers do.
func TestHistoriesOverABadNetwork(t *testing.T) {
	t.Parallel() // it mostly waits
	long := os.Getenv("FERRY_FAR_TIMES") != ""
	for _, p := range placesFor(long) {
		t.Run(p.name, func(t *testing.T) {
			t.Parallel() // they mostly wait
			s := p.start(t)
			modes := []string{"writes"}
			if long || p.name == "s3" {
				modes = []string{"off", "minimal", "writes", "full"}
			}
			for _, mode := range modes {
				t.Run(mode, func(t *testing.T) { newChronicle(t, s, mode).write(time.Duration(many(3)) * time.Second) })
			}
		})
	}
}

// A chronicle is a ferry over a bad network, and what its clients were promised.
type chronicle struct {
	*farSide
	mode    string
	seed    uint64
	flat    bool // directories are there as long as files are in them
	over    atomic.Bool
	lives   atomic.Pointer[string] // where ferry is
	clients []*chronicler

	mu  sync.Mutex
	log []string // guarded by mu
}

// A chronicler is a client with names of its own.
type chronicler struct {
	*chronicle
	name   string
	rng    *rand.Rand
	ledger *ledger.Ledger
	cut    map[string]bool // there may be a part that the next APPE would go on with
	count  int
	steps  int
}

func newChronicle(t *testing.T, s *site, mode string) *chronicle {
	seed := rand.Uint64()
	if text := os.Getenv("FERRY_MODEL_SEED"); text != "" {
		seed, _ = strconv.ParseUint(text, 10, 64)
	}
	c := &chronicle{mode: mode, seed: seed, flat: s.flat}
	c.farSide = newFarSide(t, s, mode, "--vfs-write-back", "0s", "--transfers", "8")
	t.Logf("seed %d", seed)
	c.lives.Store(new(c.addr))
	m := c.login()
	for i := range 3 {
		h := &chronicler{
			chronicle: c, name: fmt.Sprint("c", i), rng: rand.New(rand.NewPCG(seed, uint64(i))), ledger: ledger.New(), cut: map[string]bool{},
		}
		m.do("MKD "+h.name, 257)
		h.ledger.Set(h.name+"/", ledger.One(ledger.Directory))
		for _, name := range chronicleNames {
			h.ledger.Now(h.name + name)
		}
		c.clients = append(c.clients, h)
	}
	return c
}

// chronicleNames are few, so that they meet often: files, and the directories of some.
var chronicleNames = []string{"/a", "/b", "/d/a", "/d/b", "/e/a", "/d/", "/e/"}

// write lets the clients go on for that long, and compares.
func (c *chronicle) write(d time.Duration) {
	ctx, cancel := context.WithCancel(c.Context())
	var all, weather sync.WaitGroup
	weather.Go(func() { c.weather(ctx) })
	for _, h := range c.clients {
		all.Go(h.work)
	}
	rng := rand.New(rand.NewPCG(c.seed, 1<<32))
	for end := time.Now().Add(d); time.Now().Before(end); {
		time.Sleep(time.Duration(500+rng.IntN(1500)) * time.Millisecond)
		if c.mode != "off" {
			c.restart()
			c.lives.Store(new(c.addr))
		}
	}
	c.over.Store(true)
	cancel()
	weather.Wait()
	all.Wait()
	c.settle()
	steps := 0
	for _, h := range c.clients {
		steps += h.steps
	}
	c.Logf("%d steps", steps)
}

// weather is what the network does, where there is one.
func (c *chronicle) weather(ctx context.Context) {
	if c.net == nil && c.proxy == nil {
		return
	}
	if c.net != nil {
		c.net.Play(badnet.Odds{
			Seed: c.seed, Slow: 0.1, Kept: 0.1, Held: 0.05, Dropped: 0.07, Late: 0.1, Lost: 0.05, Cut: 0.05, Longest: 3 * time.Second,
		})
		<-ctx.Done()
		c.net.Heal()
		return
	}
	rng := rand.New(rand.NewPCG(c.seed, 1<<33))
	for ctx.Err() == nil {
		select {
		case <-ctx.Done():
		case <-time.After(time.Duration(50+rng.IntN(450)) * time.Millisecond):
		}
		switch n := int64(rng.IntN(3000)); rng.IntN(4) {
		case 0:
			c.proxy.Reset()
		case 1:
			c.proxy.Cut(badnet.Cut{Direction: badnet.Down, After: n})
		case 2:
			c.proxy.Cut(badnet.Cut{Direction: badnet.Up, After: n})
		default: // what is sent arrives, and its answer is lost
			c.proxy.Hold(badnet.Down, badnet.Up, n)
			select {
			case <-ctx.Done():
			case <-time.After(time.Duration(rng.IntN(1000)) * time.Millisecond):
			}
			c.proxy.Reset()
			c.proxy.Release(badnet.Down)
		}
	}
	c.proxy.Release(badnet.Down)
	c.proxy.Heal()
}

// settle waits until the server has what it may have, when everything has arrived.
func (c *chronicle) settle() {
	if c.net != nil {
		if err := c.net.Settle(c.Context()); err != nil {
			c.Fatal(err)
		}
	}
	for end := time.Now().Add(3 * patience); ; time.Sleep(200 * time.Millisecond) {
		wrong := c.compare()
		if len(wrong) == 0 {
			return
		}
		if time.Now().After(end) {
			c.Fatalf("on the server: %s\nafter\n%s", strings.Join(wrong, "\n"), strings.Join(c.log, "\n"))
		}
	}
}

// compare returns what is wrong on the server.
func (c *chronicle) compare() (wrong []string) {
	for _, h := range c.clients {
		tree := map[string]string{h.name + "/": ledger.Directory}
		if err := c.walk(h.name, tree); err != nil {
			return []string{err.Error()}
		}
		for _, dir := range []string{"", "/d", "/e"} {
			for state := range h.ledger.Now(h.name + dir + "/") {
				if c.flat {
					tree[h.name+dir+"/"] = state
				}
			}
		}
		wrong = append(wrong, h.ledger.Check(tree)...)
	}
	return wrong
}

// walk collects what the server has below a directory.
func (c *chronicle) walk(dir string, tree map[string]string) error {
	data, err := c.truth.data()
	if err == nil {
		_, err = c.truth.do("MLSD "+dir, 150)
	}
	var list []byte
	if err == nil {
		list, err = io.ReadAll(data)
		data.Close()
	}
	if err == nil {
		_, _, err = c.truth.text.ReadResponse(226)
	}
	if err != nil {
		c.truth.close()
		c.ask()
		return err
	}
	for _, line := range lines(list) {
		facts, name, _ := strings.Cut(line, " ")
		switch {
		case strings.Contains(strings.ToLower(facts), "type=dir"):
			tree[dir+"/"+name+"/"] = ledger.Directory
			if err := c.walk(dir+"/"+name, tree); err != nil {
				return err
			}
		case strings.Contains(strings.ToLower(facts), "type=file"):
			if content := c.has(dir + "/" + name); content != nil {
				tree[dir+"/"+name] = *content
			}
		}
	}
	return nil
}

// work goes on whenever there is a ferry.
func (h *chronicler) work() {
	for !h.over.Load() {
		m, err := loginMortal(*h.lives.Load())
		if err != nil {
			time.Sleep(10 * time.Millisecond)
			continue
		}
		for err == nil && !h.over.Load() {
			begun := time.Since(h.began)
			var what string
			what, err = h.step(m)
			h.steps++
			h.mu.Lock()
			h.log = append(h.log, fmt.Sprintf("%9.3fs to %9.3fs %s %s: %v", begun.Seconds(), time.Since(h.began).Seconds(), h.name, what, err))
			h.mu.Unlock()
			if answer := (*textproto.Error)(nil); errors.As(err, &answer) && answer.Code != 421 {
				err = nil
			}
		}
		m.close()
	}
}

func (h *chronicler) file() string { return h.name + chronicleNames[h.rng.IntN(5)] }

func (h *chronicler) content() string {
	h.count++
	return fmt.Sprintf("[%s.%d]", h.name, h.count) + strings.Repeat(".", h.rng.IntN(3000))
}

func (h *chronicler) step(m *mortal) (string, error) {
	switch n := h.rng.IntN(20); {
	case n < 7:
		name, content := h.file(), h.content()
		return "stores " + name, h.send(m, "STOR "+name, name, content, ledger.One(content))
	case n < 9:
		return h.grow(m)
	case n < 12:
		name := h.file()
		err := h.do(m, "DELE "+name, 250)
		h.note(name, err, ledger.Absent)
		if err == nil {
			delete(h.cut, name)
		}
		return "deletes " + name, err
	case n < 16:
		return h.rename(m)
	case n < 18:
		dir := h.name + []string{"/d", "/e"}[h.rng.IntN(2)]
		err := h.do(m, "MKD "+dir, 257)
		h.note(dir+"/", err, ledger.Directory)
		return "makes " + dir, err
	}
	return h.rmdir(m)
}

func (h *chronicler) do(m *mortal, line string, code int) error {
	_, err := m.do(line, code)
	return err
}

// note notes that name has come to be in a state, or perhaps.
func (h *chronicler) note(name string, err error, state string) {
	if err == nil {
		h.ledger.Set(name, ledger.One(state))
	} else {
		h.ledger.Add(name, ledger.One(state))
	}
}

// send is an upload after which name is in one of the states.
func (h *chronicler) send(m *mortal, command, name, body string, states map[string]bool) error {
	err := m.send(command, []byte(body))
	dir := name[:strings.LastIndexByte(name, '/')+1]
	h.ledger.Add(dir, ledger.One(ledger.Directory)) // it may be made with the file; it is promised only as long as that is there
	if err == nil {
		h.ledger.Set(name, states)
		delete(h.cut, name)
		return nil
	}
	h.ledger.Add(name, states)
	h.cut[name] = true
	return err
}

// grow appends, or goes on at an offset where the content is known.
func (h *chronicler) grow(m *mortal) (string, error) {
	name, more := h.file(), h.content()
	if h.cut[name] {
		return "does not go on with " + name, nil
	}
	before := h.ledger.Now(name)
	after := map[string]bool{}
	for state := range before {
		if state == ledger.Absent {
			state = ""
		}
		if len(before) == 1 && len(state) > 0 && h.rng.IntN(3) == 0 {
			off := 1 + h.rng.IntN(len(state))
			if _, err := m.do(fmt.Sprint("REST ", off), 350); err != nil {
				return "wants to go on with " + name, err
			}
			states := ledger.One(state[:off] + more)
			return fmt.Sprintf("goes on at %d of %s", off, name), h.send(m, "STOR "+name, name, more, states)
		}
		after[state+more] = true
	}
	return "appends to " + name, h.send(m, "APPE "+name, name, more, after)
}

// rename renames a file or a directory. What it had, nobody knows who is told that it is not there:
// a first attempt may have made the rename.
func (h *chronicler) rename(m *mortal) (string, error) {
	from, to := h.file(), h.file()
	dir := h.rng.IntN(6) == 0
	if dir {
		from, to = h.name+"/d", h.name+"/e"
		if h.rng.IntN(2) == 0 {
			from, to = to, from
		}
	}
	what := "renames " + from + " " + to
	if from == to {
		return what, nil
	}
	err := h.do(m, "RNFR "+from, 350)
	if err != nil {
		return what, err // nothing was asked for
	}
	err = h.do(m, "RNTO "+to, 250)
	if dir {
		if err == nil {
			h.ledger.Set(from+"/", ledger.One(ledger.Directory))
		}
		h.ledger.RenameDir(from, to, err == nil)
		return what, err
	}
	if err == nil && len(h.ledger.Contents(from)) == 0 {
		h.Errorf("%s was renamed, and was not there", from)
	}
	h.ledger.Rename(from, to, err == nil)
	h.ledger.Add(to[:strings.LastIndexByte(to, '/')+1], ledger.One(ledger.Directory))
	return what, err
}

func (h *chronicler) rmdir(m *mortal) (string, error) {
	dir := h.name + []string{"/d", "/e"}[h.rng.IntN(2)]
	err := h.do(m, "RMD "+dir, 250)
	h.note(dir+"/", err, ledger.Absent)
	if err != nil {
		return "removes " + dir, err
	}
	for _, name := range h.ledger.Below(dir) {
		if !h.ledger.Now(name)[ledger.Absent] {
			h.Errorf("%s was removed, and held %s", dir, name)
		}
		h.ledger.Set(name, ledger.One(ledger.Absent))
	}
	return "removes " + dir, nil
}
