package clustertest

import (
	"context"
	"fmt"
	"testing"

	"ferry/cluster"
)

func messageSentences() []sentence {
	return []sentence{
		{"messages reach every node in order", testMessages},
		{"what was published before is not yielded", testBefore},
		{"subjects do not mix", testSubjects},
		{"after the engine was away all goes on", testAway},
		{"after the engine lost all there is a gap", testLost},
		{"a node begins while the engine is away", testBeginAway},
	}
}

func subscribe(t *testing.T, e cluster.Engine, subject string) *reader[cluster.Message] {
	t.Helper()
	r := read(t, func(ctx context.Context) func(func(cluster.Message, error) bool) { return e.Subscribe(ctx, subject) })
	if m := r.next(t); !m.Gap {
		t.Errorf("the first message is %q, not a gap", m.Data)
	}
	return r
}

func publish(t *testing.T, e cluster.Engine, subject, text string) {
	t.Helper()
	if err := e.Publish(t.Context(), subject, []byte(text)); err != nil {
		t.Fatalf("publish %s: %v", text, err)
	}
}

func expectMessage(t *testing.T, r *reader[cluster.Message], want string) {
	t.Helper()
	if m := r.next(t); m.Gap || string(m.Data) != want {
		t.Errorf("message %q, gap: %v; want %q", m.Data, m.Gap, want)
	}
}

func testMessages(t *testing.T, l Lab) {
	a, b := l.Node(t), l.Node(t)
	ready(t, a)
	ready(t, b)
	readers := []*reader[cluster.Message]{subscribe(t, a, "s"), subscribe(t, b, "s")}
	for i := range 100 {
		publish(t, a, "s", fmt.Sprint(i))
	}
	for _, r := range readers {
		for i := range 100 {
			expectMessage(t, r, fmt.Sprint(i))
		}
	}
}

// ready waits until the engine is reached.
func ready(t *testing.T, e cluster.Engine) {
	t.Helper()
	eventually(t, "publish", func(ctx context.Context) error { return e.Publish(ctx, "ready", nil) })
}

func testBefore(t *testing.T, l Lab) {
	a := l.Node(t)
	ready(t, a)
	publish(t, a, "s", "before")
	r := subscribe(t, a, "s")
	publish(t, a, "s", "after")
	expectMessage(t, r, "after")
}

func testSubjects(t *testing.T, l Lab) {
	a := l.Node(t)
	ready(t, a)
	one, two := subscribe(t, a, "one"), subscribe(t, a, "two")
	publish(t, a, "one", "1")
	publish(t, a, "two", "2")
	publish(t, a, "one", "3")
	expectMessage(t, one, "1")
	expectMessage(t, one, "3")
	expectMessage(t, two, "2")
}

// published publishes until the engine takes it: it was away. It may have it twice then.
func published(t *testing.T, e cluster.Engine, text string) {
	t.Helper()
	eventually(t, "publish "+text, func(ctx context.Context) error { return e.Publish(ctx, "s", []byte(text)) })
}

// told reads until a message comes that was published before, or a gap, and then one that is
// published now: behind a gap none is left out.
func told(t *testing.T, e cluster.Engine, r *reader[cluster.Message], want string) (gap bool) {
	t.Helper()
	for _, want := range []string{want, want + " again"} {
		for {
			m := r.next(t)
			gap = gap || m.Gap
			if m.Gap || string(m.Data) == want {
				break
			}
		}
		published(t, e, want+" again")
	}
	return gap
}

func testAway(t *testing.T, l Lab) {
	a, b := l.Node(t), l.Node(t)
	ready(t, a)
	ready(t, b)
	r := subscribe(t, b, "s")
	publish(t, a, "s", "first")
	l.Stop(t)
	eventually(t, "the engine is not missed", func(ctx context.Context) error {
		switch err := a.Publish(ctx, "s", []byte("lost")); {
		case err == nil:
			return cluster.ErrConflict
		default:
			expectError(t, "publish while the engine is away", err, cluster.ErrAway)
		}
		_, err := a.Get(ctx, "b", "k")
		expectError(t, "get while the engine is away", err, cluster.ErrAway)
		return nil
	})
	l.Start(t, true)
	published(t, a, "second")
	told(t, a, r, "second")
}

func testLost(t *testing.T, l Lab) {
	a, b := l.Node(t), l.Node(t)
	ready(t, a)
	ready(t, b)
	r := subscribe(t, b, "s")
	for i := range 3 {
		publish(t, a, "s", fmt.Sprint(i))
	}
	for i := range 3 {
		expectMessage(t, r, fmt.Sprint(i))
	}
	l.Stop(t)
	l.Start(t, false)
	// As many as were seen before: their numbers are the same.
	for i := range 5 {
		published(t, a, fmt.Sprint("new ", i))
	}
	if !told(t, a, r, "new 4") {
		t.Error("the engine lost all, and there is no gap")
	}
}

func testBeginAway(t *testing.T, l Lab) {
	l.Stop(t)
	a := l.Node(t)
	expectError(t, "publish", a.Publish(t.Context(), "s", nil), cluster.ErrAway)
	r := read(t, func(ctx context.Context) func(func(cluster.Message, error) bool) { return a.Subscribe(ctx, "s") })
	l.Start(t, true)
	if m := r.next(t); !m.Gap {
		t.Errorf("the first message is %q, not a gap", m.Data)
	}
	published(t, a, "here")
	told(t, a, r, "here")
}
