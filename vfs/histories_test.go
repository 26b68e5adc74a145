package vfs

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"ferry/disk/disktest"
	"ferry/remote"
	"ferry/remote/remotetest/ledger"
	"ferry/remote/wrap/faulty"
	"ferry/writeback"
)

// A past is a tree over a remote that does not answer, or late, or does later what it was told,
// with clients that go on meanwhile, and with ends and kills of the process.
type past struct {
	*rig
	w       climate
	clients []*historian

	began time.Time

	mu    sync.Mutex
	lives chan struct{} // guarded by mu; closed when there is a process
	life  int           // guarded by mu; counts them
	alive context.Context
	end   context.CancelFunc
	log   []string // guarded by mu
}

// A climate is how bad it is.
type climate struct {
	name string
	off  bool // there is no cache
	c    writeback.Options
	poor bool // the remote knows no versions, no stages, and whole seconds only
	odds faulty.Odds
	pace time.Duration // of the clients, at most between two steps
	end  func(rng *rand.Rand, p *past)
	only []string // steps; nil = all
}

// A historian is a client with names of its own.
type historian struct {
	*past
	name   string
	rand   *rand.Rand
	ledger *ledger.Ledger
	count  int
}

func (p *past) note(format string, args ...any) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.log = append(p.log, fmt.Sprintf("%10.3fs ", time.Since(p.began).Seconds())+fmt.Sprintf(format, args...))
}

func (p *past) fail(format string, args ...any) {
	p.t.Helper()
	p.mu.Lock()
	defer p.mu.Unlock()
	p.t.Errorf("%s\nafter\n%s", fmt.Sprintf(format, args...), strings.Join(p.log, "\n"))
}

// A visit is one step of a client, in one life of the process.
type visit struct {
	*View
	ctx  context.Context
	life int
}

func (h *historian) visit() visit {
	h.mu.Lock()
	lives := h.lives
	h.mu.Unlock()
	<-lives
	h.mu.Lock()
	defer h.mu.Unlock()
	return visit{h.fs.View(h.name), h.alive, h.life}
}

// acknowledged reports whether the answer err of a step reached the client, and was good.
func (h *historian) acknowledged(v visit, err error) bool { return err == nil && h.heard(v) }

func (h *historian) heard(v visit) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.life == v.life
}

// kill ends the process without a warning, or in good order, and starts the next one.
func (p *past) kill(loss *disktest.Loss) {
	p.mu.Lock()
	p.life++
	p.lives = make(chan struct{})
	p.mu.Unlock()
	after := p.disk
	if loss != nil {
		after = p.disk.Restart(*loss)
		p.told.die()
	}
	p.end()
	if loss == nil {
		time.Sleep(2 * remote.AnswerTime) // until nobody uses the cache any more
	}
	p.stop() // what it still does on the old disk nobody sees
	p.disk = after
	p.start()
	p.told.resolveOnce(p.fs)
	p.born()
	p.note("the process is ended (killed: %v), and started", loss != nil)
	for _, h := range p.clients { // a part that was dropped may come back; that is harmless
		for _, name := range historianNames[:historianFiles] {
			h.dropPart(h.name + name)
		}
	}
}

func (p *past) born() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.alive, p.end = context.WithCancel(context.WithoutCancel(p.t.Context()))
	close(p.lives)
}

func newPast(t *testing.T, w climate, clients int, seed uint64) *past {
	p := &past{w: w, began: time.Now(), lives: make(chan struct{})}
	p.rig = newRigOver(t, w, func(call string) { p.note("%65s the far side gets: %s", "", call) })
	p.told.note = p.note
	p.born()
	for i := range clients {
		h := &historian{past: p, name: fmt.Sprintf("c%d", i), rand: rand.New(rand.NewPCG(seed, uint64(i))), ledger: ledger.New()}
		for _, name := range historianNames {
			h.ledger.Now(h.name + name)
		}
		h.ledger.Set(h.name+"/", ledger.One(ledger.Directory))
		p.ok(p.inner.Mkdir(t.Context(), h.name))
		p.clients = append(p.clients, h)
	}
	odds := w.odds
	odds.Seed = seed
	p.faults.Roll(odds)
	return p
}

