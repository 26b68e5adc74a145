package clustertest

import (
	"context"
	"errors"
	"strconv"
	"sync"
	"testing"
	"time"

	"ferry/cluster"
)

func valueSentences() []sentence {
	return []sentence{
		{"a key has the value that was set last", testValues},
		{"of many who change a value one wins", testRace},
		{"values expire", testExpire},
		{"a watch tells all values and what changes", testWatch},
		{"a watch begins anew after the engine was away", testWatchAway},
		{"an empty value is a value", testEmpty},
	}
}

func create(t *testing.T, e cluster.Engine, key, text string, life time.Duration) uint64 {
	t.Helper()
	revision, err := e.Create(t.Context(), "b", key, []byte(text), life)
	if err != nil {
		t.Fatalf("create %s: %v", key, err)
	}
	return revision
}

func testValues(t *testing.T, l Lab) {
	a, b, ctx := l.Node(t), l.Node(t), t.Context()
	ready(t, a)
	ready(t, b)
	_, err := a.Get(ctx, "b", "k")
	expectError(t, "get what is not there", err, cluster.ErrNoValue)
	_, err = a.Update(ctx, "b", "k", []byte("x"), 1, 0)
	expectError(t, "update what is not there", err, cluster.ErrConflict)
	first := create(t, a, "k", "one", 0)
	_, err = b.Create(ctx, "b", "k", []byte("other"), 0)
	expectError(t, "create what is there", err, cluster.ErrConflict)
	second, err := b.Update(ctx, "b", "k", []byte("two"), first, 0)
	if err != nil || second <= first {
		t.Fatalf("update: revision %d after %d, %v", second, first, err)
	}
	_, err = a.Update(ctx, "b", "k", []byte("three"), first, 0)
	expectError(t, "update of an old revision", err, cluster.ErrConflict)
	if v, err := a.Get(ctx, "b", "k"); err != nil || v.Key != "k" || string(v.Data) != "two" || v.Revision != second {
		t.Errorf("get: %+v, %v", v, err)
	}
	_, err = a.Update(ctx, "b", "k", nil, first, 0)
	expectError(t, "remove an old revision", err, cluster.ErrConflict)
	if _, err := a.Update(ctx, "b", "k", nil, second, 0); err != nil {
		t.Errorf("remove: %v", err)
	}
	_, err = b.Get(ctx, "b", "k")
	expectError(t, "get what was removed", err, cluster.ErrNoValue)
	create(t, b, "k", "four", 0)
	_, err = a.Get(ctx, "other", "k")
	expectError(t, "get of another bucket", err, cluster.ErrNoValue)
	_, err = a.Get(ctx, "b", "not a key")
	if err == nil || errors.Is(err, cluster.ErrNoValue) || errors.Is(err, cluster.ErrAway) {
		t.Errorf("a key with blanks: %v", err)
	}
}

func testEmpty(t *testing.T, l Lab) {
	a := l.Node(t)
	ready(t, a)
	create(t, a, "k", "", 0)
	if v, err := a.Get(t.Context(), "b", "k"); err != nil || v.Data == nil || len(v.Data) != 0 {
		t.Errorf("get: %+v, %v", v, err)
	}
}

func testRace(t *testing.T, l Lab) {
	const nodes, each = 4, 10
	var wg sync.WaitGroup
	for range nodes {
		e := l.Node(t)
		ready(t, e)
		wg.Go(func() {
			for range each {
				increase(t, e)
			}
		})
	}
	wg.Wait()
	v, err := l.Node(t).Get(t.Context(), "b", "sum")
	if err != nil {
		eventually(t, "get", func(ctx context.Context) error { v, err = l.Node(t).Get(ctx, "b", "sum"); return err })
	}
	if string(v.Data) != strconv.Itoa(nodes*each) {
		t.Errorf("the sum is %s", v.Data)
	}
}

// increase adds one to a number.
func increase(t *testing.T, e cluster.Engine) {
	for {
		v, err := e.Get(t.Context(), "b", "sum")
		if errors.Is(err, cluster.ErrNoValue) {
			_, err = e.Create(t.Context(), "b", "sum", []byte("1"), 0)
		} else if err == nil {
			n, _ := strconv.Atoi(string(v.Data))
			_, err = e.Update(t.Context(), "b", "sum", []byte(strconv.Itoa(n+1)), v.Revision, 0)
		}
		if err == nil {
			return
		}
		if !errors.Is(err, cluster.ErrConflict) {
			t.Errorf("a change: %v", err)
			return
		}
	}
}

