package vfs

import (
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"ferry/disk/disktest"
	"ferry/remote"
	"ferry/remote/wrap/faulty"
	"ferry/writeback"
)

// model is a tree of files as a client thinks of it: contents by name, and directories, whose names
// end in a slash.
type model map[string]string

func (m model) isFile(name string) bool { _, ok := m[name]; return ok }

func (m model) isDir(name string) bool { _, ok := m[name+"/"]; return ok || name == "." }

func (m model) hasParent(name string) bool {
	dir, _ := remote.Split(name)
	return m.isDir(dir)
}

func (m model) isEmpty(dir string) bool {
	for name := range m {
		if remote.Below(strings.TrimSuffix(name, "/"), dir) {
			return false
		}
	}
	return true
}

// entries is what treeOf returns for the same tree.
func (m model) entries() []string {
	var all []string
	for name, content := range m {
		if strings.HasSuffix(name, "/") {
			all = append(all, name)
		} else {
			all = append(all, name+"="+content)
		}
	}
	return all
}

// rename moves a file or a directory with everything in it.
func (m model) rename(from, to string) {
	for name, content := range maps.Clone(m) {
		if name == from || strings.HasPrefix(name, from+"/") {
			delete(m, name)
			m[to+strings.TrimPrefix(name, from)] = content
		}
	}
}

// modelNames are few, so that they meet often.
var modelNames = []string{"a", "b", "c", "d", "d/a", "d/b", "d/e", "d/e/a", "d/e/b", "f", "f/a"}

// A player makes random operations on a rig and on a model, and compares.
type player struct {
	*rig
	m    model
	rand *rand.Rand
	log  []string
}

func (p *player) name() string { return modelNames[p.rand.IntN(len(modelNames))] }

// content is different each time.
func (p *player) content() string {
	return fmt.Sprint(p.rand.IntN(1000), strings.Repeat("x", p.rand.IntN(20)))
}

// outcome is what has come of an operation.
type outcome struct {
	what    string
	allowed bool // the model allows it
	err     error
	apply   func() // does it to the model
}

// play makes one operation.
func (p *player) play() {
	ops := []func() outcome{
		p.put, p.put, p.put, p.add, p.cutOff, p.remove, p.remove, p.move, p.move, p.move, p.mkdir, p.rmdir, p.setTime,
	}
	o := ops[p.rand.IntN(len(ops))]()
	p.log = append(p.log, fmt.Sprintf("%s: %v", o.what, o.err))
	switch {
	case errors.Is(o.err, errNetwork):
		return // nothing has happened
	case o.allowed != (o.err == nil):
		p.fail("%s: %v; allowed is %v", o.what, o.err, o.allowed)
	case o.allowed:
		o.apply()
	}
}

func (p *player) fail(format string, args ...any) {
	p.t.Helper()
	p.t.Fatalf("%s\nafter\n%s\nand logged in the end:\n%s", fmt.Sprintf(format, args...), strings.Join(p.log, "\n"),
		p.logged.tail(20))
}

func (p *player) put() outcome {
	name, content := p.name(), p.content()
	allowed := p.m.hasParent(name) && !p.m.isDir(name)
	return outcome{"put " + name + " " + content, allowed, p.trySend(name, content, 0), func() { p.m[name] = content }}
}

// add appends, or goes on at an offset.
func (p *player) add() outcome {
	name, content := p.name(), p.content()
	old := p.m[name]
	off, kept := int64(AtEnd), len(old)
	if p.m.isFile(name) && p.rand.IntN(2) == 0 && len(old) > 0 {
		kept = 1 + p.rand.IntN(len(old))
		off = int64(kept)
	}
	allowed := p.m.hasParent(name) && !p.m.isDir(name)
	what := fmt.Sprintf("put %s at %d %s", name, off, content)
	return outcome{what, allowed, p.trySend(name, content, off), func() { p.m[name] = old[:kept] + content }}
}

