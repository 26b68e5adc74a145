package clustertest_test

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"ferry/cluster"
	"ferry/cluster/clustertest"
)

func TestSentences(t *testing.T) {
	clustertest.Run(t, synctest.Test, func(*testing.T) clustertest.Lab { return clustertest.ServerLab{Server: clustertest.New()} })
}

func TestNodesFailByThemselves(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := clustertest.New()
		a, b, ctx := s.Node(), s.Node(), t.Context()
		a.Cut(true)
		if err := a.Publish(ctx, "s", nil); !errors.Is(err, cluster.ErrAway) {
			t.Errorf("a node that is cut off: %v", err)
		}
		a.Cut(false)
		b.LoseAnswers(1)
		if _, err := b.Create(ctx, "b", "k", []byte("x"), 0); !errors.Is(err, cluster.ErrAway) {
			t.Errorf("an answer that was lost: %v", err)
		}
		if _, err := a.Get(ctx, "b", "k"); err != nil {
			t.Errorf("the change was not made: %v", err)
		}
	})
}

func TestMessagesComeLateTwiceAndNotAtAll(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := clustertest.New()
		a, b := s.Node(), s.Node()
		b.Delay(time.Minute)
		b.Twice(true)
		begun := time.Now()
		publish := func(text string) {
			if err := a.Publish(t.Context(), "s", []byte(text)); err != nil {
				t.Fatal(err)
			}
		}
		var got []string
		for m, err := range b.Subscribe(t.Context(), "s") {
			if err != nil {
				t.Fatal(err)
			}
			if m.Gap {
				got = append(got, "gap")
			} else {
				got = append(got, string(m.Data))
			}
			switch len(got) {
			case 1:
				publish("one")
			case 3:
				if late := time.Since(begun); late != time.Minute {
					t.Errorf("the message came after %v", late)
				}
				publish("two")
				s.Forget("s")
				publish("three")
			}
			if len(got) == 6 {
				break
			}
		}
		want := []string{"gap", "one", "one", "gap", "three", "three"}
		for i := range want {
			if got[i] != want[i] {
				t.Fatalf("messages %q, want %q", got, want)
			}
		}
	})
}
