package writeback

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"ferry/cache"
	"ferry/remote"
)

// picture builds a pending of records given as "kind name removes...", the oldest first.
type picture struct {
	*pending
	seq uint64
}

func newPicture(fold bool) *picture { return &picture{pending: newPending(fold)} }

func (p *picture) put(kind cache.Kind, name string, removes ...string) *change {
	p.seq++
	c := newChange(cache.Record{ID: fmt.Sprint(p.seq), Seq: p.seq, Kind: kind, Name: name, Size: 1, Removes: removes}, time.Time{})
	p.add(c)
	return c
}

func (p *picture) wantLook(t *testing.T, name string, want state, by *change) {
	t.Helper()
	if got, c := p.look(name); got != want || c != by {
		t.Errorf("look(%q) = %v, %v; want %v, %v", name, got, c, want, by)
	}
}

func (p *picture) wantChildren(t *testing.T, dir, want string) {
	t.Helper()
	var got []string
	for _, c := range p.children(dir).all() {
		if c.state == unknown {
			continue
		}
		got = append(got, c.name+":"+[]string{"unknown", "file", "moved", "dir", "gone", "underFile"}[c.state])
	}
	slices.Sort(got)
	if s := strings.Join(got, " "); s != want {
		t.Errorf("%q holds %q, want %q", dir, s, want)
	}
}

func TestWhatWaitsIsThere(t *testing.T) {
	p := newPicture(false)
	f := p.put(cache.File, "a/b/f")
	gone := p.put(cache.Removed, "a/old")
	dir := p.put(cache.Dir, "d")
	moved := p.put(cache.File, "new", "tmp")
	p.wantLook(t, "a/b/f", isFile, f)
	p.wantLook(t, "a/b", isDir, nil)
	p.wantLook(t, "a", isDir, nil)
	p.wantLook(t, "a/other", unknown, nil)
	p.wantLook(t, "a/b/f/x", underFile, f)
	p.wantLook(t, "a/old", isDeleted, gone)
	p.wantLook(t, "a/old/x", isDeleted, nil)
	p.wantLook(t, "d", isDir, dir)
	p.wantLook(t, "d/x", unknown, nil)
	p.wantLook(t, "new", isFile, moved)
	p.wantLook(t, "tmp", isDeleted, moved)
	p.wantLook(t, ".", isDir, nil)
	p.wantChildren(t, ".", "a:dir d:dir new:file tmp:gone")
	p.wantChildren(t, "a", "b:dir old:gone")
	p.wantChildren(t, "a/b", "f:file")
	p.wantChildren(t, "none", "")
	if p.bytes != 2 {
		t.Errorf("%d bytes wait", p.bytes)
	}
}

func TestTheNewestChangeCounts(t *testing.T) {
	p := newPicture(false)
	moved := p.put(cache.File, "b", "a")
	again := p.put(cache.File, "a")
	p.wantLook(t, "a", isFile, again)
	if got := p.inherited(moved); len(got) != 0 {
		t.Errorf("%v is the newer one's", got)
	}
	p.supersede(again)
	p.wantLook(t, "a", isDeleted, moved)
	if got := p.inherited(moved); !slices.Equal(got, []string{"a"}) {
		t.Errorf("%v", got)
	}
}

func TestADirectoryInThePlaceOfARemovedFile(t *testing.T) {
	p := newPicture(false)
	gone := p.put(cache.Removed, "a")
	f := p.put(cache.File, "a/f")
	p.wantLook(t, "a", isDir, nil)
	p.wantLook(t, "a/f", isFile, f)
	p.wantLook(t, "a/other", isDeleted, nil)
	if p.newest("a") != gone || p.conflicting(f) != gone || p.conflicting(gone) != nil {
		t.Error("the file has to be removed first")
	}
}

func TestWhatIsDeadSaysNothingButStaysInTheWay(t *testing.T) {
	p := newPicture(false)
	old := p.put(cache.File, "d/f")
	old.run = &run{}
	p.supersede(old)
	now := p.put(cache.File, "d/f")
	p.wantLook(t, "d/f", isFile, now)
	if p.conflicting(now) != old {
		t.Error("the run of the old one is not waited for")
	}
	old.run = nil
	p.detach(old)
	if p.conflicting(now) != nil {
		t.Error("the run of the old one is over")
	}
	p.supersede(now)
	if p.root.children.size() != 0 || p.root.below != 0 || p.bytes != 0 || p.changes.size() != 0 {
		t.Errorf("something is left: %+v", p.root)
	}
}