// live lets the clients make that many steps each, and then everything come to rest.
func (p *past) live(steps int, seed uint64) {
	var clients sync.WaitGroup
	for _, h := range p.clients {
		clients.Go(func() {
			for range steps {
				time.Sleep(time.Duration(h.rand.Int64N(int64(p.w.pace))))
				h.step()
			}
		})
	}
	done := make(chan struct{})
	go func() {
		clients.Wait()
		close(done)
	}()
	rng := rand.New(rand.NewPCG(seed, 1<<32))
	for over := false; !over; {
		select {
		case <-done:
			over = true
		case <-time.After(time.Duration(rng.Int64N(int64(20 * p.w.pace)))):
			if p.w.end != nil {
				p.w.end(rng, p)
			}
		}
	}
	p.end()
	p.note("the clients have gone")
	p.faults.Heal()
	for p.faults.Underway() > 0 {
		time.Sleep(time.Second)
	}
	p.note("everything has arrived")
	time.Sleep(quietTime)
	p.flush()
	if waits := p.fs.Queue(); len(waits) > 0 {
		p.fail("there still waits %+v", waits)
	}
	if lost, err := p.fs.Refused(); err != nil || len(lost) > 0 {
		p.fail("the remote refused %+v, %v", lost, err)
	}
	p.compare()
	for range 5 {
		time.Sleep(doubtPause)
		if p.told.resolveOnce(p.fs) {
			break
		}
	}
	if p.told.wantTold(); p.t.Failed() {
		p.fail("that is what was told")
	}
}

// quietTime is when every doubt is over.
const quietTime = 20 * time.Minute

// compare looks at the remote.
func (p *past) compare() {
	trees := map[string]map[string]string{}
	for _, line := range treeOf(p.t, p.inner, ".") {
		name, content, isFile := strings.Cut(line, "=")
		if !isFile {
			content = ledger.Directory
		}
		client, _, _ := strings.Cut(name, "/")
		if trees[client] == nil {
			trees[client] = map[string]string{}
		}
		trees[client][name] = content
	}
	for _, h := range p.clients {
		if wrong := h.ledger.Check(trees[h.name]); len(wrong) > 0 {
			p.fail("on the remote: %s", strings.Join(wrong, "\n"))
		}
		delete(trees, h.name)
	}
	if len(trees) > 0 {
		p.fail("nobody has made %q", trees)
	}
}

// stepNames are what clients do, in the order of the steps; some do it more often.
var stepNames = []string{"store", "append", "remove", "rename", "read", "mkdir", "rmdir", "renamedir", "cut", "time"}

// step does something to one of a few names.
func (h *historian) step() {
	steps := []func(v visit) (what string, err error){
		h.store, h.add, h.remove, h.rename, h.read, h.mkdir, h.rmdir, h.renameDir, h.cut, h.setTime,
	}
	weights := []int{6, 3, 4, 4, 2, 2, 1, 1, 1, 1}
	sum := 0
	for i, name := range stepNames {
		if h.w.only != nil && !slices.Contains(h.w.only, name) {
			weights[i] = 0
		}
		sum += weights[i]
	}
	n := h.rand.IntN(sum)
	for i, weight := range weights {
		if n -= weight; n < 0 {
			v := h.visit()
			begun := time.Since(h.began)
			what, err := steps[i](v)
			h.note("%s %s, begun at %.3fs: %v, heard: %v", h.name, what, begun.Seconds(), err, h.heard(v))
			return
		}
	}
}

// historianNames are few, so that they meet often: files, and the directories of some.
var historianNames = []string{"/a", "/b", "/d/a", "/d/b", "/e/a", "/e/b", "/d/", "/e/"}

