package sftp

import (
	"errors"
	"fmt"
	"net"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/knownhosts"

	"ferry/remote"
)

func shownKey(key ssh.PublicKey) string { return key.Type() + " " + ssh.FingerprintSHA256(key) }

// otherKey is the error of a host whose key is another one than file says.
func otherKey(host string, key ssh.PublicKey, differs *knownhosts.KeyError, file string) error {
	return fmt.Errorf("%w: the host key of %s is not the one in %s, line %d: it is %s. Somebody may pretend to be that "+
		"host; if it has a new key for a good reason, run: ssh-keygen -f %s -R %s", remote.ErrPermission, host,
		differs.Want[0].Filename, differs.Want[0].Line, shownKey(key), file, knownhosts.Normalize(host))
}

func knownAlgorithms(known ssh.HostKeyCallback, host string, addr net.Addr) []string {
	var differs *knownhosts.KeyError
	if !errors.As(known(host, addr, noKey{}), &differs) {
		return nil
	}
	var types []string
	for _, k := range differs.Want {
		types = append(types, k.Key.Type())
	}
	return algorithmsOf(types)
}

// algorithmsOf returns the algorithms of keys of these types.
func algorithmsOf(types []string) []string {
	var list []string
	for _, t := range types {
		if t == ssh.KeyAlgoRSA {
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
