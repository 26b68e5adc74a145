package auth

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
)

// rcloneQuestion is what rclone writes to its auth proxy.
func rcloneQuestion(l Login) ([]byte, error) {
	q := map[string]string{"user": l.User, "pass": l.Password}
	if l.IP.IsValid() {
		q["client_ip"] = l.IP.Unmap().String()
	}
	return json.MarshalIndent(q, "", "\t")
}

// parseRclone parses what an auth proxy for rclone answers: an object of texts, which are options
// of the back end that type names.
func parseRclone(user string, answer []byte) (Identity, error) {
	var options map[string]string
	if err := json.Unmarshal(answer, &options); err != nil {
		return Identity{}, fmt.Errorf("the answer is no JSON object of strings: %w", withoutText(err))
	}
	b := &Backend{Type: options["type"], Root: options["_root"], Options: options}
	if b.Type == "" {
		return Identity{}, errors.New(`the answer has no "type", the type of the user's back end`)
	}
	if _, found := options["_root"]; !found {
		return Identity{}, errors.New(`the answer has no "_root", the directory in the user's back end`)
	}
	for name := range strings.SplitSeq(options["_obscure"], ",") {
		if _, found := options[name]; found && name != "" {
			b.Plain = append(b.Plain, name)
		}
	}
	for _, name := range []string{"type", "_root", "_obscure"} {
		delete(options, name)
	}
	return Identity{User: user, Owner: user, Grant: &Grant{Backend: b}}, nil
}

// withoutText returns an error of package json that shows nothing of what was parsed: it may be
// secret.
func withoutText(err error) error {
	var syntax *json.SyntaxError
	var kind *json.UnmarshalTypeError
	switch {
	case errors.As(err, &syntax):
		return fmt.Errorf("wrong at byte %d", syntax.Offset)
	case errors.As(err, &kind):
		return fmt.Errorf("the wrong type (%s) at byte %d", strings.Fields(kind.Value + " ?")[0], kind.Offset)
	}
	return errors.New("it cannot be parsed")
}

// blank reports whether an answer is empty.
func blank(answer []byte) bool { return len(bytes.TrimSpace(answer)) == 0 }
