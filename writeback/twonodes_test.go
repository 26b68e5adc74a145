package writeback

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"ferry/disk/disktest"
	"ferry/remote"
	"ferry/remote/driver/memory"
	"ferry/remote/wrap/faulty"
)

// Two nodes change the same names of one remote, as clients of each like, over a network that loses
// answers, and are killed. In the end each content that was acknowledged is on the remote, unless a
// later change of the same node, or one by a node that could see it, was meant for it. And no node
// keeps as another's what it has stored itself, and nobody else has changed since.
func TestTwoNodesLoseNothing(t *testing.T) {
	seeds := uint64(60)
	if n, err := strconv.ParseUint(os.Getenv("FERRY_TWO_NODES"), 10, 64); err == nil {
		seeds = n
	}
	for seed := range seeds {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				files := memory.New()
				h := &twoNodes{T: t, rand: rand.New(rand.NewPCG(seed, 15)), files: files, needed: map[string]string{}, by: map[string]string{}}
				for _, name := range []string{"a", "b"} {
					seen := witness{remote.Forward{Remote: files}, h, name}
					o := Options{Mode: Writes, WriteBack: 2 * time.Second, Conflict: KeepBoth, Gate: NewGate(4)}
					n := newRigBehind(t, o, name, files, seen)
					defer func() { n.stop() }()
					h.nodes = append(h.nodes, n)
				}
				for range 40 {
					h.step()
				}
				h.check()
			})
		})
	}
}

// twoNodes is a history of two nodes.
type twoNodes struct {
	*testing.T
	rand   *rand.Rand
	files  *memory.Remote
	nodes  []*rig
	needed map[string]string // contents that must be there in the end, and who has stored them
	made   []string          // all contents
	log    []string

	mu     sync.Mutex
	stored map[string][]string // guarded by mu; contents that the remote got during a step, by name
	by     map[string]string   // guarded by mu; the nodes that ever put a content under a name, by both
}

// A witness notes what the remote gets from a node.
type witness struct {
	remote.Forward
	h    *twoNodes
	node string
}

func (w witness) Put(ctx context.Context, name string, body io.Reader, o remote.PutOptions) (remote.Entry, error) {
	e, err := w.Forward.Put(ctx, name, body, o)
	w.look(ctx, name, err)
	return e, err
}

func (w witness) PutIf(
	ctx context.Context, name string, body io.Reader, version string, o remote.PutOptions,
) (remote.Entry, error) {
	e, err := w.Forward.PutIf(ctx, name, body, version, o)
	w.look(ctx, name, err)
	return e, err
}

func (w witness) Move(ctx context.Context, from, to string) error {
	err := w.Forward.Move(ctx, from, to)
	w.look(ctx, to, err)
	return err
}

func (w witness) SetModTime(ctx context.Context, name string, t time.Time) error {
	err := w.Forward.SetModTime(ctx, name, t)
	w.look(ctx, name, err)
	return err
}

func (w witness) look(ctx context.Context, name string, err error) {
	if err != nil {
		return
	}
	w.h.mu.Lock()
	defer w.h.mu.Unlock()
	if w.h.stored == nil {
		w.h.stored = map[string][]string{}
	}
	content := readFile(w.h.T, w.h.files, name)
	w.h.stored[name] = append(w.h.stored[name], content)
	if file := name + "=" + content; !strings.Contains(w.h.by[file], w.node) {
		w.h.by[file] += w.node
	}
	if ctx == context.Background() { // nobody waits for it any more: its change may be done, and forgotten
		w.h.by[name+"="+content] += " late"
	}
}

func (h *twoNodes) note(format string, args ...any) {
	h.log = append(h.log, time.Now().Format("05.000 ")+fmt.Sprintf(format, args...))
}

