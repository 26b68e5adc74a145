package test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// killsInCI is how often ferry is killed unless FERRY_KILLS says how often.
const killsInCI = 8

// TestKilledFerryKeepsItsPromises kills ferry again and again while eight clients store, append,
// rename and delete, and starts it anew over the same cache. What was acknowledged must be there,
// in the order of the acknowledgements, each time a client looks, and in the end on the server;
// what was not acknowledged is there as a whole or not at all. FERRY_KILLS says how often it is
// killed in all, over each kind of server, in each mode.
func TestKilledFerryKeepsItsPromises(t *testing.T) {
	t.Parallel() // it mostly waits
	modes := []string{"writes", "full"}
	kills, all, long := extent("FERRY_KILLS", killsInCI, "s3")
	if long {
		modes = allModes()
	}
	for _, p := range all {
		t.Run(p.name, func(t *testing.T) {
			t.Parallel() // they mostly wait
			s := p.start(t)
			for _, mode := range modes {
				t.Run(mode, func(t *testing.T) {
					h := newHaunted(t, s, mode)
					h.appends = p.continues || mode != "off"
					h.haunt(kills / len(modes))
					h.compare()
				})
			}
		})
	}
}

// haunted is a ferry that is killed, over and over.
type haunted struct {
	*testing.T
	env  []string
	args []string
	home string // holds the cache

	forgets bool // what was in doubt when it was killed: the server may still do it, whatever comes later
	appends bool // APPE works

	addr         atomic.Pointer[string]
	over         atomic.Bool
	acknowledged atomic.Int64
	workers      []*stubborn
	rng          *rand.Rand
	proc         *process
}

func newHaunted(t *testing.T, s *site, mode string) *haunted {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	dir := s.fresh(t)
	h := &haunted{
		T: t, home: t.TempDir(), rng: rand.New(rand.NewPCG(seed, 0)),
		env: s.environment("there", s.addr), forgets: mode == "off",
		args: []string{"serve", "ftp", "there:" + dir, "--addr", "127.0.0.1:0", "--user", "bob", "-v",
			"--vfs-cache-mode", mode, "--vfs-write-back", "300ms", "--shutdown-flush", "2m"},
	}
	for i := range 8 {
		h.workers = append(h.workers, &stubborn{
			haunted: h, name: fmt.Sprintf("w%d", i), rng: rand.New(rand.NewPCG(seed, uint64(i+1))),
			may: map[string][]*string{},
		})
	}
	return h
}

// start starts ferry and tells the clients where it is.
func (h *haunted) start() {
	var err error
	if h.proc, err = start(h.home, h.env, h.args...); err != nil {
		h.Fatal(err)
	}
	addrs, err := h.proc.addresses(1)
	if err != nil {
		h.Fatal(err)
	}
	h.addr.Store(&addrs[0])
}

// haunt kills ferry that often, under the clients, and ends it in good order after that.
func (h *haunted) haunt(kills int) {
	h.start()
	defer func() { h.proc.kill() }()
	var wg sync.WaitGroup
	for _, w := range h.workers {
		wg.Go(w.work)
	}
	for range kills {
		h.wait(1 + h.rng.IntN(60))
		time.Sleep(time.Duration(h.rng.IntN(50)) * time.Millisecond)
		h.proc.kill()
		h.check()
		h.start()
	}
	h.wait(60)
	h.over.Store(true)
	wg.Wait()
	if code, err := h.proc.stop(); code != 0 || err != nil {
		h.Errorf("ferry ended with %d, %v", code, err)
	}
	h.check()
	var stored, renamed, deleted, appended, unknown int
	for _, w := range h.workers {
		stored, renamed, deleted = stored+w.stored, renamed+w.renamed, deleted+w.deleted
		appended, unknown = appended+w.appended, unknown+w.unknown
	}
	h.Logf("%d kills; acknowledged: %d stored, %d appended, %d renamed, %d deleted; cut and unknown: %d", kills, stored, appended, renamed, deleted, unknown)
}

