package handover

import (
	"errors"
	"sync"
)

// takeAtOnce is how many requests are made at a time for records that are taken: as many as for
// records that are given. Of records whose order matters one is taken at a time.
const takeAtOnce = 8

// severally calls do for 0 up to n-1, several at a time, and returns the errors.
func severally(n int, do func(i int) error) error {
	errs := make([]error, n)
	places := make(chan struct{}, takeAtOnce)
	var wg sync.WaitGroup
	for i := range n {
		places <- struct{}{}
		wg.Go(func() {
			defer func() { <-places }()
			errs[i] = do(i)
		})
	}
	wg.Wait()
	return errors.Join(errs...)
}
