package cache

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"testing"

	"ferry/disk/disktest"
)

// A claim is what a record promises, without what only the Store knows.
type claim struct {
	kind    Kind
	text    string
	removes string
}

// promises is what a Store has acknowledged.
type promises struct {
	waiting map[string]waitingFile // by ID
	lost    map[string]string      // content by ID
	parts   map[partID]string      // at least so much of each is there
}

type waitingFile struct {
	seq  uint64 // in the order of the calls
	name string
	claim
}

func (p promises) clone() promises {
	return promises{waiting: maps.Clone(p.waiting), lost: maps.Clone(p.lost), parts: maps.Clone(p.parts)}
}

// claims is what counts of the records that wait: the latest of each name.
func (p promises) claims() map[string]claim {
	files := slices.SortedFunc(maps.Values(p.waiting), func(a, b waitingFile) int { return int(a.seq) - int(b.seq) })
	claims := map[string]claim{}
	for _, f := range files {
		claims[f.name] = f.claim
	}
	return claims
}

// A history is a sequence of calls on one Store. Each call either happened, or did not, or was under way when the disk
// stopped.
type history struct {
	t     *testing.T
	s     *Store
	ack   Ack
	wide  string // a name that is longer than a sector, so that headers can be torn, or a short one
	mixed bool   // each other call has the other Ack
	seq   uint64
	now   promises
	next  promises // if the call under way happened
	wrote map[partID][]string
	kept  map[string]bool // contents that were ever to be under a name: name + "=" + text
	ended bool            // the disk has stopped
}

func newHistory(t *testing.T, s *Store, a Ack) *history {
	h := &history{t: t, s: s, ack: a, wrote: map[partID][]string{}, kept: map[string]bool{}}
	h.now = promises{waiting: map[string]waitingFile{}, lost: map[string]string{}, parts: map[partID]string{}}
	h.next = h.now
	return h
}

// call does one thing, and notes what it promises once it has succeeded. effect gets the promises to change.
func (h *history) call(do func() error, effect func(p *promises)) {
	if h.ended {
		return
	}
	h.next = h.now.clone()
	effect(&h.next)
	err := do()
	if errors.Is(err, disktest.ErrStopped) {
		h.ended = true
		return
	}
	if err != nil {
		h.t.Fatal(err)
	}
	effect(&h.now)
	h.next = h.now
}

func (h *history) order() uint64 {
	h.seq++
	if h.mixed {
		h.ack = Ack(h.seq % 2)
	}
	return h.seq
}

// write begins a draft and writes text, without an end.
func (h *history) write(b Begin, text string) *Draft {
	var d *Draft
	id := partID{b.Name, b.Owner}
	begin := func(p *promises) {
		if b.Part {
			p.parts[id] = p.parts[id][:b.Off]
		}
	}
	whole := h.now.parts[id][:min(b.Off, int64(len(h.now.parts[id])))] + text
	h.wrote[id] = append(h.wrote[id], whole)
	h.call(func() (err error) { d, err = h.s.Create(h.t.Context(), b); return err }, begin)
	h.call(func() error { _, err := io.WriteString(d, text); return err }, func(*promises) {})
	return d
}

// store makes text the content of name; the ID is empty when the disk has stopped. The parts of bob are consumed.
func (h *history) store(b Begin, text, whole string, removes ...string) string {
	d := h.write(b, text)
	var r Record
	seq := h.order()
	h.kept[b.Name+"="+whole] = true
	h.call(func() (err error) {
		r, err = d.Commit(h.t.Context(), Record{Name: b.Name, Removes: removes}, h.ack)
		return err
	}, func(p *promises) {
		p.waiting[d.id] = waitingFile{seq: seq, name: b.Name, claim: claim{kind: File, text: whole, removes: strings.Join(removes, " ")}}
		delete(p.parts, partID{b.Name, b.Owner})
	})
	return r.ID
}