// wait returns when the clients have been promised n more things, or are stuck.
func (h *haunted) wait(n int) {
	enough := h.acknowledged.Load() + int64(n)
	for end := time.Now().Add(2 * patience); h.acknowledged.Load() < enough; time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			h.Fatalf("nothing goes on; the log:\n%s", h.proc.log)
		}
	}
}

// check looks for what a ferry must never say.
func (h *haunted) check() {
	for _, bad := range []string{"DATA RACE", "panic", "level=ERROR"} {
		if bytes.Contains([]byte(h.proc.log.String()), []byte(bad)) {
			h.Errorf("the log shows %s:\n%s", bad, h.proc.log)
		}
	}
}

// compare compares what has reached the server with what the clients were promised, through a ferry
// without a cache.
func (h *haunted) compare() {
	m, there := lookAt(h.T, h.args[2], h.env)
	for _, w := range h.workers {
		for name, may := range w.may {
			got, err := m.fetch(name)
			if err != nil {
				h.Fatal(err)
			}
			if !oneOf(may, got) {
				h.Errorf("%s is %s on the server, may be %s", name, shortly(got), shortly(may...))
			}
			if (got != nil) != there[name] {
				h.Errorf("%s is listed: %v, can be read: %v", name, there[name], got != nil)
			}
			delete(there, name)
		}
	}
	for name := range there {
		h.Errorf("%q is on the server; nobody has stored it", name)
	}
}

