package auth

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"
)

// sftpgoQuestion is what SFTPGo posts to its hook for external authentication.
func sftpgoQuestion(l Login) ([]byte, error) {
	ip := ""
	if l.IP.IsValid() {
		ip = l.IP.Unmap().String()
	}
	return json.Marshal(map[string]string{
		"username": l.User, "password": l.Password, "ip": ip, "protocol": "FTP",
		"public_key": "", "keyboard_interactive": "", "tls_cert": "",
	})
}

// sftpgoDenies refuses with any status of the client's fault, as SFTPGo does, except those by
// which a service asks for patience.
func sftpgoDenies(status int) bool {
	wait := []int{http.StatusRequestTimeout, http.StatusTooEarly, http.StatusTooManyRequests}
	return status >= 400 && status < 500 && !slices.Contains(wait, status)
}

// parseSFTPGo parses a user as SFTPGo has it. An empty answer lets the user in as he is set up
// here, one without a name refuses him.
func parseSFTPGo(user string, answer []byte) (Identity, error) {
	if blank(answer) {
		return Identity{User: user, Owner: user}, nil
	}
	var u struct {
		Username string `json:"username"`
		Status   int    `json:"status"`
		Expires  int64  `json:"expiration_date"` // milliseconds
	}
	if err := json.Unmarshal(answer, &u); err != nil {
		return Identity{}, fmt.Errorf("the answer is no user of SFTPGo: %w", withoutText(err))
	}
	switch {
	case u.Username == "":
		return Identity{}, fmt.Errorf("%w: the answer names no user", ErrDenied)
	case u.Username != user:
		return Identity{}, errors.New("the answer is about another user")
	case u.Status != 1:
		return Identity{}, fmt.Errorf("%w: the user is disabled", ErrRefused)
	case u.Expires > 0 && time.UnixMilli(u.Expires).Before(time.Now()):
		return Identity{}, fmt.Errorf("%w: the user has expired", ErrRefused)
	}
	return Identity{User: user, Owner: user, Grant: &Grant{SFTPGo: answer}}, nil
}
