package remote_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"

	"ferry/remote"
	"ferry/remote/driver/memory"
)

// runner notes that it runs, over a remote that may be one too.
type runner struct {
	remote.Forward
	running *int
	err     error
}

func (r *runner) Run(ctx context.Context) error {
	*r.running++
	if r.err != nil {
		return r.err
	}
	<-ctx.Done()
	*r.running--
	return nil
}

// idle is a decorator that has no work.
type idle struct{ remote.Forward }

func TestRunRunsAllThatARemoteIsMadeOf(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var a, b, c int
		over := func(r remote.Remote, n *int, err error) remote.Remote {
			return &runner{remote.Forward{Remote: r}, n, err}
		}
		broken := errors.New("broken")
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() {
			ended <- remote.Run(ctx, over(idle{remote.Forward{Remote: over(memory.New(), &a, nil)}}, &c, nil), over(memory.New(), &b, broken))
		}()
		synctest.Wait()
		if a != 1 || b != 1 || c != 1 {
			t.Errorf("running: %d, %d, %d", a, b, c)
		}
		cancel()
		if err := <-ended; !errors.Is(err, broken) || a != 0 || c != 0 {
			t.Errorf("%v; running: %d, %d", err, a, c)
		}
		if err := remote.Run(t.Context(), idle{remote.Forward{Remote: memory.New()}}); err != nil {
			t.Errorf("where there is no work: %v", err)
		}
	})
}
