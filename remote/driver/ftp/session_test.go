package ftp

import (
	"context"
	"errors"
	"testing"
)

// watched returns a session, and a context whose end has begun to end it when end returns: it stays
// begun until the test ends.
func watched(t *testing.T) (s *session, ctx context.Context, end func()) {
	t.Helper()
	life, over := context.WithCancel(context.Background())
	ctx, cancel := context.WithCancel(context.Background())
	begun, released, first := make(chan struct{}), make(chan struct{}), make(chan struct{}, 1)
	first <- struct{}{}
	done := make(chan struct{})
	s = &session{ended: life.Done()}
	s.abort = func() {
		select {
		case <-first: // that of ctx
			defer close(done)
			close(begun)
			<-released
		default:
		}
		over()
	}
	end = func() {
		cancel()
		<-begun
	}
	t.Cleanup(func() {
		close(released)
		<-done
	})
	return s, ctx, end
}

func TestASessionWhoseEndIsOnItsWayIsBroken(t *testing.T) {
	failure := errors.New("failure")
	for what, result := range map[string]error{"a call that fails": failure, "one that succeeds": nil} {
		s, ctx, end := watched(t)
		err := s.during(ctx, func() error {
			end()
			return result
		})
		if !s.broken() {
			t.Errorf("%s: the session may be used again", what)
		}
		if result != nil && !errors.Is(err, context.Canceled) || result == nil && err != nil {
			t.Errorf("%s: %v", what, err)
		}
	}
}

func TestASessionIsBrokenBehindAReaderWhoseContextHasEnded(t *testing.T) {
	s, ctx, end := watched(t)
	back := make(chan bool, 1)
	f := &reader{s: s, unwatch: s.watch(ctx), put: func(s *session) { back <- s.broken() }}
	end()
	if err := f.Close(); err != nil {
		t.Error(err)
	}
	if !<-back {
		t.Error("the session may be used again")
	}
}
