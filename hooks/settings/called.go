package settings

import (
	"fmt"
	"os"
	"strings"

	"ferry/hooks/call"
)

// CallOptions returns what h says of its calls. It reads the file of its secrets.
func (h Hook) CallOptions() (call.Options, error) {
	o := call.Options{
		Hook: h.Name, Program: h.Program, URL: h.URL, Secrets: h.Secrets, Env: h.Env, Format: h.Format, Timeout: h.Timeout,
	}
	if h.SecretFile == "" {
		return o, nil
	}
	var err error
	if o.Secrets, err = readSecrets(h.SecretFile); err != nil {
		return o, fmt.Errorf("secret_file: %w", err)
	}
	return o, nil
}

// readSecrets reads a file of secrets.
func readSecrets(name string) ([]string, error) {
	text, err := os.ReadFile(name)
	if err != nil {
		return nil, err
	}
	secrets := strings.Fields(string(text))
	if len(secrets) == 0 {
		return nil, fmt.Errorf("there is no secret in %s: write one in each line", name)
	}
	for _, one := range secrets {
		if err := call.CheckSecret(one); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
	}
	return secrets, nil
}

// Look looks at what h names on this machine, and returns the key of what cannot be used, and why.
func (h Hook) Look() (key string, err error) {
	if len(h.Program) > 0 {
		return "program", call.CheckProgram(h.Program[0])
	}
	if h.SecretFile != "" {
		_, err = readSecrets(h.SecretFile)
	}
	return "secret_file", err
}
