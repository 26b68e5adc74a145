package cache

import (
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
)

// A worker does at random what a session may do, on names that nobody else uses, and knows what
// must be there.
type worker struct {
	t    *testing.T
	s    *Store
	r    *rand.Rand
	name string

	id, text string // the record that waits, if any
	refused  int
}

func (w *worker) must(err error) {
	if err != nil {
		w.t.Errorf("%s: %v", w.name, err)
	}
}

func (w *worker) step(i int) {
	durability := Durability(w.r.IntN(2))
	switch op := w.r.IntN(8); {
	case op <= 2 || w.id == "":
		w.store(i, durability)
	case op == 3:
		_, err := w.s.Update(w.t.Context(), Record{ID: w.id, Name: w.name, Removes: []string{fmt.Sprint(w.name, i)}}, durability)
		w.must(err)
	case op == 4:
		w.must(w.s.Drop(w.id, durability))
		w.id = ""
	case op == 5:
		w.must(w.s.Done(w.id, Fingerprint{Version: fmt.Sprint(i), Size: int64(len(w.text))}, w.r.IntN(2) == 0))
		w.id = ""
	case op == 6:
		w.must(w.s.Fail(w.id, errors.New("refused")))
		_, err := w.s.Retry(w.id)
		w.must(err)
	default:
		w.must(w.s.Fail(w.id, errors.New("refused")))
		w.id = ""
		w.refused++
	}
	if w.id != "" {
		w.read()
	}
}

// store replaces what waits, or continues it, or keeps a part and goes on with that.
func (w *worker) store(i int, durability Durability) {
	b := CreateOptions{Name: w.name, Owner: "bob"}
	old, head := w.id, ""
	if old != "" && w.r.IntN(2) == 0 {
		b.Record, b.Off = old, int64(w.r.IntN(len(w.text)+1))
		head = w.text[:b.Off]
	}
	d, err := w.s.Create(w.t.Context(), b)
	if err != nil {
		w.must(err)
		return
	}
	text := strings.Repeat(fmt.Sprint(w.name, i, "."), 1+w.r.IntN(3000))
	_, err = d.ReadFrom(strings.NewReader(text))
	w.must(err)
	if w.r.IntN(3) == 0 {
		w.must(d.Keep())
		d, err = w.s.Create(w.t.Context(), CreateOptions{Name: w.name, Owner: "bob", Part: true, Off: int64(len(head) + len(text))})
		if err != nil {
			w.must(err)
			return
		}
	}
	r, err := d.Commit(w.t.Context(), Record{Name: w.name}, durability)
	w.must(err)
	w.id, w.text = r.ID, head+text
	if old != "" {
		w.must(w.s.Drop(old, Spooled))
	}
}

func (w *worker) read() {
	c, err := w.s.OpenContent(w.id)
	if err != nil {
		w.must(err)
		return
	}
	defer c.Close()
	text, err := io.ReadAll(c.Section())
	if err != nil || string(text) != w.text {
		w.t.Errorf("%s has %d bytes instead of %d, %v", w.name, len(text), len(w.text), err)
	}
}

func TestManyAtATime(t *testing.T) {
	dir := t.TempDir()
	s := openReal(t, dir, Options{MaxSize: 8 * mebi})
	stop := running(t, s)
	workers := make([]*worker, 8)
	var wg sync.WaitGroup
	for i := range workers {
		w := &worker{t: t, s: s, r: rand.New(rand.NewPCG(1, uint64(i))), name: fmt.Sprint("file", i)}
		workers[i] = w
		wg.Go(func() {
			for n := range 60 {
				w.step(n)
			}
		})
	}
	wg.Wait()
	stop()
	closeStore(t, s)

	s = openReal(t, dir, Options{})
	defer closeStore(t, s)
	waiting, refused := 0, 0
	for _, w := range workers {
		w.s = s
		refused += w.refused
		if w.id != "" {
			waiting++
			w.read()
		}
	}
	lost, err := s.Lost()
	if n := len(s.Pending()); err != nil || n != waiting || len(lost) != refused {
		t.Errorf("%d wait instead of %d, %d are lost instead of %d, %v", n, waiting, len(lost), refused, err)
	}
	if st := s.Stats(); st.Drafts != (Usage{}) || st.Waiting.Files != waiting || st.Lost.Files != refused {
		t.Errorf("there is %+v", st)
	}
}
