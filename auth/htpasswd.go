package auth

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
	"sync"
)

// Htpasswd checks users against a file in the format of Apache's htpasswd: lines of user:hash,
// where the hash is Supported. The file is read again when it changes. Its methods may be called
// concurrently.
type Htpasswd struct {
	// constant
	path     string
	verifier *Verifier

	mu     sync.Mutex
	stamp  fs.FileInfo       // guarded by mu: the file when it was last read
	hashes map[string]string // guarded by mu: by user
}

// maxHtpasswd bounds the size of the file.
const maxHtpasswd = 16 << 20

// NewHtpasswd reads the file. A line that cannot be parsed is an error. Passwords are checked by v.
func NewHtpasswd(path string, v *Verifier) (*Htpasswd, error) {
	h := &Htpasswd{path: path, verifier: v}
	return h, h.reload()
}

// Authenticate checks user and password. If the file cannot be read any more, it uses the last
// contents.
func (h *Htpasswd) Authenticate(ctx context.Context, l Login) (Identity, error) {
	h.mu.Lock()
	if h.changed() {
		_ = h.read() // a file that is being replaced; the next login tries again
	}
	var hashes []string
	if hash, known := h.hashes[l.User]; known {
		hashes = append(hashes, hash)
	}
	h.mu.Unlock()
	right, err := h.verifier.Verify(ctx, l.User, l.Password, hashes)
	if err != nil {
		return Identity{}, err
	}
	if !right {
		return Identity{}, ErrDenied
	}
	return Identity{User: l.User, Owner: l.User}, nil
}

func (h *Htpasswd) reload() error {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.read()
}

// changed reports whether the file differs from the one that was read. h.mu is held.
func (h *Htpasswd) changed() bool {
	now, err := os.Stat(h.path)
	return err == nil && (!os.SameFile(h.stamp, now) || !h.stamp.ModTime().Equal(now.ModTime()) || h.stamp.Size() != now.Size())
}

// read replaces the users by those of the file, if all of it can be parsed. h.mu is held.
func (h *Htpasswd) read() error {
	f, err := os.Open(h.path)
	if err != nil {
		return err
	}
	defer f.Close()
	stamp, err := f.Stat()
	if err != nil {
		return err
	}
	if stamp.Size() > maxHtpasswd {
		return fmt.Errorf("%s: more than %d bytes are no file of users", h.path, maxHtpasswd)
	}
	text, err := io.ReadAll(io.LimitReader(f, maxHtpasswd))
	if err != nil {
		return err
	}
	hashes, err := parseHtpasswd(text)
	if err != nil {
		return fmt.Errorf("%s: %w", h.path, err)
	}
	h.stamp, h.hashes = stamp, hashes
	return nil
}

var errNoUsers = errors.New("there is no user in it")

func parseHtpasswd(text []byte) (map[string]string, error) {
	hashes := map[string]string{}
	lines := bufio.NewScanner(bytes.NewReader(text))
	for n := 1; lines.Scan(); n++ {
		line := strings.TrimSpace(lines.Text())
		if line == "" || line[0] == '#' {
			continue
		}
		user, rest, ok := strings.Cut(line, ":")
		hash, _, _ := strings.Cut(rest, ":") // further fields are comments
		if !ok || user == "" {
			return nil, fmt.Errorf("line %d is not user:hash", n)
		}
		if err := Supported(hash); err != nil {
			return nil, fmt.Errorf("line %d: %w", n, err)
		}
		hashes[user] = hash
	}
	if err := lines.Err(); err != nil {
		return nil, err
	}
	if len(hashes) == 0 {
		return nil, errNoUsers
	}
	return hashes, nil
}