func (h *history) drop(id string, a Ack) {
	h.call(func() error { return h.s.Drop(id, a) }, func(p *promises) { delete(p.waiting, id) })
}

func (h *history) add(kind Kind, name string) string {
	var r Record
	seq := h.order()
	// The ID is not known before, and need not be: claims are compared by name.
	key := fmt.Sprint("added ", seq)
	h.call(func() (err error) {
		r, err = h.s.Add(h.t.Context(), Record{Kind: kind, Name: name}, h.ack)
		return err
	}, func(p *promises) {
		if r.ID != "" {
			key = r.ID
		}
		p.waiting[key] = waitingFile{seq: seq, name: name, claim: claim{kind: kind}}
	})
	return r.ID
}

func (h *history) rename(id, to string, removes ...string) {
	seq := h.order()
	if f, ok := h.now.waiting[id]; ok {
		h.kept[to+"="+f.text] = true
	}
	h.call(func() error {
		_, err := h.s.Update(h.t.Context(), Record{ID: id, Name: to, Removes: removes}, h.ack)
		return err
	}, func(p *promises) {
		f := p.waiting[id]
		f.seq, f.name, f.removes = seq, to, strings.Join(removes, " ")
		p.waiting[id] = f
	})
}

func (h *history) fail(id string) {
	h.call(func() error { return h.s.Fail(id, errors.New("refused")) }, func(p *promises) {
		p.lost[id] = p.waiting[id].text
		delete(p.waiting, id)
	})
}

func (h *history) retry(id, name string) {
	seq := h.order()
	h.call(func() error { _, err := h.s.Retry(id); return err }, func(p *promises) {
		p.waiting[id] = waitingFile{seq: seq, name: name, claim: claim{kind: File, text: p.lost[id]}}
		delete(p.lost, id)
	})
}

func (h *history) done(id string, keep bool) {
	as := Fingerprint{Version: "v", Size: int64(len(h.now.waiting[id].text))}
	h.call(func() error { return h.s.Done(id, as, keep) }, func(p *promises) { delete(p.waiting, id) })
}

// evict removes what is clean.
func (h *history) evict() {
	h.call(func() error { h.s.room.evict(1 << 40); return nil }, func(*promises) {})
}

func (h *history) keep(b Begin, text string) {
	d := h.write(b, text)
	id := partID{b.Name, b.Owner}
	whole := ""
	if w := h.wrote[id]; len(w) > 0 {
		whole = w[len(w)-1]
	}
	h.call(func() error { return d.Keep() }, func(p *promises) { p.parts[id] = whole })
}

func (h *history) dropPart(name, owner string) {
	h.call(func() error { return h.s.DropPart(name, owner) }, func(p *promises) { delete(p.parts, partID{name, owner}) })
}

func (h *history) dropLost(id string) {
	h.call(func() error { return h.s.DropLost(id) }, func(p *promises) { delete(p.lost, id) })
}

// filled is a content of n bytes that no other one begins like.
func filled(label string, n int) string {
	return (label + strings.Repeat("-"+label, n/(len(label)+1)+1))[:n]
}

