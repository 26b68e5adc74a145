package auth

import (
	"bufio"
	"bytes"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"runtime"
	"strings"
	"sync"
)

// Htpasswd checks users against a file in the format of Apache's htpasswd: lines of user:hash,
// where the hash is Supported. The file is read again when it changes. Its methods may be called
// concurrently.
type Htpasswd struct {
	// constant
	path string
	key  [32]byte // of proven
	// hashing limits how many hashes are derived concurrently: each takes a processor for some
	// time, on purpose.
	hashing chan struct{}
	verify  func(hash, password string) (bool, error)

	mu     sync.Mutex
	stamp  fs.FileInfo        // guarded by mu: the file when it was last read
	hashes map[string]string  // guarded by mu: by user
	proven map[proof]struct{} // guarded by mu: verified passwords, as deriving a hash is slow on purpose
}

// proof is the keyed hash of a user, the user's hash and a password that matches it.
type proof [sha256.Size]byte

// maxProven bounds the verified passwords. At that number all are dropped.
const maxProven = 1000

// maxHtpasswd bounds the size of the file.
const maxHtpasswd = 16 << 20

// NewHtpasswd reads the file. A line that cannot be parsed is an error.
func NewHtpasswd(path string) (*Htpasswd, error) {
	h := &Htpasswd{path: path, hashing: make(chan struct{}, max(runtime.GOMAXPROCS(0)/2, 1)), verify: Verify}
	_, _ = rand.Read(h.key[:]) // never fails
	return h, h.reload()
}

// Check reports whether the file has that user with that password. If the file cannot be read any
// more, it uses the last contents.
func (h *Htpasswd) Check(user, password string) bool {
	h.mu.Lock()
	if h.changed() {
		_ = h.read() // a file that is being replaced; the next Check tries again
	}
	hash, known := h.hashes[user]
	p := h.proof(user, hash, password)
	_, proven := h.proven[p]
	if !known {
		hash = h.anyHash()
	}
	h.mu.Unlock()
	if proven {
		return true
	}
	h.hashing <- struct{}{}
	right, _ := h.verify(hash, password) // that it is supported was found at reading
	<-h.hashing
	if !right || !known { // in this order, so that unknown users take as long as known ones
		return false
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(h.proven) >= maxProven {
		clear(h.proven)
	}
	h.proven[p] = struct{}{}
	return true
}

func (h *Htpasswd) proof(user, hash, password string) (p proof) {
	m := hmac.New(sha256.New, h.key[:])
	for _, s := range []string{user, hash, password} {
		fmt.Fprintf(m, "%d:%s", len(s), s)
	}
	m.Sum(p[:0])
	return p
}

// anyHash returns one of the hashes, for unknown users. h.mu is held.
func (h *Htpasswd) anyHash() string {
	for _, hash := range h.hashes {
		return hash
	}
	return ""
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
	h.stamp, h.hashes, h.proven = stamp, hashes, map[proof]struct{}{}
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
