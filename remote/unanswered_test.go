package remote_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"ferry/remote"
)

func TestCommittedOutlivesItsContextForAWhile(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cause := errors.New("called off")
		ctx, cancel := context.WithCancelCause(t.Context())
		committed, release := remote.Committed(ctx)
		defer release()
		cancel(cause)
		time.Sleep(remote.AnswerTime - time.Millisecond)
		if committed.Err() != nil {
			t.Fatal("it ended before AnswerTime was over")
		}
		time.Sleep(2 * time.Millisecond)
		if !errors.Is(context.Cause(committed), cause) {
			t.Fatalf("its cause is %v", context.Cause(committed))
		}
	})
}

func TestNothingIsCommittedAfterTheEnd(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	committed, release := remote.Committed(ctx)
	defer release()
	if committed.Err() == nil {
		t.Fatal("a request may begin after its context has ended")
	}
}

func TestUnansweredReachesWhoAsked(t *testing.T) {
	n := 0
	ctx := remote.WithUnanswered(t.Context(), func() { n++ })
	committed, release := remote.Committed(ctx)
	defer release()
	remote.Unanswered(committed)
	remote.Unanswered(t.Context())
	if n != 1 {
		t.Fatalf("reported %d times", n)
	}
}