// lookAt logs in to a ferry without a cache, and lists what is there.
func lookAt(t *testing.T, remote string, env []string) (m *mortal, there map[string]bool) {
	t.Helper()
	_, addr := serveAt(t, remote, env)
	m, err := loginMortal(addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(m.close)
	there = map[string]bool{}
	// From another address, where unfinished uploads of bob are not shown.
	for _, name := range lines(login(t, "127.0.0.2", addr).fetch("NLST")) {
		there[name] = true
	}
	return m, there
}

// A stubborn client goes on with its own files whenever there is a ferry.
type stubborn struct {
	*haunted
	name string
	rng  *rand.Rand
	may  map[string][]*string // what each file may hold; nil = it may not be there
	used [5]int               // how often another name had to take the place of one

	stored, appended, renamed, deleted, unknown int
}

func (w *stubborn) work() {
	for !w.over.Load() {
		m, err := loginMortal(*w.addr.Load())
		if err != nil {
			time.Sleep(10 * time.Millisecond) // there is no ferry at the moment
			continue
		}
		err = w.settle(m)
		for err == nil && !w.over.Load() {
			err = w.step(m)
		}
		m.close()
		if code(err) != 0 {
			w.Errorf("%s: %v", w.name, err)
			return
		}
	}
}

// settle looks at all files, and finds out what became of the commands that nobody answered. What
// is left of an upload that was cut would be continued by APPE: it is deleted, or replaced. Where
// that could hit what comes later, the name is left to what may come.
func (w *stubborn) settle(m *mortal) error {
	for name, may := range w.may {
		if w.forgets && len(may) > 1 {
			continue
		}
		got, err := m.fetch(name)
		if err != nil {
			return err
		}
		if !oneOf(may, got) {
			w.Errorf("%s is %s, may be %s", name, shortly(got), shortly(may...))
		}
		w.may[name] = []*string{got}
		if len(may) == 1 {
			continue
		}
		if got != nil {
			err = w.store(m, name)
		} else if _, err = m.do("DELE "+name, 250); code(err) == 550 {
			err = nil
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// file returns the name of one of five files, of which none is undecided.
func (w *stubborn) file() string {
	for n := w.rng.IntN(len(w.used)); ; w.used[n]++ {
		name := fmt.Sprintf("%s-%d", w.name, n)
		if w.used[n] > 0 {
			name = fmt.Sprintf("%s-%d", name, w.used[n])
		}
		if len(w.now(name)) == 1 && len(w.now(name+".part")) == 1 {
			return name
		}
	}
}

// step does one thing and notes what is promised.
func (w *stubborn) step(m *mortal) error {
	name := w.file()
	switch n := w.rng.IntN(10); {
	case n < 4 || n < 5 && !w.appends:
		return w.store(m, name)
	case n < 5:
		return w.appendTo(m, name)
	case n < 8:
		return w.storeAndRename(m, name)
	case n < 9:
		return w.remove(m, name)
	}
	got, err := m.fetch(name)
	if err == nil && !oneOf(w.now(name), got) {
		w.Errorf("%s reads as %s, was promised to be %s", name, shortly(got), shortly(w.now(name)...))
	}
	return err
}

// now is what name may be; a file that was never stored is not there.
func (w *stubborn) now(name string) []*string {
	if may, ok := w.may[name]; ok {
		return may
	}
	return []*string{nil}
}

// change does something after which each of the files has its new content; until it is acknowledged
// both are possible.
func (w *stubborn) change(count *int, do func() error, to map[string]*string) error {
	for name, next := range to {
		w.may[name] = append(w.now(name), next)
	}
	if err := do(); err != nil {
		w.unknown++
		return err
	}
	for name, next := range to {
		w.may[name] = []*string{next}
	}
	*count++
	w.acknowledged.Add(1)
	return nil
}

func (w *stubborn) body() *string {
	size := w.rng.IntN(40_000)
	if w.rng.IntN(30) == 0 {
		size = 6 << 20 // more than one part
	}
	body := string(content(size, fmt.Sprint(w.name, w.rng.Uint64())))
	return &body
}

func (w *stubborn) store(m *mortal, name string) error {
	body := w.body()
	return w.change(&w.stored, func() error { return m.send("STOR "+name, []byte(*body)) }, map[string]*string{name: body})
}

func (w *stubborn) appendTo(m *mortal, name string) error {
	more, whole := w.body(), ""
	if before := w.now(name)[0]; before != nil {
		whole = *before
	}
	whole += *more
	return w.change(&w.appended, func() error { return m.send("APPE "+name, []byte(*more)) }, map[string]*string{name: &whole})
}

// storeAndRename is what careful clients do.
func (w *stubborn) storeAndRename(m *mortal, name string) error {
	body, part := w.body(), name+".part"
	err := w.change(&w.stored, func() error { return m.send("STOR "+part, []byte(*body)) }, map[string]*string{part: body})
	if err != nil {
		return err
	}
	return w.change(&w.renamed, func() error {
		if _, err := m.do("RNFR "+part, 350); err != nil {
			return err
		}
		_, err := m.do("RNTO "+name, 250)
		return err
	}, map[string]*string{part: nil, name: body})
}

func (w *stubborn) remove(m *mortal, name string) error {
	if w.now(name)[0] == nil {
		return nil
	}
	return w.change(&w.deleted, func() error {
		_, err := m.do("DELE "+name, 250)
		return err
	}, map[string]*string{name: nil})
}

func oneOf(may []*string, got *string) bool {
	for _, m := range may {
		if m == nil && got == nil || m != nil && got != nil && *m == *got {
			return true
		}
	}
	return false
}

// shortly is for messages.
func shortly(contents ...*string) string {
	text := ""
	for i, c := range contents {
		if i > 0 {
			text += " or "
		}
		if c == nil {
			text += "absent"
		} else {
			text += fmt.Sprintf("%d bytes (%.8x)", len(*c), *c)
		}
	}
	return text
}

// extent returns how much a test does, and where: as the environment variable says, everywhere;
// without it inCI, at the places of those names.
func extent(variable string, inCI int, names ...string) (n int, at []place, long bool) {
	if n, err := strconv.Atoi(os.Getenv(variable)); err == nil {
		return n, placesFor(true), true
	}
	return inCI, slices.DeleteFunc(placesFor(false), func(p place) bool { return !slices.Contains(names, p.name) }), false
}

func allModes() []string { return []string{"off", "minimal", "writes", "full"} }
