package writeback

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"time"
)

const (
	// dearBody is from which size on it matters that a content is sent again and again.
	dearBody = 16 << 20
	// maxWholes is how often such a content is sent as a whole, and fails at the end, before it is
	// tried less often: up to maxWholeDelay apart.
	maxWholes     = 3
	maxWholeDelay = time.Hour
)

// wholeError means that a content was sent as a whole, and that the remote did not confirm it.
type wholeError struct {
	err   error
	times int // so far; 0 = it is not counted
}

func (e *wholeError) Error() string { return e.prefix() + e.err.Error() }

func (e *wholeError) Unwrap() error { return e.err }

// prefix is what is said before the cause.
func (e *wholeError) prefix() string {
	if e.times < maxWholes {
		return ""
	}
	return fmt.Sprintf("sent as a whole %d times, and not confirmed at the end, so it is tried less often: ", e.times)
}

// Seek implements io.Seeker.
func (r *contentReader) Seek(offset int64, whence int) (int64, error) {
	at, err := r.SectionReader.Seek(offset, whence)
	r.at.Store(at)
	return at, err
}

// failed is err, which a remote gave that r was sent to, with what is known of r.
func (r *contentReader) failed(err error) error {
	switch {
	case err == nil:
		return nil
	case r.err != nil:
		return &contentError{r.err}
	case r.at.Load() >= max(r.Size(), dearBody):
		return &wholeError{err: err}
	}
	return err
}

// delayAfter returns how long c, which is guarded by Tree.mu, waits after an attempt that failed
// with err.
func (c *change) delayAfter(err error) time.Duration {
	var whole *wholeError
	if !errors.As(err, &whole) {
		return backoff(c.tries)
	}
	c.wholes++
	whole.times = c.wholes
	if c.wholes < maxWholes {
		return backoff(c.tries)
	}
	d := min(maxDelay<<min(c.wholes-maxWholes+1, 16), maxWholeDelay)
	return d/2 + rand.N(d/2)
}
