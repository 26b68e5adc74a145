package remote

import (
	"context"
	"errors"
	"sync"
)

// A Runner has work that nobody waits for, such as keeping a directory of its own small. Whoever
// opens a remote runs it, or goes without that.
type Runner interface {
	// Run does the work until ctx ends, and has ended before Close is called. An error says that
	// the work was given up; the remote goes on as if there were none.
	Run(ctx context.Context) error
}

// Run does the background work of remotes, and of all that they decorate, until ctx ends. It
// returns nil at once where there is none. What fails does not keep the others from going on.
func Run(ctx context.Context, remotes ...Remote) error {
	var wg sync.WaitGroup
	var mu sync.Mutex
	var all error // guarded by mu
	for _, r := range remotes {
		for r != nil {
			if runner, ok := r.(Runner); ok {
				wg.Go(func() {
					err := runner.Run(ctx)
					mu.Lock()
					defer mu.Unlock()
					all = errors.Join(all, err)
				})
			}
			r = below(r)
		}
	}
	wg.Wait()
	return all
}
