package elsewhere

import "encoding/json"

// pieces are the values of one place. A file stays in its piece: files that come together mostly go
// together, so that few values change at a time.
type pieces struct {
	place  string
	all    [maxPieces]*piece // nil = there is no such value
	in     map[string]*piece // by the name of a file
	untold int               // files that have no room
	round  uint64            // of looking what waits
}

// A piece is one value.
type piece struct {
	key   string
	files map[string]told
	size  int  // INVARIANT: the length of the files
	grown bool // there are files that were not written yet
	dirty bool // it is to be written
}

// told is a file in a piece.
type told struct {
	file
	length int
	round  uint64 // when it was seen last
}

func newPieces(place string) *pieces { return &pieces{place: place, in: map[string]*piece{}} }

// begin begins to look what waits.
func (p *pieces) begin() {
	p.round++
	p.untold = 0
}

// note notes that a file waits. take tells whether there may be one piece more.
func (p *pieces) note(name string, f file, node string, take func() bool) {
	if in := p.in[name]; in != nil {
		t := in.files[name]
		if t.Size != f.Size || t.Time != f.Time {
			in.size -= t.length
			t.file, t.length = f, f.length()
			in.size += t.length
			in.dirty = true
		}
		t.round = p.round
		in.files[name] = t
		return
	}
	t := told{f, f.length(), p.round}
	to := p.roomFor(t.length, node, take)
	if to == nil {
		p.untold++
		return
	}
	to.add(name, t)
	p.in[name] = to
}

func (in *piece) add(name string, t told) {
	in.files[name] = t
	in.size += t.length
	in.dirty, in.grown = true, true
}

// roomFor returns a piece in which there is room for so many bytes, nil if there is none.
func (p *pieces) roomFor(length int, node string, take func() bool) *piece {
	most := maxValue - len(p.place) - len(node) - headLength
	free := -1
	for i, in := range p.all {
		switch {
		case in != nil && in.size+length <= most:
			return in
		case in == nil && free < 0:
			free = i
		}
	}
	if free < 0 || length > most || !take() {
		return nil
	}
	in := &piece{key: keyOf(p.place, node, free), files: map[string]told{}}
	p.all[free] = in
	return in
}

// headLength is more than a value has besides its texts and files.
const headLength = 200

// end ends looking: what was not noted waits no more.
func (p *pieces) end() {
	for name, in := range p.in {
		if t := in.files[name]; t.round != p.round {
			delete(in.files, name)
			delete(p.in, name)
			in.size -= t.length
			in.dirty = true
		}
	}
}

// adopt takes over what an earlier process of this node has told.
func (p *pieces) adopt(i int, key string, files []file) {
	in := &piece{key: key, files: map[string]told{}}
	for _, f := range files {
		if name := f.name(); p.in[name] == nil {
			in.add(name, told{f, f.length(), p.round})
			p.in[name] = in
		}
	}
	in.dirty, in.grown = true, false
	p.all[i] = in
}

// abandon forgets the files of a piece.
func (p *pieces) abandon(in *piece) {
	for name := range in.files {
		delete(p.in, name)
	}
	clear(in.files)
}

// encode returns a piece as a value, nil if there is nothing in it.
func (in *piece) encode(place, node string, run int64) []byte {
	if len(in.files) == 0 {
		return nil
	}
	v := value{Version: version, Node: node, Run: run, Place: place, Files: make([]file, 0, len(in.files))}
	for _, t := range in.files {
		v.Files = append(v.Files, t.file)
	}
	text, err := json.Marshal(v)
	if err != nil {
		panic(err) // numbers and strings
	}
	return text
}
