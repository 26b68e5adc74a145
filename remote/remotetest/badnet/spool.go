package badnet

import (
	"io"
	"sync"
)

// A spool holds what has come of a body and is not yet passed on.
type spool struct {
	limit int64 // of what it holds; 0 = none

	mu      sync.Mutex
	changed *sync.Cond
	data    []byte // guarded by mu
	err     error  // guarded by mu; how the body ended; nil = it goes on
	dropped bool   // guarded by mu; nobody reads any more
}

func newSpool(limit int64) *spool {
	s := &spool{limit: limit}
	s.changed = sync.NewCond(&s.mu)
	return s
}

// Write implements io.Writer. It waits for room.
func (s *spool) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for s.limit > 0 && int64(len(s.data)) >= s.limit && !s.dropped {
		s.changed.Wait()
	}
	if !s.dropped {
		s.data = append(s.data, p...)
		s.changed.Broadcast()
	}
	return len(p), nil
}

// end says how the body ended; io.EOF = whole.
func (s *spool) end(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err == nil {
		s.err = err
	}
	s.changed.Broadcast()
}

// Read implements io.Reader. After everything that came it returns how the body ended.
func (s *spool) Read(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for len(s.data) == 0 && s.err == nil {
		s.changed.Wait()
	}
	n := copy(p, s.data)
	if s.data = s.data[n:]; len(s.data) == 0 {
		s.data = nil
	}
	s.changed.Broadcast()
	if n == 0 {
		return 0, s.err
	}
	return n, nil
}

// drop lets everything that comes pass into nothing.
func (s *spool) drop() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.dropped, s.data = true, nil
	s.changed.Broadcast()
}

var _ io.ReadWriter = (*spool)(nil)
