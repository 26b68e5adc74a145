package auth

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
)

// Htpasswd is an Authenticator for a file in the format of Apache's htpasswd: lines of user:hash,
// where the hash is Supported. The file is read again when it changes; while it cannot be read, or
// a line is wrong, what was in it before counts.
type Htpasswd struct {
	file     *liveFile[map[string]string] // hashes by user
	verifier *Verifier
}

// NewHtpasswd reads the file. A line that cannot be parsed is an error. It calls v.SetDecoys.
func NewHtpasswd(path string, v *Verifier) (*Htpasswd, error) {
	file, err := openLive(path, func(text []byte) (map[string]string, error) {
		hashes, err := parseHtpasswd(text)
		if err != nil {
			return nil, err
		}
		var decoys [][]string
		for _, hash := range hashes {
			decoys = append(decoys, []string{hash})
		}
		v.SetDecoys(decoys)
		return hashes, nil
	})
	if err != nil {
		return nil, err
	}
	return &Htpasswd{file: file, verifier: v}, nil
}

// Problem says why the file as it is now does not count, nil if it does.
func (h *Htpasswd) Problem() error { return h.file.problem() }

// Authenticate checks whether the file has that user with that password.
func (h *Htpasswd) Authenticate(ctx context.Context, l Login) (Identity, error) {
	var hashes []string
	hash, known := h.file.get()[l.User]
	if known {
		hashes = []string{hash}
	}
	right, err := h.verifier.Verify(ctx, l.User, l.Password, hashes)
	if err != nil {
		return Identity{}, fmt.Errorf("%s: %w", h.file.path, err)
	}
	switch {
	case !known:
		return Identity{}, ErrUnknownUser
	case !right:
		return Identity{}, ErrDenied
	}
	return Identity{User: l.User, Owner: l.User}, nil
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
