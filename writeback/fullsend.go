package writeback

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"time"
)

const (
	// costlyBody is the size from which repeated sending of a content is costly.
	costlyBody = 16 << 20
	// maxFullSends is how often such a content is sent completely, without success, before it is
	// retried less often: up to maxFullSendDelay apart.
	maxFullSends     = 3
	maxFullSendDelay = time.Hour
)

// A fullSendError means that a content was sent completely, and that the remote did not confirm it.
type fullSendError struct {
	err   error
	times int // so far; 0 = not counted
}

func (e *fullSendError) Error() string { return e.prefix() + e.err.Error() }

func (e *fullSendError) Unwrap() error { return e.err }

// prefix returns the text before the cause.
func (e *fullSendError) prefix() string {
	if e.times < maxFullSends {
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

// failed classifies err, the result of sending r to a remote.
func (r *contentReader) failed(err error) error {
	switch {
	case err == nil:
		return nil
	case r.err != nil:
		return &contentError{r.err}
	case r.at.Load() >= max(r.Size(), costlyBody):
		return &fullSendError{err: err}
	}
	return err
}

// delayAfter returns the delay of c, guarded by Tree.mu, after an attempt that failed with err.
func (c *change) delayAfter(err error) time.Duration {
	var whole *fullSendError
	if !errors.As(err, &whole) {
		return backoff(c.tries)
	}
	c.fullSends++
	whole.times = c.fullSends
	if c.fullSends < maxFullSends {
		return backoff(c.tries)
	}
	d := min(maxDelay<<min(c.fullSends-maxFullSends+1, 16), maxFullSendDelay)
	return d/2 + rand.N(d/2)
}
