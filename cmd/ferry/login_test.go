package main

import (
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"ferry/cmd/ferry/internal/login"
	"ferry/registry/tokens"
	"ferry/remote/remotetest/servers/oauthserver"
)

// provided are arguments for the options of a remote at a provider.
func provided(s *oauthserver.Server, more ...string) []string {
	var args []string
	for key, value := range s.Options() {
		args = append(args, key+"="+value)
	}
	slices.Sort(args)
	return append(args, more...)
}

// silent runs ferry, and wants none of the provider's secrets in what it says.
func (h *house) silent(status int, args ...string) (stdout, stderr string) {
	h.t.Helper()
	got, stdout, stderr := runNow(h.t, h.env, args...)
	if got != status {
		h.t.Errorf("ferry %s: status %d, want %d\n%s", strings.Join(args, " "), got, status, stderr)
	}
	if out := stdout + stderr; strings.Contains(out, oauthserver.Mark) || strings.Contains(out, oauthserver.ClientSecret) {
		h.t.Errorf("ferry %s shows a secret: %s", strings.Join(args, " "), out)
	}
	return stdout, stderr
}

func TestARemoteIsMadeWithATokenFromElsewhere(t *testing.T) {
	t.Parallel()
	s := oauthserver.Start(t)
	for _, form := range []string{s.Token(time.Hour), login.Blob(map[string]string{"token": s.Token(time.Hour)})} {
		h := newHouse(t, "")
		create := append([]string{"config", "create", "g", "gcs"}, provided(s, "config_is_local=false", "config_token", form)...)
		stdout, stderr := h.silent(exitOK, create...)
		if !strings.Contains(stdout, "token = ***") || !strings.Contains(stderr, "logged in") {
			t.Errorf("it says %s%s", stdout, stderr)
		}
		text := h.text()
		_, text, _ = strings.Cut(text, "token = ")
		text, _, _ = strings.Cut(text, "\n")
		if kept, err := tokens.Parse(text); err != nil || !s.Alive(kept.RefreshToken) {
			t.Errorf("the file has %s: %v", text, err)
		}
		if strings.Contains(h.text(), "config_") {
			t.Errorf("an answer is stored: %s", h.text())
		}
		before := h.text()
		h.ok("config", "update", "g", "location=EU") // nobody is asked to log in again
		h.ok("config", "disconnect", "g:")
		if strings.Contains(h.text(), "access_token") || !strings.Contains(before, "access_token") {
			t.Errorf("disconnected: %s", h.text())
		}
	}
}

// Where nobody can be asked, a remote is made all the same, and it is said what is missing.
func TestARemoteThatIsNotLoggedInTo(t *testing.T) {
	t.Parallel()
	s := oauthserver.Start(t)
	h := newHouse(t, "")
	_, stderr := h.silent(exitOK, append([]string{"config", "create", "g", "gcs"}, provided(s)...)...)
	if want := `log in by "ferry config reconnect g:"`; !strings.Contains(stderr, want) {
		t.Errorf("it lacks %s: %s", want, stderr)
	}
	_, stderr = h.silent(exitOK, "config", "create", "bare", "gcs")
	for _, want := range []string{"console.cloud.google.com", "http://127.0.0.1:53682/", "ferry config update bare client_id=ID"} {
		if !strings.Contains(stderr, want) {
			t.Errorf("it lacks %s: %s", want, stderr)
		}
	}
	for _, args := range [][]string{
		{"config", "create", "s", "gcs", "service_account_file=/key.json"},
		{"config", "create", "n", "gcs", "--non-interactive"},
		{"config", "create", "r", "gcs", "config_refresh_token=false"},
	} {
		if _, stderr := h.silent(exitOK, args...); stderr != "" {
			t.Errorf("%v: it says %s", args, stderr)
		}
	}
	h.ok("config", "create", "m", "memory")
	h.fails(exitFailure, "has no login", "config", "reconnect", "m:")
	h.fails(exitFailure, "not in the configuration", "config", "reconnect", "gone:")
	h.fails(exitFailure, "make an OAuth client at", "config", "reconnect", "bare:")
	h.fails(exitFailure, "there is no terminal", "config", "reconnect", "g:", "--no-browser")
	h.fails(exitFailure, "no codes for devices", "config", "reconnect", "g:", "--device")
	h.fails(exitFailure, "neither the address", "config", "reconnect", "g:", "config_token=x")
	h.fails(exitUsage, "config_is_local", "config", "reconnect", "g:", "config_is_local=perhaps")
	h.fails(exitUsage, "make an OAuth client at", "authorize", "gcs")
	h.fails(exitUsage, "name it by client_id=ID client_secret=SECRET", "authorize", "gcs")
	h.fails(exitUsage, "there is no driver", "authorize", "box")
	h.fails(exitUsage, "has no login", "authorize", "sftp", "id", "secret")
	h.fails(exitFailure, "settings of the login cannot be read", "authorize", "gcs", "half")
	h.fails(exitUsage, "no option", "authorize", "gcs", "id", "secret", "colour=red")
}

