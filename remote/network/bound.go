package network

import (
	"fmt"
	"io"
	"net/http"

	"ferry/remote"
)

// maxAnswer is how long an answer of a store may be that is not the content of an object: libraries
// take it into memory. The longest are pages of 5000 entries.
const maxAnswer = 16 << 20

// errEndless is what an answer fails with that is longer than any can be.
var errEndless = fmt.Errorf("%w: it has no end", remote.ErrMalformed)

// bound lets the body of an answer fail when it is too long.
func bound(answer *http.Response) {
	if answer.Body != nil && answer.Body != http.NoBody {
		answer.Body = &boundBody{Bounded: NewBounded(answer.Body, maxAnswer), Closer: answer.Body}
	}
}

type boundBody struct {
	*Bounded
	io.Closer
}

// A Bounded is a reader that fails when more is read than there may be of what is read at a time.
type Bounded struct {
	r    io.Reader
	most int64 // constant
	left int64
}

// NewBounded returns a reader of r that fails after most bytes with remote.ErrMalformed, unless
// Renew is called in between.
func NewBounded(r io.Reader, most int64) *Bounded { return &Bounded{r, most, most} }

// Renew lets as many bytes pass as in the beginning, for what comes next.
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