// cutOff is an upload that is not published. What it leaves is forgotten at once.
func (p *player) cutOff() outcome {
	name := p.name()
	allowed := p.m.hasParent(name) && !p.m.isDir(name)
	u, err := p.Create(p.t.Context(), name, 0)
	if err == nil {
		_, err = u.Write([]byte(p.content()))
		u.Abort()
		p.fs.interrupted.clear(p.uploads(name), p.owner)
		if drop := p.fs.top.DropPart(p.t.Context(), name, p.owner); drop != nil {
			err = errors.Join(err, drop)
		}
	}
	return outcome{"cut " + name, allowed, err, func() {}}
}

func (p *player) remove() outcome {
	name := p.name()
	return outcome{"remove " + name, p.m.isFile(name), p.Remove(p.t.Context(), name), func() { delete(p.m, name) }}
}

func (p *player) move() outcome {
	from, to := p.name(), p.name()
	allowed := false
	switch {
	case from == to:
		allowed = p.m.isFile(from) || p.m.isDir(from)
	case p.m.isFile(from):
		allowed = p.m.hasParent(to) && !p.m.isDir(to)
	case p.m.isDir(from):
		allowed = p.m.hasParent(to) && !p.m.isDir(to) && !p.m.isFile(to) && !remote.Below(to, from)
	}
	return outcome{"move " + from + " " + to, allowed, p.Rename(p.t.Context(), from, to), func() {
		if from != to {
			p.m.rename(from, to)
		}
	}}
}

func (p *player) mkdir() outcome {
	name := p.name()
	allowed := p.m.hasParent(name) && !p.m.isDir(name) && !p.m.isFile(name)
	return outcome{"mkdir " + name, allowed, p.Mkdir(p.t.Context(), name), func() { p.m[name+"/"] = "" }}
}

func (p *player) rmdir() outcome {
	name := p.name()
	allowed := p.m.isDir(name) && p.m.isEmpty(name)
	return outcome{"rmdir " + name, allowed, p.Rmdir(p.t.Context(), name), func() { delete(p.m, name+"/") }}
}

func (p *player) setTime() outcome {
	name := p.name()
	when := time.Unix(p.rand.Int64N(1e9), 0)
	allowed := p.m.isFile(name) || p.m.isDir(name)
	return outcome{"time of " + name, allowed, p.SetModTime(p.t.Context(), name, when), func() {}}
}

// check compares what is shown with the model.
func (p *player) check(r remote.Remote, what string) {
	p.t.Helper()
	got, want := treeOf(p.t, r, "."), p.m.entries()
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		p.fail("%s holds %q, want %q", what, got, want)
	}
}

// crash ends the process without a warning; the disk loses what loss says.
func (p *player) crash(loss disktest.Loss) {
	after := p.disk.Restart(loss)
	p.stop() // what it still does on the old disk nobody sees
	p.disk = after
	p.start()
	for _, name := range modelNames { // a part that was dropped may come back; that is harmless, and not in the model
		if err := p.fs.top.DropPart(p.t.Context(), name, p.owner); err != nil && !errors.Is(err, remote.ErrNotExist) {
			p.t.Fatal(err)
		}
	}
}

// A weather is what happens to the process and to the remote meanwhile.
type weather struct {
	name    string
	c       writeback.Options
	between func(p *player) // after each operation
}

