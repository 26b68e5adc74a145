package crypt

import (
	"context"
	"io"
	"sync"

	"ferry/remote"
	"ferry/remote/driver/crypt/cipher"
)

// A header is what that of a file says, and of which version of it.
type header struct {
	nonce   cipher.Nonce
	version string
}

// headers remembers those of versions that were read, so that ranges of one file need no second
// request each.
type headers struct {
	mu    sync.Mutex
	known map[string]header // guarded by mu
}

const maxHeaders = 4096

func (h *headers) get(key string) (header, bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	known, ok := h.known[key]
	return known, ok
}

// set remembers the header of a file. One without a version cannot be recognised again.
func (h *headers) set(key string, n cipher.Nonce, version string) {
	if key == "" || version == "" {
		return
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.known == nil || len(h.known) >= maxHeaders {
		h.known = map[string]header{}
	}
	h.known[key] = header{n, version}
}

// A pending header is being read.
type pending struct {
	cancel context.CancelFunc
	done   chan struct{}
	header header // set before done is closed
	err    error  // set before done is closed
}

// fetchHeader begins to read the header of a file.
func fetchHeader(ctx context.Context, s source) *pending {
	ctx, cancel := context.WithCancel(ctx)
	p := &pending{cancel: cancel, done: make(chan struct{})}
	go func() {
		defer close(p.done)
		p.header, p.err = readHeader(ctx, s)
	}()
	return p
}

// drop ends the reading, and returns after its end.
func (p *pending) drop() {
	p.cancel()
	<-p.done
}

func readHeader(ctx context.Context, s source) (header, error) {
	f, err := s.open(ctx, 0, cipher.HeaderSize)
	if err != nil {
		return header{}, err
	}
	defer f.Close()
	b := make([]byte, cipher.HeaderSize)
	n, err := readFull(f, b)
	if err != nil && err != io.EOF {
		return header{}, err
	}
	nonce, err := cipher.ParseHeader(b[:n])
	if err != nil {
		return header{}, remote.Final(err)
	}
	e, _ := remote.Describe(f)
	return header{nonce, e.Version}, nil
}

// readFull fills b, if r has as much. io.EOF means that r ended before; any other error is r's own.
func readFull(r io.Reader, b []byte) (n int, err error) {
	for n < len(b) && err == nil {
		var m int
		m, err = r.Read(b[n:])
		n += m
	}
	if n == len(b) {
		return n, nil
	}
	return n, err
}
