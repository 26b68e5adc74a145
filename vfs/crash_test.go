package vfs

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"ferry/cache"
	"ferry/disk/disktest"
	"ferry/remote"
	"ferry/remote/wrap/faulty"
	"ferry/writeback"
)

// TestCrashesAtAnyOperation carries out random histories in which the process dies, or the power
// fails, at a random operation of the disk in the middle of what a client does; the remote cannot
// be reached for a while. What was acknowledged must be there after each crash, and what was not as
// a whole or not at all. The environment is that of TestRandomHistories.
func TestCrashesAtAnyOperation(t *testing.T) {
	minutes, _ := strconv.ParseFloat(os.Getenv("FERRY_MODEL_MINUTES"), 64)
	end := time.Now().Add(time.Duration(minutes * float64(time.Minute)))
	seed, histories := rand.Uint64(), 60
	if text := os.Getenv("FERRY_MODEL_SEED"); text != "" {
		seed, _ = strconv.ParseUint(text, 10, 64)
	}
	for _, seed := range foundBefore() {
		t.Run(fmt.Sprint(seed), func(t *testing.T) { synctest.Test(t, func(t *testing.T) { liveThrough(t, seed, nil) }) })
	}
	n := 0
	for ; (n < histories || time.Now().Before(end)) && !t.Failed(); n++ {
		t.Run(fmt.Sprint(seed), func(t *testing.T) { synctest.Test(t, func(t *testing.T) { liveThrough(t, seed, nil) }) })
		seed++
	}
	t.Logf("%d histories", n)
}

// foundBefore are histories in which something was wrong once.
func foundBefore() []uint64 {
	return []uint64{
		4820429048312347438,  // a directory stayed, because the removal of a file in it had become newer than its own
		2604437198137472050,  // the record of a rename that was made forgot its source, and took another file from there
		16466348133159475165, // a call that waited for another record was taken for one that the remote had not answered
		3797131060333577046,  // a file was sent, and the loss of power took the name that it was sent under from its record
		10151450702865980101, // a rename that was queued while an older change became due waited for it, and it for the rename
	}
}

// liveThrough carries out one history. over makes the remote; nil = it is one in memory.
func liveThrough(t *testing.T, seed uint64, over func() remote.Remote) {
	w := newWorld(t, seed, over)
	for range 80 {
		if w.step(); t.Failed() {
			return
		}
	}
	w.finish()
}

// A world is a rig, and what must be seen of it.
type world struct {
	*rig
	seed  uint64
	rng   *rand.Rand
	tree  model
	far   *stopped
	away  bool // the remote cannot be reached
	users int
	trace []string
	ctx   context.Context // of the process
	kill  func()          // ends it without its errors
}

// A deed is something a client does.
type deed struct {
	what    string
	apply   func(m model) bool // changes the model; false where the deed must be refused
	do      func() error
	removes string // a file
}

func newWorld(t *testing.T, seed uint64, over func() remote.Remote) *world {
	rng := rand.New(rand.NewPCG(seed, 0))
	c := writeback.Options{
		Mode: []writeback.Mode{writeback.Minimal, writeback.Writes, writeback.Full}[rng.IntN(3)], Ack: writeback.Ack(rng.IntN(3)),
		WriteBack: time.Duration(rng.IntN(6)) * time.Second, Gate: writeback.NewGate(1 + rng.IntN(4)),
	}
	w := &world{rig: newRigAt(t, c, &rig{disk: disktest.New(), over: over}), seed: seed, rng: rng, tree: model{}}
	w.stop() // its first process; those of the world can be killed
	w.listen()
	w.told.exact = true
	w.begin()
	w.note("mode %d, ack %d, write-back %v", c.Mode, c.Ack, c.WriteBack)
	return w
}

