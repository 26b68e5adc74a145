package httpclient

import (
	"errors"
	"io"
	"net/http"
	"slices"
	"sync"

	"ferry/remote"
)

var (
	errBodySent  = errors.New("the body was sent already")
	errBodyEnded = errors.New("the body has ended")
)

// A Body is what an upload sends: the content of a reader that can be read only once. If it
// announced a size, its last bytes are sent only after it is known that nothing follows them, so
// that a server never gets a complete request out of a body of the wrong length.
type Body struct {
	size int64 // 0 = unknown

	mu    sync.Mutex
	r     io.Reader // guarded by mu
	n     int64     // guarded by mu
	began bool      // guarded by mu
	ended bool      // guarded by mu
	err   error     // guarded by mu; why reading failed, other than io.EOF
}

// NewBody returns a body of size bytes, 0 meaning that it is unknown how many they are.
func NewBody(r io.Reader, size int64) *Body { return &Body{r: r, size: size} }

// attach makes b the body of req. Until its first byte was read it can be sent again.
func (b *Body) attach(req *http.Request) {
	req.Body = io.NopCloser(b)
	req.ContentLength = -1
	if b.size > 0 {
		req.ContentLength = b.size
	}
	req.GetBody = func() (io.ReadCloser, error) {
		b.mu.Lock()
		defer b.mu.Unlock()
		if b.began {
			return nil, errBodySent
		}
		return io.NopCloser(b), nil
	}
}

// Read implements io.Reader.
func (b *Body) Read(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.err != nil {
		return 0, b.err
	}
	if b.ended {
		return 0, errBodyEnded
	}
	if len(p) == 0 {
		return 0, nil
	}
	b.began = true
	n, err := b.r.Read(p)
	b.n += int64(n)
	switch {
	case b.size > 0 && b.n > b.size:
		err = remote.CheckSize(b.n, b.size)
	case b.size > 0 && b.n == b.size && err == nil:
		err = b.probe()
	}
	if err == io.EOF {
		if bad := remote.CheckSize(b.n, b.size); bad != nil {
			err = bad
		}
	}
	if err != nil && err != io.EOF {
		b.err = err
		return 0, err
	}
	return n, err
}

// probe expects the end.
// LOCKS_REQUIRED(b.mu)
func (b *Body) probe() error {
	var one [1]byte
	for {
		n, err := b.r.Read(one[:])
		b.n += int64(n)
		if n > 0 {
			return remote.CheckSize(b.n, b.size)
		}
		if err != nil {
			return err
		}
	}
}

// End waits for a Read that is under way and keeps the reader from being touched again. It returns
// how many bytes were read, and what the reader failed with.
func (b *Body) End() (int64, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.ended = true
	return b.n, b.err
}

// firstPiece is the memory that ReadChunk begins with.
const firstPiece = 64 << 10

// ReadChunk reads what is missing so that buf has limit bytes; it grows as far as it must. A body
// that ends before is io.EOF.
func ReadChunk(body io.Reader, buf []byte, limit int) ([]byte, error) {
	for len(buf) < limit {
		if len(buf) == cap(buf) {
			buf = slices.Grow(buf, max(min(firstPiece, limit), min(len(buf), limit-len(buf))))
		}
		n, err := body.Read(buf[len(buf):min(cap(buf), limit)])
		buf = buf[:len(buf)+n]
		if err != nil {
			return buf, err
		}
	}
	return buf, nil
}
