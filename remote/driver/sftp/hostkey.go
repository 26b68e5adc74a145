package sftp

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/knownhosts"

	"ferry/remote"
)

// hostKeys knows the keys of hosts from a file of the form of OpenSSH.
type hostKeys struct {
	// constant
	file   string
	strict bool // hosts that are not in the file are refused
	known  ssh.HostKeyCallback
	pins   *pins // of hosts that are not in the file
}

// newHostKeys reads file. Without one it reads the user's own, if there is any, and of hosts that
// are not in it the first key is believed and kept in the file pinned, which may be "".
func newHostKeys(file, pinned string) (hostKeys, error) {
	h := hostKeys{file: file, strict: file != "", pins: &pins{file: pinned}}
	if !h.strict {
		h.file = "~/.ssh/known_hosts"
	}
	path, err := homePath(h.file)
	if err == nil {
		h.file = path
		_, err = os.Stat(path)
	}
	if err != nil && !h.strict {
		return h, nil
	}
	if err == nil {
		h.known, err = knownhosts.New(path)
	}
	switch {
	case err == nil:
		return h, nil
	case errors.Is(err, fs.ErrNotExist):
		return h, fmt.Errorf("sftp: known_hosts_file %s does not exist: make it with ssh-keyscan HOST", h.file)
	}
	return h, fmt.Errorf("sftp: known_hosts_file %s cannot be read: %w", h.file, err)
}

// check compares the key of a host with what the file says. It says how to make them agree.
func (h hostKeys) check(ctx context.Context, host string, addr net.Addr, key ssh.PublicKey) error {
	if h.known == nil {
		return h.pins.check(ctx, host, addr, key)
	}
	err := h.known(host, addr, key)
	var differs *knownhosts.KeyError
	var revoked *knownhosts.RevokedError
	shown := shownKey(key)
	switch {
	case err == nil:
		return nil
	case errors.As(err, &revoked):
		return fmt.Errorf("%w: the host key of %s (%s) is revoked in %s", remote.ErrPermission, host, shown, h.file)
	case !errors.As(err, &differs):
		return err
	case len(differs.Want) > 0:
		return otherKey(host, key, differs, h.file)
	case h.strict:
		name, port, _ := net.SplitHostPort(host)
		return fmt.Errorf("%w: %s has no host key of %s, which is %s. If that is right, run: ssh-keyscan -p %s %s >> %s",
			remote.ErrPermission, h.file, host, shown, port, name, h.file)
	}
	return h.pins.check(ctx, host, addr, key)
}

// algorithms returns those of the keys that are known of a host, so that the host does not show
// another one; nil when there are none.
func (h hostKeys) algorithms(host string, addr net.Addr) []string {
	if h.known != nil {
		if list := knownAlgorithms(h.known, host, addr); list != nil {
			return list
		}
	}
	return h.pins.algorithms(host, addr)
}