// play is the history that the crash tests interrupt everywhere.
func (h *history) play() {
	const page = disktest.PageSize
	wide := h.wide
	long := filled("long", describeAfter+page+1)
	a := h.store(Begin{Name: wide, Owner: "bob"}, filled("a1", 3*page+5), filled("a1", 3*page+5))
	a2 := h.store(Begin{Name: wide, Owner: "bob"}, filled("a2", page), filled("a2", page)) // overwritten
	h.drop(a, Spooled)
	a3 := h.store(Begin{Name: wide, Record: a2, Off: page}, "more", filled("a2", page)+"more") // appended
	h.drop(a2, Spooled)
	h.rename(a3, "b"+wide, wide)
	h.rename(a3, "c", wide, "b"+wide)
	gone := h.store(Begin{Name: "gone"}, "x", "x") // deleted
	h.drop(gone, Durable)
	h.add(Removed, "gone2")
	dir := h.add(Dir, "dir")
	bad := h.store(Begin{Name: "bad:name"}, filled("bad", page+1), filled("bad", page+1))
	h.fail(bad)
	h.retry(bad, "bad:name")
	h.fail(bad)
	h.keep(Begin{Name: "part", Owner: "bob"}, filled("p1", 2*page))
	h.keep(Begin{Name: "part", Owner: "bob", Part: true, Off: 2 * page}, "continued")
	h.keep(Begin{Name: "part", Owner: "bob", Part: true, Off: page + 1}, "otherwise")
	h.keep(Begin{Name: "other", Owner: "eve"}, "kept and dropped")
	h.dropPart("other", "eve")
	h.store(Begin{Name: "part", Owner: "bob", Part: true, Off: page}, "end", filled("p1", page)+"end")
	h.done(dir, false)
	h.done(a3, true)
	h.evict()
	h.store(Begin{Name: "long", Owner: "eve"}, long, long)
	h.dropLost(bad)
	h.store(Begin{Name: "c", Owner: "bob"}, "", "")
}

// check compares what a Store has after the crash with what was promised before.
func (h *history) check(s *Store) error {
	got, err := held(s)
	if err != nil {
		return err
	}
	if !reached(got, h.now) && !reached(got, h.next) {
		return fmt.Errorf("there is %v\nbut promised was %v\nor %v", brief(got), brief(h.now), brief(h.next))
	}
	for name, c := range got.claims() {
		if c.kind == File && !h.kept[name+"="+c.text] {
			return fmt.Errorf("nobody stored %s with %d bytes", name, len(c.text))
		}
	}
	return h.checkParts(got, true)
}

// reached reports whether got is what p promises, parts aside.
func reached(got, p promises) bool {
	return maps.Equal(got.claims(), p.claims()) && maps.Equal(got.lost, p.lost)
}

func (h *history) checkParts(got promises, durable bool) error {
	for id, text := range got.parts {
		if !slices.ContainsFunc(h.wrote[id], func(w string) bool { return strings.HasPrefix(w, text) }) {
			return fmt.Errorf("the part of %v has %d bytes that nobody wrote", id, len(text))
		}
	}
	for id, text := range h.now.parts {
		later, promised := h.next.parts[id]
		if durable && promised && len(got.parts[id]) < min(len(text), len(later)) {
			return fmt.Errorf("the part of %v has %d bytes, not %d", id, len(got.parts[id]), min(len(text), len(later)))
		}
	}
	return nil
}

// errBroken means that a file in lost/ has no header. Only spooled ones may come to that.
var errBroken = errors.New("lost is a damaged file")

// held reads everything that a Store has.
func held(s *Store) (promises, error) {
	got := promises{waiting: map[string]waitingFile{}, lost: map[string]string{}, parts: map[partID]string{}}
	read := func(open func(string) (*Content, error), id string) (string, error) {
		c, err := open(id)
		if err != nil {
			return "", err
		}
		text, err := io.ReadAll(c.Section())
		return string(text), errors.Join(err, c.Close())
	}
	for _, r := range s.Pending() {
		f := waitingFile{seq: r.Seq, name: r.Name, claim: claim{kind: r.Kind, removes: strings.Join(r.Removes, " ")}}
		if r.Kind == File {
			var err error
			if f.text, err = read(s.OpenContent, r.ID); err != nil {
				return got, err
			}
		}
		got.waiting[r.ID] = f
	}
	lost, err := s.Lost()
	if err != nil {
		return got, err
	}
	var broken error
	for _, l := range lost {
		if got.lost[l.ID], err = read(s.OpenLost, l.ID); err != nil {
			return got, err
		}
		if l.Damaged {
			broken = fmt.Errorf("%w: %s", errBroken, l.Reason)
		}
	}
	for _, in := range s.parts {
		for id := range in {
			f, err := s.disk.OpenFile(in[id].path, 0)
			if err != nil {
				return got, err
			}
			text := make([]byte, in[id].info.Size)
			n, err := f.ReadAt(text, dataStart)
			if err != nil && !errors.Is(err, io.EOF) {
				return got, err
			}
			got.parts[id] = string(text[:n])
			if err := f.Close(); err != nil {
				return got, err
			}
		}
	}
	return got, broken
}

