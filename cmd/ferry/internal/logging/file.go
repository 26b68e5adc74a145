package logging

import (
	"fmt"
	"os"
	"sync"
)

// A File is the file of --log-file. It can be opened anew, when something has moved it away to
// begin another.
type File struct {
	Name string

	mu sync.Mutex
	f  *os.File // guarded by mu
}

// Reopen opens the file of that name, or makes one. When it cannot, the old one stays.
func (l *File) Reopen() error {
	f, err := os.OpenFile(l.Name, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return fmt.Errorf("--log-file: %w", err)
	}
	l.mu.Lock()
	old := l.f
	l.f = f
	l.mu.Unlock()
	if old != nil {
		old.Close()
	}
	return nil
}

// Write implements io.Writer.
func (l *File) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.f.Write(p)
}

// Close closes the file. It may be called on nil.
func (l *File) Close() {
	if l == nil {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.f.Close()
}
