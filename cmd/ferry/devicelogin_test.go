package main

import (
	"encoding/json"
	"strings"
	"testing"

	"ferry/registry/tokens"
	"ferry/remote/remotetest/servers/oauthserver"
)

// newHeadless is a configuration that is encrypted, on a machine without a browser or a terminal.
func newHeadless(t *testing.T) *house {
	t.Helper()
	h := newHouse(t, "[other]\ntype = memory\n")
	h.ok("config", "encryption", "set", "--password-command", "echo potato")
	h.env = append(h.env, "RCLONE_CONFIG_PASS=potato")
	return h
}

// sealed wants that the file shows nothing to who has no password.
func (h *house) sealed() {
	h.t.Helper()
	if text := h.text(); !strings.Contains(text, "RCLONE_ENCRYPT_V0:") || strings.Contains(text, oauthserver.Mark) || strings.Contains(text, "onedrive") {
		h.t.Errorf("the file is %q", text)
	}
}

// options returns what the file says of a remote to who has the password.
func (h *house) options(name string) map[string]string {
	h.t.Helper()
	var all map[string]map[string]string
	if err := json.Unmarshal([]byte(h.ok("config", "dump")), &all); err != nil {
		h.t.Fatal(err)
	}
	return all[name]
}

// deviceRemote makes the arguments that log in by a code for devices.
func deviceRemote(s *oauthserver.Server, name string) []string {
	create := append([]string{"config", "create", name, "onedrive"}, provided(s, "endpoint="+s.URL)...)
	return append(create, "--device")
}

// A remote is made on a machine without a browser: the code is typed elsewhere, while ferry asks no
// more often than it may, and the token goes into a file that stays encrypted.
func TestARemoteIsLoggedInToByACode(t *testing.T) {
	t.Parallel()
	s := oauthserver.Start(t)
	s.Polls = []string{"authorization_pending", "slow_down", "approved"}
	h := newHeadless(t)
	stdout, stderr := h.silent(exitOK, deviceRemote(s, "one")...)
	for _, want := range []string{"https://device.example.org", "ABCD-EFGH", `remote "one" is logged in to`} {
		if !strings.Contains(stderr, want) {
			t.Errorf("it lacks %q: %s", want, stderr)
		}
	}
	if !strings.Contains(stdout, "token = ***") {
		t.Errorf("it shows %s", stdout)
	}
	if asked, _ := s.Asked(); asked != 3 || s.Hasty() > 0 {
		t.Errorf("it was asked %d times, too soon %d times", asked, s.Hasty())
	}
	h.sealed()
	one := h.options("one")
	token, err := tokens.Parse(one["token"])
	if err != nil || !s.Alive(token.RefreshToken) || one["drive_id"] != "own-id" || one["drive_type"] != "personal" {
		t.Errorf("the file has %v: %v", one, err)
	}
	if h.options("other")["type"] != "memory" {
		t.Error("the other remote is lost")
	}
}

// Where the login fails, the error says why in one line, and the token from before stays.
func TestALoginByACodeThatFails(t *testing.T) {
	t.Parallel()
	for answer, want := range map[string]string{
		"expired_token":          "the code has expired before somebody has typed it: log in again",
		"access_denied":          "access was denied",
		"authorization_declined": "access was denied", // Microsoft's word
		"invalid_client":         "client_id and client_secret",
		"some_other":             "the provider refuses (some_other)",
	} {
		t.Run(answer, func(t *testing.T) {
			t.Parallel()
			s := oauthserver.Start(t)
			h := newHeadless(t)
			s.Polls = []string{"approved"}
			h.silent(exitOK, deviceRemote(s, "one")...)
			before, token := h.text(), h.options("one")["token"]

			s.Polls = []string{answer}
			stdout, stderr := h.silent(exitFailure, "config", "reconnect", "one:", "--device")
			lines := strings.Split(strings.TrimSpace(stderr), "\n")
			if last := lines[len(lines)-1]; len(lines) != 2 || stdout != "" || !strings.Contains(last, want) || !strings.Contains(last, `"one"`) {
				t.Errorf("it says %q %q, without %q", stdout, stderr, want)
			}
			if h.text() != before || h.options("one")["token"] != token {
				t.Error("the file has changed")
			}
			s.Polls = []string{"approved"}
			h.silent(exitOK, "config", "reconnect", "one:", "--device")
			h.sealed()
			if again := h.options("one")["token"]; again == token || again == "" {
				t.Errorf("the token is %q", again)
			}
		})
	}
}