func brief(p promises) string {
	var b strings.Builder
	for _, name := range slices.Sorted(maps.Keys(p.claims())) {
		c := p.claims()[name]
		fmt.Fprintf(&b, " %s:%v,%d bytes", name, c.kind, len(c.text))
		if c.removes != "" {
			fmt.Fprintf(&b, ",removes %s", c.removes)
		}
	}
	for id, text := range p.lost {
		fmt.Fprintf(&b, " lost %s,%d bytes", id, len(text))
	}
	return b.String()
}

// losses are the ways in which the crash tests lose.
func losses() map[string]func() disktest.Loss {
	all := map[string]func() disktest.Loss{"nothing": disktest.Nothing, "everything": disktest.Everything}
	for seed := range uint64(4) {
		all[fmt.Sprintf("some %d", seed)] = func() disktest.Loss { return disktest.Some(seed) }
	}
	return all
}

// interruptedBy plays a history on a new disk that stops at the n-th change. It returns false when there are fewer.
func interruptedBy(t *testing.T, n int, play func(h *history)) (*disktest.Disk, *history, bool) {
	d := disktest.New()
	s, err := Open(d, Options{})
	if err != nil {
		t.Fatal(err)
	}
	h := newHistory(t, s, Durable)
	d.StopAt(n, n%3)
	play(h)
	return d, h, h.ended
}

// interrupted plays the long history on a new disk, with acknowledgements of one kind or of both.
func interrupted(t *testing.T, n int, a Ack, mixed bool) (*disktest.Disk, *history, bool) {
	return interruptedBy(t, n, func(h *history) {
		h.ack, h.mixed, h.wide = a, mixed, filled("name", 3*disktest.SectorSize)
		if mixed {
			h.wide = "name" // so that they can survive what belongs to them
		}
		h.play()
	})
}

func reopen(d *disktest.Disk) (*Store, error) {
	s, err := Open(d, Options{})
	if err != nil {
		return nil, fmt.Errorf("open: %w", err)
	}
	if st := s.Stats(); st.Drafts.Files != 0 {
		return nil, fmt.Errorf("drafts are left: %+v", st)
	}
	known := map[string]bool{}
	for _, in := range s.parts {
		for _, pt := range in {
			known[pt.path] = true
		}
	}
	for _, name := range d.Files() {
		if strings.HasPrefix(name, tmpDir+"/") && !known[name] {
			return nil, fmt.Errorf("left is %s", name)
		}
	}
	return s, nil
}

func TestEveryInstantOfACrashKeepsWhatWasAcknowledged(t *testing.T) {
	for n := 1; ; n++ {
		d, h, stopped := interrupted(t, n, Durable, false)
		for name, loss := range losses() {
			after := d.Restart(loss())
			s, err := reopen(after)
			if err == nil {
				err = h.check(s)
			}
			if err != nil {
				t.Fatalf("stopped at change %d, lost %s: %v", n, name, err)
			}
			// A second crash, in the middle of recovery or behind it, loses nothing that the first one left.
			for m := 4 + n%4; m <= 16; m += 4 {
				twice := d.Restart(loss())
				twice.StopAt(m, 0)
				if _, err := Open(twice, Options{}); err != nil && !errors.Is(err, disktest.ErrStopped) {
					t.Fatalf("stopped at change %d, lost %s, stopped again at %d: %v", n, name, m, err)
				}
				s, err := reopen(twice.Restart(disktest.Some(uint64(n * m))))
				if err == nil {
					err = h.check(s)
				}
				if err != nil {
					t.Fatalf("stopped at change %d, lost %s, stopped again at %d: %v", n, name, m, err)
				}
			}
		}
		if !stopped {
			t.Logf("%d instants", n-1)
			return
		}
	}
}

