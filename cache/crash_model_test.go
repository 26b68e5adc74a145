package cache

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"ferry/disk/disktest"
)

// A claim is what a record promises, without what only the Store knows.
type claim struct {
	kind    Kind
	text    string
	removes string
	factsOf string // the first of what it removes, in a history
	origin  string // made of the text, in a history
	sent    string // as formatted; made of the text, in a history
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

// A history is a sequence of calls on one Store. Each call either happened, or did not, or was
// under way when the disk stopped.
type history struct {
	t          *testing.T
	s          *Store
	durability Durability
	wide       string // a name that is longer than a sector, so that headers can be torn, or a short one
	mixed      bool   // each other call has the other Durability
	seq        uint64
	now        promises
	next       promises // if the call under way happened
	wrote      map[partID][]string
	kept       map[string]bool // contents that were ever to be under a name: name + "=" + text
	ended      bool            // the disk has stopped
}

func newHistory(t *testing.T, s *Store, dur Durability) *history {
	h := &history{t: t, s: s, durability: dur, wrote: map[partID][]string{}, kept: map[string]bool{}}
	h.now = promises{waiting: map[string]waitingFile{}, lost: map[string]string{}, parts: map[partID]string{}}
	h.next = h.now
	return h
}

// call does one thing, and notes what it promises once it has succeeded. effect gets the promises
// to change.
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
		h.durability = Durability(h.seq % 2)
	}
	return h.seq
}

// write begins a draft and writes text, without an end.
func (h *history) write(b CreateOptions, text string) *Draft {
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

// store makes text the content of name; the ID is empty when the disk has stopped. The parts of bob
// are consumed.
func (h *history) store(b CreateOptions, text, whole string, removes ...string) string {
	d := h.write(b, text)
	var r Record
	seq := h.order()
	h.kept[b.Name+"="+whole] = true
	h.call(func() (err error) {
		r, err = d.Commit(h.t.Context(), Record{Name: b.Name, Removes: removes, FactsOf: first(removes), Origin: originOf(whole), Sent: sentOf(whole)}, h.durability)
		return err
	}, func(p *promises) {
		p.waiting[d.id] = waitingFile{seq: seq, name: b.Name, claim: claim{
			kind: File, text: whole, removes: strings.Join(removes, " "), factsOf: first(removes), origin: originOf(whole), sent: sentText(sentOf(whole)),
		}}
		delete(p.parts, partID{b.Name, b.Owner})
	})
	return r.ID
}

// originOf is the origin of a record with a content.
func originOf(text string) string { return "of " + text[:min(len(text), 20)] }

// sentOf is what was sent before a content, in a history.
func sentOf(text string) []Sent {
	if text == "" {
		return nil
	}
	return []Sent{{Size: int64(len(text)), ModTime: time.Unix(1, 2).UTC(), Version: "v"}}
}

// sentText formats what was sent, nothing as "".
func sentText(all []Sent) string {
	if len(all) == 0 {
		return ""
	}
	return fmt.Sprint(all)
}

// first is the first of some names, "" of none.
func first(names []string) string {
	if len(names) == 0 {
		return ""
	}
	return names[0]
}

func (h *history) drop(id string, dur Durability) {
	h.call(func() error { return h.s.Drop(id, dur) }, func(p *promises) { delete(p.waiting, id) })
}

func (h *history) add(kind Kind, name string) string {
	var r Record
	seq := h.order()
	// The ID is not known before, and need not be: claims are compared by name.
	key := fmt.Sprint("added ", seq)
	h.call(func() (err error) {
		r, err = h.s.Add(h.t.Context(), Record{Kind: kind, Name: name}, h.durability)
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
		_, err := h.s.Update(h.t.Context(), Record{
			ID: id, Name: to, Removes: removes, FactsOf: first(removes), Origin: h.now.waiting[id].origin, Sent: sentOf(h.now.waiting[id].text),
		}, h.durability)
		return err
	}, func(p *promises) {
		f := p.waiting[id]
		f.seq, f.name, f.removes, f.factsOf = seq, to, strings.Join(removes, " "), first(removes)
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
		p.waiting[id] = waitingFile{seq: seq, name: name, claim: claim{kind: File, text: p.lost[id], origin: originOf(p.lost[id]), sent: sentText(sentOf(p.lost[id]))}}
		delete(p.lost, id)
	})
}

func (h *history) done(id string, keep bool) {
	as := Fingerprint{Version: "v", Size: int64(len(h.now.waiting[id].text))}
	h.call(func() error { return h.s.Done(id, as, keep) }, func(p *promises) { delete(p.waiting, id) })
}

// evict removes what is clean.
func (h *history) evict() {
	h.call(func() error { h.s.quota.evictOwn(1 << 40); return nil }, func(*promises) {})
}

func (h *history) keep(b CreateOptions, text string) {
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
	a := h.store(CreateOptions{Name: wide, Owner: "bob"}, filled("a1", 3*page+5), filled("a1", 3*page+5))
	a2 := h.store(CreateOptions{Name: wide, Owner: "bob"}, filled("a2", page), filled("a2", page)) // overwritten
	h.drop(a, Spooled)
	a3 := h.store(CreateOptions{Name: wide, Record: a2, Off: page}, "more", filled("a2", page)+"more") // appended
	h.drop(a2, Spooled)
	h.rename(a3, "b"+wide, wide)
	h.rename(a3, "c", wide, "b"+wide)
	gone := h.store(CreateOptions{Name: "gone"}, "x", "x") // deleted
	h.drop(gone, Durable)
	h.add(Removed, "gone2")
	dir := h.add(Dir, "dir")
	bad := h.store(CreateOptions{Name: "bad:name"}, filled("bad", page+1), filled("bad", page+1))
	h.fail(bad)
	h.retry(bad, "bad:name")
	h.fail(bad)
	h.keep(CreateOptions{Name: "part", Owner: "bob"}, filled("p1", 2*page))
	h.keep(CreateOptions{Name: "part", Owner: "bob", Part: true, Off: 2 * page}, "continued")
	h.keep(CreateOptions{Name: "part", Owner: "bob", Part: true, Off: page + 1}, "otherwise")
	h.keep(CreateOptions{Name: "other", Owner: "eve"}, "kept and dropped")
	h.dropPart("other", "eve")
	h.store(CreateOptions{Name: "part", Owner: "bob", Part: true, Off: page}, "end", filled("p1", page)+"end")
	h.done(dir, false)
	h.done(a3, true)
	h.evict()
	h.store(CreateOptions{Name: "long", Owner: "eve"}, long, long)
	h.dropLost(bad)
	h.store(CreateOptions{Name: "c", Owner: "bob"}, "", "")
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
		f := waitingFile{seq: r.Seq, name: r.Name, claim: claim{
			kind: r.Kind, removes: strings.Join(r.Removes, " "), factsOf: r.FactsOf, origin: r.Origin, sent: sentText(r.Sent),
		}}
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
		if c.factsOf != "" {
			fmt.Fprintf(&b, ",facts of %s", c.factsOf)
		}
		if c.removes != "" {
			fmt.Fprintf(&b, ",removes %s", c.removes)
		}
	}
	for id, text := range p.lost {
		fmt.Fprintf(&b, " lost %s,%d bytes", id, len(text))
	}
	return b.String()
}