// A browser on this machine, which is a program here.
func TestAuthorize(t *testing.T) {
	if _, err := exec.LookPath("curl"); err != nil {
		t.Skip("curl is missing: it is the browser")
	}
	waitForPort(t)
	s := oauthserver.Start(t)
	h := newHouse(t, "")
	h.env = append(h.env, "BROWSER="+browser(t))
	args := []string{"authorize", "gcs", oauthserver.ClientID, oauthserver.ClientSecret, "auth_url=" + s.AuthURL(), "token_url=" + s.TokenURL()}
	_, stdout, stderr := runNow(t, h.env, args...)
	token, err := login.ReadToken(stdout)
	if err != nil || !s.Alive(token.RefreshToken) || strings.Contains(stderr, oauthserver.Mark) {
		t.Fatalf("%q, %q: %v", stdout, stderr, err)
	}
	// What rclone would ask for is answered in its form.
	stdout = h.ok("config", "authorize", "google cloud storage", login.Blob(s.Options()))
	if settings, err := login.ReadBlob(strings.TrimSpace(stdout)); err != nil || settings["token"] == "" {
		t.Errorf("got %q: %v", stdout, err)
	}
	h.ok(append([]string{"config", "create", "g", "gcs", "--non-interactive"}, provided(s)...)...)
	h.silent(exitOK, "config", "reconnect", "g:")
	if !strings.Contains(h.text(), oauthserver.Mark) {
		t.Errorf("no token is stored: %s", h.text())
	}
	s.Deny()
	if _, stderr := h.silent(exitFailure, "config", "reconnect", "g:"); !strings.Contains(stderr, "access was denied") {
		t.Errorf("it says %s", stderr)
	}
}

// waitForPort waits until nobody else on this machine logs in: the provider knows one port only.
func waitForPort(t *testing.T) {
	t.Helper()
	for end := time.Now().Add(2 * time.Minute); ; time.Sleep(50 * time.Millisecond) {
		l, err := net.Listen("tcp4", "127.0.0.1:53682")
		if err == nil {
			l.Close()
			return
		}
		if time.Now().After(end) {
			t.Fatal(err)
		}
	}
}

// browser returns a program that opens an address, and goes where that sends it.
func browser(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "browser")
	script := "#!/bin/sh\nexec curl --silent --location --output /dev/null \"$1\"\n"
	if err := os.WriteFile(path, []byte(script), 0o700); err != nil {
		t.Fatal(err)
	}
	return path
}

// ferry help backends TYPE says of each option what it is, sets apart what has no effect, and names
// the bridge to what has no driver.
func TestHelpOfTypes(t *testing.T) {
	t.Parallel()
	h := newHouse(t, "")
	for typ, wants := range map[string][]string{
		"gcs":      {"ferry config create NAME gcs service_account_file=", "default true; --gcs-directory-markers", "Without effect here:\n", "  decompress: content is served"},
		"sftp":     {"host=nas.example.org", "required; --sftp-host"},
		"memory":   {"discard"},
		"box":      {"no driver", "rclone serve webdav NAME:", ":webdav,vendor=rclone"},
		"hidrive":  {"no driver"},
		"fichier":  {"no driver"},
		"dropbox":  {"client_id=ID"},
		"onedrive": {"client_id"},
	} {
		for _, topic := range []string{"backends", "backend"} {
			text := h.ok("help", topic, typ)
			for _, want := range wants {
				if !strings.Contains(text, want) {
					t.Errorf("ferry help %s %s lacks %q:\n%s", topic, typ, want, text)
				}
			}
		}
	}
	if text := h.ok("help", "backends"); !strings.Contains(text, "  sftp ") || !strings.Contains(text, "box, ") || strings.Contains(text, "Usage") {
		t.Errorf("the list is %s", text)
	}
	h.fails(exitUsage, "create, update, reconnect", "config")
	h.fails(exitUsage, "did you mean sftp?", "help", "backends", "sftpp")
	h.fails(exitUsage, "there is no type", "help", "backend", "nothing-like-it")
	h.fails(exitUsage, `there is no command "nosuch"`, "help", "nosuch")
	h.ok("help")
	h.ok("help", "serve", "ftp")
	h.ok("help", "backends", "google cloud storage")
}
