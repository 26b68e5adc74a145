package sftp

import (
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
}

// newHostKeys reads file. Without one it reads the user's own, if there is any, and hosts that are not in it are
// accepted.
func newHostKeys(file string) (hostKeys, error) {
	h := hostKeys{file: file, strict: file != ""}
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
func (h hostKeys) check(host string, addr net.Addr, key ssh.PublicKey) error {
	if h.known == nil {
		return nil
	}
	err := h.known(host, addr, key)
	var differs *knownhosts.KeyError
	var revoked *knownhosts.RevokedError
	shown := key.Type() + " " + ssh.FingerprintSHA256(key)
	switch {
	case err == nil:
		return nil
	case errors.As(err, &revoked):
		return fmt.Errorf("%w: the host key of %s (%s) is revoked in %s", remote.ErrPermission, host, shown, h.file)
	case !errors.As(err, &differs):
		return err
	case len(differs.Want) > 0:
		return fmt.Errorf("%w: the host key of %s is not the one in %s, line %d: it is %s. Somebody may pretend to be that "+
			"host; if it has a new key for a good reason, run: ssh-keygen -f %s -R %s", remote.ErrPermission, host,
			differs.Want[0].Filename, differs.Want[0].Line, shown, h.file, knownhosts.Normalize(host))
	case h.strict:
		name, port, _ := net.SplitHostPort(host)
		return fmt.Errorf("%w: %s has no host key of %s, which is %s. If that is right, run: ssh-keyscan -p %s %s >> %s",
			remote.ErrPermission, h.file, host, shown, port, name, h.file)
	}
	return nil
}

// algorithms returns those of the keys that the file has of a host, so that the host does not show another one; nil when
// it has none.
func (h hostKeys) algorithms(host string, addr net.Addr) []string {
	if h.known == nil {
		return nil
	}
	var differs *knownhosts.KeyError
	if !errors.As(h.known(host, addr, noKey{}), &differs) {
		return nil
	}
	var list []string
	for _, k := range differs.Want {
		if t := k.Key.Type(); t == ssh.KeyAlgoRSA {
			list = append(list, ssh.KeyAlgoRSASHA512, ssh.KeyAlgoRSASHA256)
		} else {
			list = append(list, t)
		}
	}
	return list
}

// noKey is a key that nobody has.
type noKey struct{}

func (noKey) Type() string                        { return "none" }
func (noKey) Marshal() []byte                     { return []byte("none") }
func (noKey) Verify([]byte, *ssh.Signature) error { return errors.New("no key") }
