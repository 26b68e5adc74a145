package auth

import (
	"fmt"
	"io"
	"io/fs"
	"os"
	"sync"
)

// maxUsersFile bounds the size of a file of users.
const maxUsersFile = 16 << 20

// A liveFile is a file of users that is read again when it changes.
type liveFile[T any] struct {
	// constant
	path  string
	parse func(text []byte) (T, error) // called with mu held

	mu      sync.Mutex
	stamp   fs.FileInfo // guarded by mu: the file when it was last read
	current T           // guarded by mu
	failed  error       // guarded by mu: why the file as it is now does not count
}

// openLive reads the file.
func openLive[T any](path string, parse func([]byte) (T, error)) (*liveFile[T], error) {
	f := &liveFile[T]{path: path, parse: parse}
	f.mu.Lock()
	defer f.mu.Unlock()
	return f, f.read()
}

// get returns what is in the file. While it cannot be read, or has an error, that is what was in it
// before.
func (f *liveFile[T]) get() T {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.update()
	return f.current
}

// problem returns why what is in the file does not count, nil if it does.
func (f *liveFile[T]) problem() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.update()
	return f.failed
}

// update reads the file if it has changed. LOCKS_REQUIRED(f.mu).
func (f *liveFile[T]) update() {
	now, err := os.Stat(f.path)
	switch {
	case err != nil:
		f.failed = err
	case !f.sameAs(now):
		f.failed = f.read() // a file that is being replaced; the next call tries again
	default:
		f.failed = nil
	}
}

// sameAs reports whether now is the file that was read. LOCKS_REQUIRED(f.mu).
func (f *liveFile[T]) sameAs(now fs.FileInfo) bool {
	return os.SameFile(f.stamp, now) && f.stamp.ModTime().Equal(now.ModTime()) && f.stamp.Size() == now.Size()
}

// read replaces what is known by what is in the file. LOCKS_REQUIRED(f.mu).
func (f *liveFile[T]) read() error {
	file, err := os.Open(f.path)
	if err != nil {
		return err
	}
	defer file.Close()
	stamp, err := file.Stat()
	if err != nil {
		return err
	}
	if stamp.Size() > maxUsersFile {
		return fmt.Errorf("%s: more than %d bytes are no file of users", f.path, maxUsersFile)
	}
	text, err := io.ReadAll(io.LimitReader(file, maxUsersFile))
	if err != nil {
		return err
	}
	users, err := f.parse(text)
	if err != nil {
		return fmt.Errorf("%s: %w", f.path, err)
	}
	f.stamp, f.current = stamp, users
	return nil
}
