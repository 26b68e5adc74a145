package test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// TestAKilledFerryTellsHooksOfEveryUpload kills ferry again and again while clients store, rename
// and delete files, each name once, and a receiver that is slow, fails and cuts off is told of
// uploads that were stored. In the end it was told of every file that is on the remote under the
// name that it has there, and of nothing that never was; what it was told twice had the same id.
// FERRY_KILLS says how often it is killed, over each kind of server, in each mode.
func TestAKilledFerryTellsHooksOfEveryUpload(t *testing.T) {
	t.Parallel() // it mostly waits
	modes := []string{"off", "writes"}
	kills, all, long := extent("FERRY_KILLS", killsInCI, "local", "s3")
	if long {
		modes = allModes()
	}
	kills /= len(modes)
	for _, p := range all {
		t.Run(p.name, func(t *testing.T) {
			t.Parallel() // they mostly wait
			s := p.start(t)
			for _, mode := range modes {
				t.Run(mode, func(t *testing.T) {
					t.Parallel()
					w := newTold(t, s, mode)
					w.haunt(kills)
					w.compare()
				})
			}
		})
	}
}

// told is a ferry that is killed, and a receiver of its hook.
type told struct {
	*testing.T
	env    []string
	args   []string
	home   string // holds the cache and the outbox
	served string
	rng    *rand.Rand
	proc   *process
	addr   atomic.Pointer[string]
	over   atomic.Bool
	done   atomic.Int64 // what was acknowledged

	mu    sync.Mutex
	paths map[string]string          // by id
	ids   map[string]map[string]bool // by path
	calls int
	left  string     // in the outbox
	flaky *rand.Rand // nil = the receiver answers well
	gone  map[string]bool
	names map[string]bool // that were stored, or may have been
}

func newTold(t *testing.T, s *site, mode string) *told {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	w := &told{
		T: t, home: t.TempDir(), rng: rand.New(rand.NewPCG(seed, 0)), flaky: rand.New(rand.NewPCG(seed, 1)),
		paths: map[string]string{}, ids: map[string]map[string]bool{}, gone: map[string]bool{}, names: map[string]bool{},
	}
	w.served, w.env = "there:"+s.fresh(t), s.environment("there", s.addr)
	receiver := httptest.NewServer(http.HandlerFunc(w.receive))
	t.Cleanup(receiver.Close)
	w.args = []string{"serve", "ftp", w.served, "--addr", "127.0.0.1:0", "--user", "bob", "-v", "--vfs-cache-mode", mode,
		"--vfs-write-back", "200ms", "--shutdown-flush", "2m", "--hook", "upload.stored=" + receiver.URL}
	return w
}

// receive is the hook.
func (w *told) receive(rw http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return // ferry was killed
	}
	var e struct {
		ID, Type, Subject string
		Data              struct{ Size int64 }
	}
	if err := json.Unmarshal(body, &e); err != nil || e.Type != "dev.ferry.upload.stored" {
		w.Errorf("told %s: %v", body, err)
	}
	w.mu.Lock()
	w.calls++
	fate := 9
	if w.flaky != nil {
		fate = w.flaky.IntN(10)
	}
	if fate > 1 { // it takes note, also when it cuts off after that
		if was, again := w.paths[e.ID]; again && was != e.Subject {
			w.Errorf("%s is %s, and was %s", e.ID, e.Subject, was)
		}
		w.paths[e.ID] = e.Subject
		if w.ids[e.Subject] == nil {
			w.ids[e.Subject] = map[string]bool{}
		}
		w.ids[e.Subject][e.ID] = true
	}
	w.mu.Unlock()
	switch fate {
	case 0:
		rw.WriteHeader(http.StatusInternalServerError)
	case 1, 2:
		panic(http.ErrAbortHandler)
	case 3:
		select { // it is slow
		case <-time.After(50 * time.Millisecond):
		case <-r.Context().Done():
		}
	}
}

func (w *told) start() {
	var err error
	if w.proc, err = start(w.home, w.env, w.args...); err != nil {
		w.Fatal(err)
	}
	addrs, err := w.proc.addresses(1)
	if err != nil {
		w.Fatal(err)
	}
	w.addr.Store(&addrs[0])
}

// haunt kills ferry that often, under the clients.
func (w *told) haunt(kills int) {
	w.start()
	defer func() { w.proc.kill() }()
	var wg sync.WaitGroup
	for i := range 6 {
		c := &uploader{told: w, name: fmt.Sprint("c", i), rng: rand.New(rand.NewPCG(w.rng.Uint64(), 0))}
		wg.Go(c.work)
	}
	for range kills {
		w.wait(w.rng.IntN(40))
		time.Sleep(time.Duration(w.rng.IntN(50)) * time.Millisecond)
		w.proc.kill()
		w.check()
		w.start()
	}
	w.wait(30)
	w.over.Store(true)
	wg.Wait()
	w.mu.Lock()
	w.flaky = nil
	w.mu.Unlock()
	w.delivered()
	w.check()
}