// begin starts a process over the disk and the remote. What an earlier one still sends does not
// reach the remote.
func (w *world) begin() {
	w.t.Helper()
	w.faults = faulty.New(w.files)
	w.far = &stopped{Forward: remote.Forward{Remote: w.faults}}
	w.wrote = &notes{Forward: remote.Forward{Remote: w.far}}
	store, err := cache.Open(w.disk, cache.Options{})
	if err != nil {
		w.fail("the cache cannot be opened: %v", err)
	}
	w.store, w.o.Cache.Store = store, store
	w.o.Events = w.told.stream(w.disk)
	w.fs = New(w.wrote, w.o)
	w.told.resolve(w.fs)
	ctx, cancel := context.WithCancel(context.WithoutCancel(w.t.Context()))
	w.ctx = ctx
	done := make(chan error, 1)
	go func() {
		done <- w.fs.Run(ctx)
		cancel() // without it nobody has to wait any more, as in the program
	}()
	end := sync.OnceValue(func() error {
		cancel()
		return errors.Join(<-done, w.fs.Close(), store.Close())
	})
	faults := w.faults
	w.kill = func() {
		faults.Inject(faulty.Fault{Times: -1, Err: errNetwork})
		_ = end() // its disk has gone
	}
	w.stop = func() {
		if err := end(); err != nil && !w.disk.Stopped() {
			w.t.Error(err)
		}
	}
	w.away = false
}

func (w *world) note(format string, args ...any) {
	w.trace = append(w.trace, fmt.Sprintf(format, args...))
}

func (w *world) fail(format string, args ...any) {
	w.t.Helper()
	w.t.Fatalf("%s\nseed %d; what was done:\n  %s\nand logged in the end:\n%s", fmt.Sprintf(format, args...), w.seed,
		strings.Join(w.trace, "\n  "), w.logged.tail(20))
}

// user is somebody new each time, so that nobody has unfinished uploads of his own.
func (w *world) user() *View {
	w.users++
	return w.fs.View(fmt.Sprint("user", w.users))
}

// step lets something happen.
func (w *world) step() {
	switch n := w.rng.IntN(100); {
	case n < 70:
		w.act(w.choose())
	case n < 80:
		time.Sleep(time.Duration(w.rng.IntN(8000)) * time.Millisecond)
	case n < 84:
		w.compare()
	case n < 87:
		w.readSome()
	case n < 90 && !w.away:
		w.note("flush")
		w.ok(w.fs.Flush(w.ctx, "."))
	case n < 92:
		w.note("restart")
		w.stop()
		w.begin()
	case n < 97:
		w.crash()
	case w.away:
		w.note("the remote is back")
		w.faults.Heal()
		w.far.silent.Store(false)
		time.Sleep(2 * time.Minute) // until everybody has noticed
		w.away = false
	default:
		if silent := w.rng.IntN(2) == 0 && w.keepsChanges(); silent {
			w.note("the remote falls silent")
			w.far.silent.Store(true)
		} else {
			w.note("the remote is away")
			w.faults.Inject(faulty.Fault{Times: -1, Err: errNetwork})
		}
		w.away = true
	}
}

// keepsChanges reports whether changes may wait for the remote.
func (w *world) keepsChanges() bool {
	return w.o.Cache.Mode != writeback.Minimal && w.o.Cache.Ack != writeback.AckRemote
}

// act does d and notes what came of it.
func (w *world) act(d deed) {
	after := maps.Clone(w.tree)
	may := d.apply(after)
	if w.away && !may {
		return // nobody can know that it makes no sense
	}
	err := d.do()
	w.note("%s: %v", d.what, err)
	switch {
	case err == nil && !may:
		w.fail("%s was not refused", d.what)
	case err != nil && may && !w.away:
		w.fail("%s: %v", d.what, err)
	case err == nil:
		w.tree = after
	case w.away && may && d.removes != "":
		ctx, cancel := context.WithTimeout(w.ctx, time.Minute)
		_, statErr := w.fs.top.Stat(ctx, d.removes)
		cancel()
		if errors.Is(statErr, remote.ErrNotExist) {
			w.tree = after // it is gone; what could not be asked for is whether a part of it is there
		}
	}
}

