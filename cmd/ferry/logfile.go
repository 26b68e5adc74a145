package main

import (
	"fmt"
	"os"
	"sync"
)

// A logFile is the file of --log-file. It can be opened anew, when something has moved it away to begin another.
type logFile struct {
	name string

	mu sync.Mutex
	f  *os.File // guarded by mu
}

// reopen opens the file of that name, or makes one. When it cannot, the old one stays.
func (l *logFile) reopen() error {
	f, err := os.OpenFile(l.name, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
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
func (l *logFile) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.f.Write(p)
}

// close closes the file. It may be called on nil.
func (l *logFile) close() {
	if l == nil {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.f.Close()
}
