package sftp

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"sync"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/knownhosts"

	"ferry/remote"
)

// pins are the keys of hosts that were believed when they were seen for the first time.
type pins struct {
	file string // constant; "" = they are kept in memory only

	mu   sync.Mutex
	seen map[string]ssh.PublicKey // by host; guarded by mu
}

// check believes the first key of a host, keeps it, and warns. Later it refuses any other.
func (p *pins) check(ctx context.Context, host string, addr net.Addr, key ssh.PublicKey) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if before := p.seen[host]; before != nil {
		if bytes.Equal(before.Marshal(), key.Marshal()) {
			return nil
		}
		return fmt.Errorf("%w: the host key of %s has changed since it was seen first: it is %s. Somebody may pretend to be that host; "+
			"set the option known_hosts_file", remote.ErrPermission, host, shownKey(key))
	}
	known, err := p.kept(host, addr, key)
	if err != nil {
		return err
	}
	if p.seen == nil {
		p.seen = map[string]ssh.PublicKey{}
	}
	p.seen[host] = key
	if known {
		return nil
	}
	if err := p.keep(host, key); err != nil {
		remote.Warn(ctx, "the key of a host is not known, and is believed until the end of the process: compare it, and set the option known_hosts_file",
			"host", host, "key", shownKey(key), "error", err)
		return nil
	}
	remote.Warn(ctx, "the key of a host is not known, and is believed from now on: compare it",
		"host", host, "key", shownKey(key), "file", p.file)
	return nil
}

// kept reports whether the file has the key of the host. Another one is an error.
func (p *pins) kept(host string, addr net.Addr, key ssh.PublicKey) (bool, error) {
	if p.file == "" {
		return false, nil
	}
	known, err := knownhosts.New(p.file)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrPermission) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("%w: the keys of hosts in %s cannot be read: %w", remote.ErrPermission, p.file, err)
	}
	err = known(host, addrOr(addr), key)
	var differs *knownhosts.KeyError
	switch {
	case err == nil:
		return true, nil
	case errors.As(err, &differs) && len(differs.Want) == 0:
		return false, nil
	case differs != nil:
		return false, otherKey(host, key, differs, p.file)
	}
	return false, fmt.Errorf("%w: %w", remote.ErrPermission, err)
}

// keep adds the key of a host to the file.
func (p *pins) keep(host string, key ssh.PublicKey) error {
	if p.file == "" {
		return errors.New("there is no directory to keep it in")
	}
	if err := os.MkdirAll(filepath.Dir(p.file), 0o700); err != nil {
		return err
	}
	f, err := os.OpenFile(p.file, os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	_, err = f.WriteString(knownhosts.Line([]string{knownhosts.Normalize(host)}, key) + "\n")
	return errors.Join(err, f.Close())
}

// algorithms returns those of the key that is kept of a host, nil when there is none.
func (p *pins) algorithms(host string, addr net.Addr) []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	if key := p.seen[host]; key != nil {
		return algorithmsOf([]string{key.Type()})
	}
	if p.file == "" {
		return nil
	}
	known, err := knownhosts.New(p.file)
	if err != nil {
		return nil
	}
	return knownAlgorithms(known, host, addrOr(addr))
}

// addrOr returns an address that package knownhosts can look at.
func addrOr(addr net.Addr) net.Addr {
	if addr == nil {
		return &net.TCPAddr{}
	}
	return addr
}