// crash ends the process in the middle of a deed, and with it what the disk has not kept.
func (w *world) crash() {
	d := w.choose()
	loss, lost := disktest.Nothing(), "nothing"
	if w.o.Cache.Ack != writeback.AckSpooled {
		switch seed := w.rng.Uint64(); w.rng.IntN(3) {
		case 0:
			loss, lost = disktest.Everything(), "everything"
		case 1:
			loss, lost = disktest.Some(seed), fmt.Sprint("some by ", seed)
		}
	}
	at := 1 + w.rng.IntN(8)
	w.disk.StopAt(at, w.rng.IntN(3))
	after := maps.Clone(w.tree)
	may := d.apply(after)
	if w.away && !may {
		after = w.tree // nobody can know that it makes no sense
		d = deed{what: "nothing", do: func() error { return errNetwork }}
	}
	process := w.ctx
	ctx, giveUp := context.WithTimeout(process, time.Hour) // a client does not wait for a dead disk for ever
	w.ctx = ctx
	err := d.do()
	w.ctx = process
	giveUp()
	next := w.disk.Restart(loss)
	w.kill()
	w.note("crash at operation %d, which loses %s, in %s: %v", at, lost, d.what, err)
	w.disk = next
	w.begin()
	got := treeOf(w.t, w.fs.top, ".")
	switch {
	case may && sameEntries(got, after):
		w.tree = after
		if err != nil { // nobody was promised that it survives a loss of power too
			w.ok(w.fs.Flush(w.ctx, "."))
		}
	case err == nil && may:
		w.fail("%s was acknowledged; there is %q", d.what, got)
	case !sameEntries(got, w.tree):
		w.fail("there is %q, must be %q or %q", got, w.tree.entries(), after.entries())
	}
}

// compare looks at the whole tree.
func (w *world) compare() {
	if w.away {
		return
	}
	w.note("compare")
	got := treeOf(w.t, w.fs.top, ".")
	if !sameEntries(got, w.tree) {
		w.fail("the tree is %q, must be %q", got, w.tree.entries())
	}
}

// readSome reads a file from somewhere on.
func (w *world) readSome() {
	name := w.name()
	if w.away || !w.tree.isFile(name) {
		return
	}
	content := w.tree[name]
	off := w.rng.IntN(len(content) + 2)
	r, err := w.user().Open(w.ctx, name, int64(off))
	if err != nil {
		w.fail("open of %s: %v", name, err)
	}
	got, err := io.ReadAll(r)
	if err := errors.Join(err, r.Close()); err != nil || string(got) != content[min(off, len(content)):] {
		w.fail("%s from %d is %q, %v; must be %q", name, off, got, err, content[min(off, len(content)):])
	}
}

// finish lets everything be sent and compares the remote.
func (w *world) finish() {
	w.note("the end")
	w.faults.Heal()
	w.far.silent.Store(false)
	w.away = false
	ctx, cancel := context.WithTimeout(w.ctx, time.Hour)
	defer cancel()
	if err := w.fs.Flush(ctx, "."); err != nil {
		w.fail("an hour later something waits: %v", err)
	}
	w.compare()
	got := treeOf(w.t, w.files, ".")
	if !sameEntries(got, w.tree) {
		w.fail("the remote has %q, must have %q", got, w.tree.entries())
	}
	if lost, err := w.store.Lost(); len(lost) > 0 || err != nil {
		w.fail("lost: %v, %v", lost, err)
	}
	time.Sleep(doubtWindow + 2*time.Minute) // until what was in doubt is settled
	if w.told.wantTold(); w.t.Failed() {
		w.fail("that is what was told")
	}
}

// sameEntries compares what a tree holds with a model.
func sameEntries(got []string, m model) bool {
	want := m.entries()
	slices.Sort(got)
	slices.Sort(want)
	return slices.Equal(got, want)
}

