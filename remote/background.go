package remote

import (
	"context"
	"errors"
	"sync"
)

// A Runner has background work, such as keeping its own directory small. Whoever opens a remote
// decides whether to run it.
type Runner interface {
	// Run does the work until ctx ends; it must return before Close is called. An error means that
	// the work was given up; the remote continues to work without it.
	Run(ctx context.Context) error
}

// Run does the background work of remotes, and of all that they decorate, until ctx ends. It
// returns nil at once if there is none. A failure of one does not stop the others.
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