// wait returns when n more things were acknowledged.
func (w *told) wait(n int) {
	enough := w.done.Load() + int64(n)
	for end := time.Now().Add(2 * patience); w.done.Load() < enough; time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			w.Fatalf("nothing goes on; the log:\n%s", w.proc.log)
		}
	}
}

// check looks for what a ferry must never say.
func (w *told) check() {
	for _, bad := range []string{"DATA RACE", "panic", "level=ERROR"} {
		if bytes.Contains([]byte(w.proc.log.String()), []byte(bad)) {
			w.Errorf("the log shows %s:\n%s", bad, w.proc.log)
		}
	}
}

// delivered ends ferry in good order, and returns when another one has told all.
func (w *told) delivered() {
	if code, err := w.proc.stop(); code != 0 || err != nil {
		w.Errorf("ferry ended with %d, %v", code, err)
	}
	for range 20 {
		w.start()
		time.Sleep(3 * time.Second) // names settle
		if code, err := w.proc.stop(); code != 0 || err != nil {
			w.Errorf("ferry ended with %d, %v", code, err)
		}
		list, err := start(w.home, nil, "hooks", "ls")
		if err != nil {
			w.Fatal(err)
		}
		if code, err := list.wait(); code != 0 || err != nil {
			w.Fatalf("ferry hooks ls ended with %d, %v: %s", code, err, list.log)
		}
		w.left = list.log.String()
		if !strings.Contains(list.log.String(), " waiting ") && !strings.Contains(list.log.String(), " settling ") {
			return
		}
	}
	w.Error("something waits for ever")
}

// compare compares what the receiver was told with what is on the remote.
func (w *told) compare() {
	_, addr := serveAt(w.T, w.served, w.env)
	there := map[string]bool{}
	// From another address, where unfinished uploads of bob are not shown.
	for _, name := range lines(login(w.T, "127.0.0.2", addr).fetch("NLST")) {
		there["/"+name] = true
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, path := range slices.Sorted(maps.Keys(there)) {
		if len(w.ids[path]) == 0 && !strings.HasSuffix(path, ".part") {
			w.Errorf("%s is on the remote, and nobody was told", path)
		}
	}
	for path, ids := range w.ids {
		switch {
		case strings.HasSuffix(path, ".part"):
			w.Errorf("told of %s", path)
		case !there[path] && !w.gone[path]:
			w.Errorf("told of %s, which is not on the remote", path)
		case !w.names[path]:
			w.Errorf("told of %s, which nobody has stored", path)
		}
		if len(ids) > 1 {
			w.Errorf("%s has the ids %v", path, slices.Sorted(maps.Keys(ids)))
		}
	}
	w.Logf("%d files, %d told, in %d calls; %d things were acknowledged", len(there), len(w.ids), w.calls, w.done.Load())
	if w.Failed() {
		w.Logf("left in the outbox:\n%s", w.left)
	}
	if len(there) < 20 {
		w.Errorf("%d files are not enough to say anything", len(there))
	}
}

// An uploader stores files, each name once.
type uploader struct {
	*told
	name string
	n    int
	rng  *rand.Rand
}

func (c *uploader) work() {
	for !c.over.Load() {
		m, err := loginMortal(*c.addr.Load())
		if err != nil {
			time.Sleep(10 * time.Millisecond) // there is no ferry at the moment
			continue
		}
		for err == nil && !c.over.Load() {
			err = c.step(m)
		}
		m.close()
		if code(err) != 0 {
			c.Errorf("%s: %v", c.name, err)
			return
		}
	}
}

// step stores a file of another name than all before, and renames or deletes it now and then.
func (c *uploader) step(m *mortal) error {
	c.n++
	name := fmt.Sprint(c.name, "-", c.n)
	size := c.rng.IntN(20_000)
	if c.rng.IntN(40) == 0 {
		size = 6 << 20 // more than one part
	}
	c.note(c.names, name)
	body := content(size, name)
	switch n := c.rng.IntN(10); {
	case n < 4:
		return c.did(m.send("STOR "+name, body))
	case n < 9:
		if err := c.did(m.send("STOR "+name+".part", body)); err != nil {
			return err
		}
		_, err := m.do("RNFR "+name+".part", 350)
		if err == nil {
			_, err = m.do("RNTO "+name, 250)
		}
		return c.did(err)
	}
	if err := c.did(m.send("STOR "+name, body)); err != nil {
		return err
	}
	c.note(c.gone, name)
	_, err := m.do("DELE "+name, 250)
	return c.did(err)
}

func (c *uploader) note(in map[string]bool, name string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	in["/"+name] = true
}

func (c *uploader) did(err error) error {
	if err == nil {
		c.done.Add(1)
	}
	return err
}