func TestOrderIsKeptWherePathsMeet(t *testing.T) {
	p := newPicture(false)
	dir := p.put(cache.Dir, "d")
	below := p.put(cache.File, "d/f")
	other := p.put(cache.File, "e")
	moved := p.put(cache.File, "x", "e")
	for c, want := range map[*change]*change{dir: nil, below: dir, other: nil, moved: other} {
		if got := p.conflicting(c); got != want {
			t.Errorf("%s waits for %v, want %v", c.rec.Name, got, want)
		}
	}
	below.run = &run{}
	if p.conflicting(dir) != below {
		t.Error("what is under way stays in the way of older ones too")
	}
}

func TestADirectoryIsRemovedAfterWhatRemovesSomethingInIt(t *testing.T) {
	p := newPicture(false)
	moved := p.put(cache.Moved, "f", "p/d/a")
	dir := p.put(cache.RemovedDir, "p/d")
	above := p.put(cache.RemovedDir, "p")
	p.supersede(moved)
	other := p.put(cache.File, "e")
	file := p.put(cache.File, "f", "p/d/a") // takes over what the rename had to remove
	for c, want := range map[*change]*change{dir: file, above: dir, other: nil, file: nil} {
		if got := p.conflicting(c); got != want {
			t.Errorf("%s waits for %v, want %v", c.rec.Name, got, want)
		}
	}
	p.supersede(file)
	if p.conflicting(dir) != nil || p.conflicting(above) != dir {
		t.Error("the lower one of two directories goes first")
	}
}

func TestNamesThatDifferInCaseAreOneWhereTheRemoteSaysSo(t *testing.T) {
	p := newPicture(true)
	c := p.put(cache.File, "Dir/File", "dir/file")
	p.wantLook(t, "dIR/fILE", isFile, c)
	p.wantChildren(t, "DIR", "File:file")
	if got := p.names(c); len(got) != 1 {
		t.Errorf("it touches %v", got)
	}
}

// TestThePictureOfRandomHistories compares pending with a list that is searched from its end.
func TestThePictureOfRandomHistories(t *testing.T) {
	seed := rand.Uint64()
	r := rand.New(rand.NewPCG(seed, 0))
	names := []string{"a", "b", "a/x", "a/y", "b/x/y", "a/x/y", "b/x"}
	p := newPicture(false)
	var alive []*change
	for range 3000 {
		if len(alive) > 0 && r.IntN(3) == 0 {
			i := r.IntN(len(alive))
			p.supersede(alive[i])
			alive = slices.Delete(alive, i, i+1)
		} else {
			var removes []string
			if r.IntN(3) == 0 {
				removes = []string{names[r.IntN(len(names))]}
			}
			alive = append(alive, p.put(cache.Kind(r.IntN(5)), names[r.IntN(len(names))], removes...))
		}
		if len(alive) > 6 {
			p.supersede(alive[0])
			alive = alive[1:]
		}
		for _, name := range names {
			want := slowLook(alive, name)
			if got, _ := p.look(name); got != want {
				t.Fatalf("seed %d: look(%q) = %v, want %v", seed, name, got, want)
			}
		}
	}
	for _, c := range alive {
		p.supersede(c)
	}
	if p.root.children.size() != 0 || p.root.below != 0 {
		t.Errorf("seed %d: something is left", seed)
	}
}

func slowLook(alive []*change, name string) state {
	own := slowOwn(alive, name)
	above := unknown
	for dir, _ := remote.Split(name); dir != "."; dir, _ = remote.Split(dir) {
		switch slowOwn(alive, dir) {
		case isFile, isMoved:
			above = underFile
		case isDeleted:
			if above != underFile {
				above = isDeleted
			}
		}
	}
	below := slices.ContainsFunc(alive, func(c *change) bool {
		if !remote.Below(c.rec.Name, name) {
			return false
		}
		st := slowOwn(alive, c.rec.Name)
		return st == isFile || st == isMoved || st == isDir
	})
	switch {
	case above == underFile:
		return underFile
	case own == isFile || own == isMoved || own == isDir:
		return own
	case below:
		return isDir
	case own == isDeleted || above == isDeleted:
		return isDeleted
	}
	return unknown
}

func slowOwn(alive []*change, name string) state {
	for _, c := range slices.Backward(alive) {
		switch {
		case c.rec.Name == name:
			return []state{isFile, isDeleted, isDir, isMoved, isDeleted}[c.rec.Kind]
		case slices.Contains(c.rec.Removes, name):
			return isDeleted
		}
	}
	return unknown
}