func testExpire(t *testing.T, l Lab) {
	a, ctx := l.Node(t), t.Context()
	ready(t, a)
	short := create(t, a, "short", "x", time.Second)
	create(t, a, "long", "x", time.Hour)
	prolonged := create(t, a, "prolonged", "x", time.Second)
	if _, err := a.Update(ctx, "b", "prolonged", []byte("y"), prolonged, time.Hour); err != nil {
		t.Fatal(err)
	}
	ending := create(t, a, "ending", "x", 0)
	ending, err := a.Update(ctx, "b", "ending", []byte("y"), ending, time.Second)
	if err != nil {
		t.Fatal(err)
	}
	values := watch(t, a)
	for _, key := range []string{"short", "ending"} {
		values.until(t, key, "")
		_, err := a.Get(ctx, "b", key)
		expectError(t, "get what has expired", err, cluster.ErrNoValue)
	}
	for _, key := range []string{"long", "prolonged"} {
		if _, err := a.Get(ctx, "b", key); err != nil {
			t.Errorf("get %s: %v", key, err)
		}
	}
	_, err = a.Update(ctx, "b", "ending", []byte("z"), ending, 0)
	expectError(t, "update what has expired", err, cluster.ErrConflict)
	if again := create(t, a, "short", "z", 0); again <= short {
		t.Errorf("revision %d after %d", again, short)
	}
}

// A watch of a test keeps what it was told.
type watched struct {
	*reader[cluster.Value]
	now map[string]string
}

func watch(t *testing.T, e cluster.Engine) watched {
	t.Helper()
	w := watched{read(t, func(ctx context.Context) func(func(cluster.Value, error) bool) { return e.Watch(ctx, "b") }), nil}
	w.begin(t)
	return w
}

// begin reads all values.
func (w *watched) begin(t *testing.T) {
	t.Helper()
	w.now = map[string]string{}
	for w.step(t) {
	}
}

// step reads a value, unless these were all.
func (w *watched) step(t *testing.T) bool {
	t.Helper()
	v := w.next(t)
	if v.Data == nil {
		delete(w.now, v.Key)
	} else {
		w.now[v.Key] = string(v.Data)
	}
	return v.Key != ""
}

// until reads until a key has a value; "" = none.
func (w *watched) until(t *testing.T, key, want string) {
	t.Helper()
	for w.now[key] != want {
		w.step(t)
	}
}

func testWatch(t *testing.T, l Lab) {
	a, b := l.Node(t), l.Node(t)
	ready(t, a)
	ready(t, b)
	create(t, a, "one", "1", 0)
	two := create(t, a, "two", "2", 0)
	create(t, a, "three", "3", 0)
	if _, err := a.Update(t.Context(), "b", "two", nil, two, 0); err != nil {
		t.Fatal(err)
	}
	w := watch(t, b)
	if len(w.now) != 2 || w.now["one"] != "1" || w.now["three"] != "3" {
		t.Errorf("the values at the beginning: %v", w.now)
	}
	two = create(t, a, "two", "new", 0)
	w.until(t, "two", "new")
	if _, err := a.Update(t.Context(), "b", "two", nil, two, 0); err != nil {
		t.Fatal(err)
	}
	w.until(t, "two", "")
}

func testWatchAway(t *testing.T, l Lab) {
	a := l.Node(t)
	ready(t, a)
	create(t, a, "one", "1", 0)
	w := watch(t, a)
	l.Stop(t)
	l.Start(t, false)
	for w.step(t) {
	}
	w.now = map[string]string{}
	eventually(t, "create", func(ctx context.Context) error {
		_, err := a.Create(ctx, "b", "two", []byte("2"), 0)
		return err
	})
	w.until(t, "two", "2")
	if _, err := a.Get(t.Context(), "b", "one"); !errors.Is(err, cluster.ErrNoValue) {
		t.Errorf("get what was lost: %v", err)
	}
}