// historianFiles is how many of the names are files.
const historianFiles = 6

// file is one of the names of a client.
func (h *historian) file() string { return h.name + historianNames[h.rand.IntN(historianFiles)] }

func (h *historian) dir() string {
	return h.name + strings.TrimSuffix(historianNames[historianFiles+h.rand.IntN(2)], "/")
}

// content is different each time.
func (h *historian) content() string {
	h.count++
	return fmt.Sprintf("[%s.%d%s]", h.name, h.count, strings.Repeat(".", h.rand.IntN(4)))
}

// send is an upload of which content is what it sends, and states what may be there when it is
// acknowledged.
func (h *historian) send(v visit, name string, off int64, content string, states map[string]bool) error {
	ctx := h.told.origin(v.ctx, name, content)
	u, err := v.Create(ctx, name, off)
	if err != nil {
		return err
	}
	if _, err = io.WriteString(u, content); err == nil {
		err = u.Commit(ctx)
	}
	u.Abort()
	if err != nil {
		h.dropPart(name)
	}
	dir, _ := remote.Split(name)
	h.ledger.Add(dir+"/", ledger.One(ledger.Directory)) // it may be made with the file; it is promised only as long as that is there
	if !h.acknowledged(v, err) {
		h.ledger.Add(name, states)
		return err
	}
	h.ledger.Set(name, states)
	h.told.acknowledge(content)
	return nil
}

func (h *historian) store(v visit) (string, error) {
	name, content := h.file(), h.content()
	return "stores " + name + " " + content, h.send(v, name, 0, content, ledger.One(content))
}

// add appends, or goes on at an offset where the content is known.
func (h *historian) add(v visit) (string, error) {
	name, content := h.file(), h.content()
	before, off := h.ledger.Now(name), int64(AtEnd)
	after := map[string]bool{}
	for state := range before {
		if state == ledger.Absent {
			state = ""
		}
		if len(before) == 1 && len(state) > 0 && h.rand.IntN(3) == 0 {
			off = 1 + h.rand.Int64N(int64(len(state)))
			state = state[:off]
		}
		after[state+content] = true
	}
	return fmt.Sprintf("puts behind %d of %s %s", off, name, content), h.send(v, name, off, content, after)
}

// cut is an upload that ends before its time.
func (h *historian) cut(v visit) (string, error) {
	name := h.file()
	u, err := v.Create(v.ctx, name, 0)
	if err != nil {
		return "cuts " + name, err
	}
	_, err = io.WriteString(u, h.content())
	u.Abort()
	h.dropPart(name)
	return "cuts " + name, err
}

// dropPart forgets what an upload has left that nobody goes on with.
func (h *historian) dropPart(name string) {
	for {
		v := h.visit()
		v.fs.interrupted.clear(v.uploads(name), v.owner)
		if v.fs.stream != nil {
			return
		}
		err := v.fs.top.DropPart(v.ctx, name, v.owner)
		if h.heard(v) && (err == nil || certain(err, nil)) {
			return
		}
		time.Sleep(time.Second)
	}
}

func (h *historian) remove(v visit) (string, error) {
	name := h.file()
	before := h.ledger.Contents(name)
	err := v.Remove(v.ctx, name)
	if h.acknowledged(v, err) {
		if len(before) == 0 {
			h.fail("%s removed %s, which was not there", h.name, name)
		}
		h.ledger.Set(name, ledger.One(ledger.Absent))
	} else if !certain(err, before) {
		h.ledger.Add(name, ledger.One(ledger.Absent))
	}
	return "removes " + name, err
}

// certain reports whether err says that nothing was, is, or will be done to a name that may hold
// something of states. That it is not there may be what a first attempt has made of it.
func certain(err error, states map[string]bool) bool {
	for _, answer := range []error{remote.ErrExist, remote.ErrNotEmpty, remote.ErrNotDir, remote.ErrIsDir} {
		if errors.Is(err, answer) {
			return true
		}
	}
	return errors.Is(err, remote.ErrNotExist) && len(states) == 0
}

