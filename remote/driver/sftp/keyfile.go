package sftp

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/crypto/ssh"
)

// privateKey returns the key of the options, nil when there is none. Its errors say nothing of the
// key.
func privateKey(o Options) (ssh.Signer, error) {
	option, pem := "key_pem", []byte(o.KeyPEM)
	if o.KeyPEM == "" {
		if o.KeyFile == "" {
			return nil, nil
		}
		file, err := homePath(o.KeyFile)
		if err == nil {
			pem, err = os.ReadFile(file)
		}
		if err != nil {
			return nil, fmt.Errorf("sftp: key_file cannot be read: %v", err) // it is not the remote that is missing
		}
		option = "key_file"
	}
	var key ssh.Signer
	var err error
	if o.KeyPassphrase != "" {
		key, err = ssh.ParsePrivateKeyWithPassphrase(pem, []byte(o.KeyPassphrase))
	} else {
		key, err = ssh.ParsePrivateKey(pem)
	}
	var missing *ssh.PassphraseMissingError
	switch {
	case errors.As(err, &missing):
		return nil, fmt.Errorf("sftp: the private key of %s has a passphrase: set key_file_pass", option)
	case err != nil:
		return nil, fmt.Errorf("sftp: %s is no private key, or key_file_pass is not its passphrase", option)
	}
	return key, nil
}

// homePath replaces a leading ~ by the home directory, and variables by their values.
func homePath(file string) (string, error) {
	file = os.ExpandEnv(file)
	rest, ok := strings.CutPrefix(file, "~")
	if !ok || rest != "" && !os.IsPathSeparator(rest[0]) {
		return file, nil
	}
	home, err := os.UserHomeDir()
	return filepath.Join(home, rest), err
}
