package rc

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"testing"
	"time"
)

func (l *livelyTree) Refused() ([]Refused, error) {
	return []Refused{{ID: "7", Name: "a:b", Size: 3, Since: time.Unix(0, 0).UTC(), Reason: "the name is bad"}}, nil
}

func (l *livelyTree) Retry(id string) error { return l.on("retry", id) }

func (l *livelyTree) Drop(id string) error { return l.on("drop", id) }

func (l *livelyTree) Export(id, to string) error { return l.on("export to "+to, id) }

func (l *livelyTree) on(what, id string) error {
	if id != "7" {
		return fs.ErrNotExist
	}
	l.asked = append(l.asked, what+" "+id)
	return nil
}

func TestFlush(t *testing.T) {
	plain := newServer(t, Options{NoAuth: true, Calls: VFSCalls(These(&fakeTree{name: "p"}))})
	if w := (request{target: "/vfs/flush"}).do(plain); w.Code != 400 {
		t.Errorf("without a cache: %d %s", w.Code, w.Body)
	}
	tree := &livelyTree{fakeTree: fakeTree{name: "l", fails: map[string]error{"bad": errors.New("quota exceeded")}}}
	s := newServer(t, Options{NoAuth: true, Calls: VFSCalls(These(tree))})
	for target, status := range map[string]int{
		"/vfs/flush":             200,
		"/vfs/flush?path=/a/b/":  200,
		"/vfs/flush?path=a/../b": 400,
		"/vfs/flush?path=bad":    500,
	} {
		if w := (request{target: target}).do(s); w.Code != status {
			t.Errorf("%s: %d %s", target, w.Code, w.Body)
		}
	}
	slices.Sort(tree.asked)
	if got, want := fmt.Sprint(tree.asked), `[flush "." flush "a/b" flush "bad"]`; got != want {
		t.Errorf("asked for %s, want %s", got, want)
	}
}

func TestRefusedFiles(t *testing.T) {
	plain := newServer(t, Options{NoAuth: true, Calls: RefusedCalls(These(&fakeTree{name: "p"}))})
	wantJSON(t, request{target: "/cache/ls"}.do(plain), 200, `{"refused":[]}`)
	if w := (request{target: "/cache/drop?id=7"}).do(plain); w.Code != 400 {
		t.Errorf("without a cache: %d %s", w.Code, w.Body)
	}
	tree := &livelyTree{fakeTree: fakeTree{name: "l"}}
	s := newServer(t, Options{NoAuth: true, Calls: RefusedCalls(These(tree))})
	wantJSON(t, request{target: "/cache/ls"}.do(s), 200,
		`{"refused":[{"id":"7","name":"a:b","reason":"the name is bad","since":"1970-01-01T00:00:00Z","size":3}]}`)
	for target, status := range map[string]int{
		"/cache/retry?id=7":          200,
		"/cache/drop?id=7":           200,
		"/cache/export?id=7&to=/x/y": 200,
		"/cache/export?id=7":         400,
		"/cache/drop":                400,
		"/cache/retry?id=8":          500,
		"/cache/retry":               400,
	} {
		if w := (request{target: target}).do(s); w.Code != status {
			t.Errorf("%s: %d %s", target, w.Code, w.Body)
		}
	}
	wantJSON(t, request{target: "/cache/retry?all=true"}.do(s), 200, `{"retried":["7"],"left":{}}`)
	if w := (request{target: "/cache/retry?all=true"}).do(plain); w.Code != 400 {
		t.Errorf("without a cache: %d %s", w.Code, w.Body)
	}
	slices.Sort(tree.asked)
	if got, want := fmt.Sprint(tree.asked), "[drop 7 export to /x/y 7 retry 7 retry 7]"; got != want {
		t.Errorf("asked for %s, want %s", got, want)
	}
}
