package network

import (
	"fmt"
	"io"
	"net/http"

	"ferry/remote"
)

// maxAnswer bounds answers of a store that are not the content of an object, as libraries read them
// into memory. The longest are pages of 5000 entries.
const maxAnswer = 16 << 20

// errEndless is the error of an answer longer than maxAnswer.
var errEndless = fmt.Errorf("%w: it has no end", remote.ErrMalformed)

// bound makes the body of an answer fail when it is too long.
func bound(answer *http.Response) {
	if answer.Body != nil && answer.Body != http.NoBody {
		answer.Body = &boundBody{Bounded: NewBounded(answer.Body, maxAnswer), Closer: answer.Body}
	}
}

type boundBody struct {
	*Bounded
	io.Closer
}

// A Bounded is a reader that fails when one item is longer than allowed.
type Bounded struct {
	r    io.Reader
	most int64 // constant
	left int64
}

// NewBounded returns a reader of r that fails after most bytes with remote.ErrMalformed, unless
// Renew is called in between.
func NewBounded(r io.Reader, most int64) *Bounded { return &Bounded{r, most, most} }

// Renew resets the limit for the next item.
func (b *Bounded) Renew() { b.left = b.most }

// Read implements io.Reader.
func (b *Bounded) Read(p []byte) (int, error) {
	if b.left <= 0 {
		return 0, errEndless
	}
	n, err := b.r.Read(p[:min(int64(len(p)), b.left)])
	b.left -= int64(n)
	return n, err
}