func (h *historian) rename(v visit) (string, error) {
	from, to := h.file(), h.file()
	what := "renames " + from + " " + to
	if from == to {
		return what, nil
	}
	if _, err := v.Stat(v.ctx, from); err != nil { // RNFR
		return what, err
	}
	err := v.Rename(v.ctx, from, to)
	acknowledged := h.acknowledged(v, err)
	if !acknowledged && certain(err, h.ledger.Contents(from)) {
		return what, err
	}
	if acknowledged && len(h.ledger.Contents(from)) == 0 {
		h.fail("%s renamed %s, which was not there", h.name, from)
	}
	h.ledger.Rename(from, to, acknowledged)
	dir, _ := remote.Split(to)
	h.ledger.Add(dir+"/", ledger.One(ledger.Directory))
	return what, err
}

func (h *historian) mkdir(v visit) (string, error) {
	dir := h.dir()
	err := v.Mkdir(v.ctx, dir)
	if h.acknowledged(v, err) {
		h.ledger.Set(dir+"/", ledger.One(ledger.Directory))
	} else if !errors.Is(err, remote.ErrNotExist) { // that it is there may be what a first attempt has made of it
		h.ledger.Add(dir+"/", ledger.One(ledger.Directory))
	}
	return "makes " + dir, err
}

func (h *historian) rmdir(v visit) (string, error) {
	dir := h.dir()
	err := v.Rmdir(v.ctx, dir)
	if !h.acknowledged(v, err) {
		if !certain(err, h.ledger.Contents(dir+"/")) {
			h.ledger.Add(dir+"/", ledger.One(ledger.Absent))
		}
		return "removes " + dir, err
	}
	h.ledger.Set(dir+"/", ledger.One(ledger.Absent))
	for _, name := range h.ledger.Below(dir) {
		if !h.ledger.Now(name)[ledger.Absent] {
			h.fail("%s removed %s, which holds %s", h.name, dir, name)
		}
		h.ledger.Set(name, ledger.One(ledger.Absent))
	}
	return "removes " + dir, nil
}

func (h *historian) renameDir(v visit) (string, error) {
	from, to := h.name+"/d", h.name+"/e"
	if h.rand.IntN(2) == 0 {
		from, to = to, from
	}
	if _, err := v.Stat(v.ctx, from); err != nil { // RNFR
		return "renames " + from + " " + to, err
	}
	err := v.Rename(v.ctx, from, to)
	acknowledged := h.acknowledged(v, err)
	if acknowledged || !certain(err, h.ledger.Contents(from+"/")) {
		h.ledger.RenameDir(from, to, acknowledged)
	}
	return "renames " + from + " " + to, err
}

func (h *historian) setTime(v visit) (string, error) {
	name := h.file()
	return "sets the time of " + name, v.SetModTime(v.ctx, name, time.Unix(h.rand.Int64N(1e9), 0))
}

// read looks at a file. What has been acknowledged must be seen; in which state something in doubt
// is seen is open.
func (h *historian) read(v visit) (string, error) {
	name := h.file()
	rc, err := v.Open(v.ctx, name, 0)
	got := ledger.Absent
	if err == nil {
		var body []byte
		body, err = io.ReadAll(rc)
		rc.Close()
		got = string(body)
	} else if errors.Is(err, fs.ErrNotExist) {
		err = nil
	}
	if h.acknowledged(v, err) && h.sees() && !h.ledger.Now(name)[got] {
		h.fail("%s reads %s as %q, may be %s", h.name, name, got, ledger.Shortly(h.ledger.Now(name)))
	}
	return fmt.Sprintf("reads %s: %q", name, got), err
}

// sees reports whether clients see what the remote will have, whatever it has at the moment.
func (p *past) sees() bool { return !p.w.off && p.w.c.Mode != writeback.Minimal }