func weathers() []weather {
	now, soon, later := time.Duration(0), time.Second, time.Hour
	one := func(n int, do func(p *player)) func(p *player) {
		return func(p *player) {
			if p.rand.IntN(n) == 0 {
				do(p)
			}
		}
	}
	restart := one(10, func(p *player) { p.restart() })
	wait := one(2, func(p *player) { time.Sleep(time.Duration(p.rand.IntN(3000)) * time.Millisecond) })
	faults := func(p *player) {
		wait(p)
		if p.rand.IntN(4) == 0 {
			op := []faulty.Op{faulty.Put, faulty.Remove, faulty.Move, faulty.Rmdir, faulty.SetModTime}[p.rand.IntN(5)]
			p.faults.Inject(faulty.Fault{Op: op, Err: errNetwork, Times: 1 + p.rand.IntN(3)})
		}
	}
	all := []weather{
		{"waiting", writeback.Options{Mode: writeback.Writes, WriteBack: later}, func(*player) {}},
		{"at once", writeback.Options{Mode: writeback.Writes, WriteBack: now, Gate: writeback.NewGate(4)}, func(*player) {}},
		{"by and by", writeback.Options{Mode: writeback.Full, WriteBack: soon, Gate: writeback.NewGate(4)}, wait},
		{"acknowledged by the remote", writeback.Options{Mode: writeback.Full, Ack: writeback.AckRemote}, wait},
		{"minimal", writeback.Options{Mode: writeback.Minimal, WriteBack: soon}, wait},
		{"restarts", writeback.Options{Mode: writeback.Writes, WriteBack: later}, restart},
		{"restarts, by and by", writeback.Options{Mode: writeback.Full, WriteBack: soon, Gate: writeback.NewGate(4)}, func(p *player) { wait(p); restart(p) }},
		{"a slow remote", writeback.Options{Mode: writeback.Writes, WriteBack: soon, Gate: writeback.NewGate(4)}, func(p *player) {
			wait(p)
			p.faults.Inject(faulty.Fault{Op: faulty.Put, Delay: time.Duration(p.rand.IntN(5000)) * time.Millisecond, Slow: true})
		}},
		{"crashes", writeback.Options{Mode: writeback.Writes, WriteBack: soon, Gate: writeback.NewGate(4)}, func(p *player) {
			wait(p)
			one(10, func(p *player) { p.crash(disktest.Some(p.rand.Uint64())) })(p)
		}},
		{"the process is killed", writeback.Options{Mode: writeback.Writes, Ack: writeback.AckSpooled, WriteBack: soon}, func(p *player) {
			wait(p)
			one(10, func(p *player) { p.crash(disktest.Nothing()) })(p)
		}},
	}
	return append(all, weather{"faults", writeback.Options{Mode: writeback.Writes, WriteBack: soon, Gate: writeback.NewGate(4)}, faults})
}

// TestRandomHistories compares the tree with a model. FERRY_MODEL_MINUTES lets it run for longer,
// FERRY_MODEL_SEED repeats a history.
func TestRandomHistories(t *testing.T) {
	minutes, _ := strconv.ParseFloat(os.Getenv("FERRY_MODEL_MINUTES"), 64)
	end := time.Now().Add(time.Duration(minutes * float64(time.Minute)))
	seed := rand.Uint64()
	if s := os.Getenv("FERRY_MODEL_SEED"); s != "" {
		seed, _ = strconv.ParseUint(s, 10, 64)
	}
	for round := 0; round < 4 || time.Now().Before(end); round++ {
		for _, w := range weathers() {
			t.Run(fmt.Sprintf("%s %d", w.name, seed), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) { playHistory(t, w, seed, nil) })
			})
			if t.Failed() {
				return
			}
		}
		seed++
	}
}

// playHistory plays 60 operations, lets everything reach the remote, and looks there. over makes
// the remote; nil = it is one in memory.
func playHistory(t *testing.T, w weather, seed uint64, over func() remote.Remote) {
	p := &player{rig: newRigAt(t, w.c, &rig{disk: disktest.New(), over: over}), m: model{}, rand: rand.New(rand.NewPCG(seed, 0))}
	defer func() { p.stop() }()
	for range 60 {
		p.play()
		w.between(p)
		p.check(p.fs.top, "the tree")
	}
	p.faults.Heal()
	p.flush()
	p.check(p.files, "the remote")
	if lost, err := p.fs.Refused(); err != nil || len(lost) > 0 {
		p.fail("the remote refused %+v, %v", lost, err)
	}
}