// step lets one node do something.
func (h *twoNodes) step() {
	n := h.nodes[h.rand.IntN(2)]
	name := string(rune('f' + h.rand.IntN(2)))
	ctx := h.Context()
	h.mu.Lock()
	h.stored = nil
	h.mu.Unlock()
	switch h.rand.IntN(13) {
	case 0, 1, 2, 3:
		content := fmt.Sprintf("%d of %s, %s", len(h.made), n.o.Node, strings.Repeat("x", h.rand.IntN(3)))
		h.made = append(h.made, content)
		h.release(n, name)
		n.upload(name, content)
		h.needed[content] = n.o.Node
		h.note("%s: %s = %s", n.o.Node, name, content)
	case 4:
		h.release(n, name)
		err := n.Remove(ctx, name)
		h.mu.Lock()
		for _, content := range h.stored[name] {
			delete(h.needed, content)
		}
		h.mu.Unlock()
		h.note("%s: remove %s: %v", n.o.Node, name, err)
	case 5:
		h.rename(n, name, string(rune('f'+h.rand.IntN(3))))
	case 6:
		h.note("%s: flush: %v", n.o.Node, n.Flush(ctx, "."))
	case 7, 8:
		f := faulty.Fault{Op: faulty.Put, Err: errNetwork}
		f.Late, f.Lost = h.rand.IntN(3) == 0, h.rand.IntN(3) == 0
		if f.Delayed = !f.Late && !f.Lost; f.Delayed {
			f.Until = time.Duration(h.rand.IntN(20_000)) * time.Millisecond
		}
		n.faults.Inject(f)
		h.note("%s: late %v, lost %v, delayed %v", n.o.Node, f.Late, f.Lost, f.Until)
	case 9:
		n.stop()
		n.disk = n.disk.Restart(disktest.Loss{})
		n.start()
		h.note("%s: killed", n.o.Node)
	case 10:
		t := time.Now().Add(-time.Duration(h.rand.IntN(int(time.Hour))))
		h.note("%s: time of %s: %v", n.o.Node, name, n.SetModTime(ctx, name, t))
	default:
		d := time.Duration(h.rand.IntN(4000)) * time.Millisecond
		h.note("%v", d)
		time.Sleep(d)
	}
	time.Sleep(time.Millisecond)
	synctest.Wait()
}

// rename renames a file, whose content then has another name.
func (h *twoNodes) rename(n *rig, from, to string) {
	if from == to {
		return
	}
	moves := n.sees(from)
	owner, needed := h.needed[moves]
	h.release(n, to)
	err := n.Rename(h.Context(), from, to) // which may have to wait, and replaces what is there then
	h.mu.Lock()
	for _, content := range h.stored[to] {
		if content != moves {
			delete(h.needed, content)
		}
	}
	at := slices.Index(h.stored[to], moves) // it may be there before what is renamed in the end
	replaced := at >= 0 && at < len(h.stored[to])-1
	h.mu.Unlock()
	h.note("%s: rename %s to %s: %v", n.o.Node, from, to, err)
	switch {
	case replaced:
		delete(h.needed, moves)
	case needed && moves != "":
		h.needed[moves] = owner
	}
}

// sees returns what a node shows under a name, "" for nothing.
func (b *rig) sees(name string) string {
	e, err := b.Stat(b.t.Context(), name)
	if err != nil {
		return ""
	}
	r, err := b.Open(b.t.Context(), name, 0, -1)
	if err != nil {
		return ""
	}
	r.Close()
	return readFile(b.t, b.Tree, e.Name)
}

// release notes that a node is about to replace or to remove what it shows under a name, and what
// the remote has there now.
func (h *twoNodes) release(n *rig, name string) {
	for _, r := range []remote.Remote{n.Tree, h.files} {
		if _, err := r.Stat(h.Context(), name); err == nil {
			if f, err := r.Open(h.Context(), name, 0, -1); err == nil {
				f.Close()
				delete(h.needed, readFile(h.T, r, name))
			}
		}
	}
}

// check lets everything arrive, and looks for what must be there.
func (h *twoNodes) check() {
	for _, n := range h.nodes {
		for n.faults.Deliver() > 0 {
			time.Sleep(time.Second)
		}
	}
	time.Sleep(2 * (doubtWindow + time.Minute))
	for _, n := range h.nodes {
		if w := n.Waiting(); w.Changes > 0 {
			h.Errorf("%s: %d changes wait, the last error is %v", n.o.Node, w.Changes, w.LastError)
		}
	}
	all := treeOf(h.T, h.files, ".")
	for content, owner := range h.needed {
		if !slices.ContainsFunc(all, func(file string) bool { return strings.HasSuffix(file, "="+content) }) {
			h.Errorf("%q, stored through %s, is lost", content, owner)
		}
	}
	for _, file := range all {
		name, content, _ := strings.Cut(file, "=")
		if !slices.Contains(h.made, content) {
			h.Errorf("%q is torn", file)
		}
		of, kept, isCopy := strings.Cut(name, ".conflict-")
		if node, _, _ := strings.Cut(kept, "-"); isCopy && h.by[of+"="+content] == node && strings.Contains(content, " of "+node) {
			h.Errorf("%q was kept beside by the node that has stored it, and alone put it there", file)
		}
	}
	if h.Failed() {
		h.Logf("the remote has\n\t%s\nafter\n\t%s", strings.Join(all, "\n\t"), strings.Join(h.log, "\n\t"))
	}
}