func TestEveryInstantOfAKillKeepsWhatWasSpooled(t *testing.T) {
	for n := 1; ; n++ {
		d, h, stopped := interrupted(t, n, Spooled, false)
		s, err := reopen(d.Restart(disktest.Nothing()))
		if err == nil {
			err = h.check(s)
		}
		if err != nil {
			t.Fatalf("stopped at change %d: %v", n, err)
		}
		if !stopped {
			return
		}
	}
}

func TestALossOfPowerNeverBreaksWhatWasSpooled(t *testing.T) {
	for _, mixed := range []bool{false, true} {
		for n := 1; ; n++ {
			d, h, stopped := interrupted(t, n, Spooled, mixed)
			for seed := range uint64(24) {
				loss := disktest.Everything()
				if seed > 0 {
					loss = disktest.Some(seed)
				}
				if err := h.checkUnbroken(t, d.Restart(loss)); err != nil {
					t.Fatalf("stopped at change %d, lost %d (mixed: %t): %v", n, seed, mixed, err)
				}
			}
			if !stopped {
				break
			}
		}
	}
}

// checkUnbroken makes sure that nothing would be sent that nobody stored.
func (h *history) checkUnbroken(t *testing.T, d *disktest.Disk) error {
	s, err := Open(d, Options{})
	if err != nil {
		return err
	}
	for _, r := range s.Pending() {
		if r.Kind != File {
			continue
		}
		if got := contentOf(t, s, r.ID); !h.kept[r.Name+"="+got] {
			return fmt.Errorf("%s would be sent with %d bytes that nobody stored", r.Name, len(got))
		}
	}
	got, err := held(s)
	if err != nil && !errors.Is(err, errBroken) {
		return err
	}
	return h.checkParts(got, false)
}

// What a process finds that was killed before may not be synced. What it builds upon that is.
func TestEveryInstantOfAKillAndALossOfPower(t *testing.T) {
	wide := filled("name", 3*disktest.SectorSize)
	for n := 1; ; n++ {
		d, first, stopped := interruptedBy(t, n, func(h *history) {
			a := h.store(Begin{Name: "a" + wide}, filled("text", 5*disktest.SectorSize), filled("text", 5*disktest.SectorSize))
			h.rename(a, "b"+wide)
			h.rename(a, "c"+wide)
		})
		for m := 1; ; m++ {
			killed := d.Restart(disktest.Nothing())
			s, err := reopen(killed)
			if err != nil {
				t.Fatal(err)
			}
			second := newHistory(t, s, Durable)
			if second.now, err = held(s); err != nil {
				t.Fatal(err)
			}
			second.seq, second.kept = 100, first.kept
			killed.StopAt(m, m%2)
			for id := range second.now.waiting {
				second.rename(id, "d"+wide)
			}
			for seed := range uint64(12) {
				s, err := reopen(killed.Restart(disktest.Some(seed)))
				if err == nil {
					err = second.checkNames(s, "a"+wide, "b"+wide, "c"+wide)
				}
				if err != nil {
					t.Fatalf("stopped at change %d, then at %d, seed %d: %v", n, m, seed, err)
				}
			}
			if !second.ended {
				break
			}
		}
		if !stopped {
			return
		}
	}
}

// checkNames compares what waits with what was promised; a rename that was not acknowledged may have gone back to one of
// the names before.
func (h *history) checkNames(s *Store, before ...string) error {
	got, err := held(s)
	if err != nil || reached(got, h.now) || reached(got, h.next) {
		return err
	}
	if h.ended && len(got.waiting) == len(h.now.waiting) {
		for _, f := range got.waiting {
			if !slices.Contains(before, f.name) || !h.kept[f.name+"="+f.text] {
				return fmt.Errorf("there is %v", brief(got))
			}
		}
		return nil
	}
	return fmt.Errorf("there is %v\nbut promised was %v", brief(got), brief(h.now))
}