func (w *world) name() string {
	return modelNames[w.rng.IntN(len(modelNames))]
}

// choose returns something to do.
func (w *world) choose() deed {
	name, to := w.name(), w.name()
	content := strings.Repeat(fmt.Sprint(w.rng.IntN(1000), "."), w.rng.IntN(8))
	if w.rng.IntN(20) == 0 {
		content = strings.Repeat("large", 4000)
	}
	tag := fmt.Sprintf("#%d.", len(w.trace)) // by which the outbox knows whose it is
	if content != "" {
		content += tag
	}
	switch n := w.rng.IntN(20); {
	case n < 6:
		return w.put(name, content, 0)
	case n < 8:
		return w.put(name, cmp.Or(content, tag), AtEnd)
	case n < 10:
		return w.put(name, cmp.Or(content, tag), 1+w.rng.IntN(12))
	case n < 14:
		return w.rename(name, to)
	case n < 16:
		return w.remove(name)
	case n < 18:
		return w.mkdir(name)
	case n < 19:
		return w.rmdir(name)
	}
	return w.setTime(name)
}

// put is STOR, APPE, or REST and STOR.
func (w *world) put(name, content string, off int) deed {
	return deed{
		what: fmt.Sprintf("put %s at %d, %d bytes", name, off, len(content)),
		apply: func(m model) bool {
			head := ""
			if off != 0 {
				head = m[name]
			}
			if m.isDir(name) || !m.hasParent(name) || off > len(head) {
				return false
			}
			if off >= 0 {
				head = head[:off]
			}
			m[name] = head + content
			return true
		},
		do: func() error {
			ctx := w.told.origin(w.ctx, name, content)
			u, err := w.user().Create(ctx, name, int64(off))
			if err != nil {
				return err
			}
			defer u.Abort()
			if _, err := io.WriteString(u, content); err != nil {
				return err
			}
			return u.Commit(ctx)
		},
	}
}

func (w *world) rename(from, to string) deed {
	return deed{
		what: fmt.Sprintf("rename %s to %s", from, to),
		apply: func(m model) bool {
			switch {
			case m.isFile(from) && from == to:
				return true
			case m.isFile(from):
				if m.isDir(to) || !m.hasParent(to) {
					return false
				}
			case !m.isDir(from) || (m.isFile(to) || m.isDir(to)) && from != to || remote.Below(to, from) || !m.hasParent(to):
				return false
			}
			if from != to {
				m.rename(from, to)
			}
			return true
		},
		do: func() error { return w.user().Rename(w.ctx, from, to) },
	}
}

func (w *world) remove(name string) deed {
	return deed{removes: name, what: "remove " + name, apply: func(m model) bool {
		if !m.isFile(name) {
			return false
		}
		delete(m, name)
		return true
	}, do: func() error { return w.user().Remove(w.ctx, name) }}
}

func (w *world) mkdir(name string) deed {
	return deed{what: "mkdir " + name, apply: func(m model) bool {
		if m.isFile(name) || m.isDir(name) || !m.hasParent(name) {
			return false
		}
		m[name+"/"] = ""
		return true
	}, do: func() error { return w.user().Mkdir(w.ctx, name) }}
}

func (w *world) rmdir(name string) deed {
	return deed{what: "rmdir " + name, apply: func(m model) bool {
		if !m.isDir(name) || !m.isEmpty(name) {
			return false
		}
		delete(m, name+"/")
		return true
	}, do: func() error { return w.user().Rmdir(w.ctx, name) }}
}

func (w *world) setTime(name string) deed {
	when := time.Unix(w.rng.Int64N(2e9), 0)
	return deed{what: "set the time of " + name, apply: func(m model) bool { return m.isFile(name) || m.isDir(name) },
		do: func() error { return w.user().SetModTime(w.ctx, name, when) }}
}
