package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"ferry/auth"
	"ferry/ftp"
)

// audited returns the lines of an audit log as "event name=value ..." of some fields.
func audited(t *testing.T, name string, fields ...string) []string {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for line := range strings.Lines(string(text)) {
		var values map[string]any
		if err := json.Unmarshal([]byte(line), &values); err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		summary := values["event"].(string)
		for _, field := range fields {
			if value, has := values[field].(string); has {
				summary += " " + field + "=" + value
			}
		}
		all = append(all, summary)
	}
	return all
}

// The life of a process is recorded, from listening to its end.
func TestTheLifeOfAProcessIsRecorded(t *testing.T) {
	dir := t.TempDir()
	log, usersFile, pair := filepath.Join(dir, "audit"), filepath.Join(dir, "users.toml"), hostFile(t, "one.example.org")
	write := func(text string) {
		if err := os.WriteFile(usersFile, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("[users.cam]\nauth = 'none'\n")
	r := start(t, nil, ":memory:", "--addr", "127.0.0.1:0", "--users", usersFile, "--cert", pair, "--key", pair, "--audit-log", log)
	c := dial(t, r.url(t))
	c.cmd(331, "USER cam")
	c.cmd(230, "PASS x")
	write("[users.cam]\nauth = 'none'\nnote = 'other'\n")
	r.signals <- syscall.SIGHUP
	r.waitFor(t, "read the users again")
	write("[nonsense")
	other, _, _, err := ftp.SelfSigned(t.TempDir(), []string{"two.example.org"})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(other, pair); err != nil {
		t.Fatal(err)
	}
	r.signals <- syscall.SIGHUP
	r.waitFor(t, "the users stay as they were")
	r.waitFor(t, "read the certificate again")
	r.signals <- syscall.SIGTERM
	if status := r.wait(t); status != exitOK {
		t.Fatalf("status %d:\n%s", status, r.logged())
	}
	got := audited(t, log, "user", "path", "result", "rule")
	for i, line := range got {
		got[i] = strings.ReplaceAll(line, usersFile, "users.toml")
	}
	slices.Sort(got[3 : len(got)-1]) // two goroutines record the second SIGHUP
	want := []string{
		"start result=ok", "connect result=ok", "login user=cam result=ok rule=file",
		"cert.renewed path=two.example.org result=ok", "config.reload path=users.toml result=failed", "config.reload path=users.toml result=ok",
		"disconnect user=cam result=ok", "drain result=ok", "stop result=ok",
	}
	if !slices.Equal(got, want) {
		t.Errorf("recorded\n%s\nand not\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// Whose password was right a short time ago, and is not verified again, is let in by the memory.
func TestARememberedLoginIsRecordedAsSuch(t *testing.T) {
	dir := t.TempDir()
	log, usersFile := filepath.Join(dir, "audit"), filepath.Join(dir, "users.toml")
	hash, err := auth.NewHash("sha256-crypt", "", "sesame")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(usersFile, []byte("[users.cam]\npassword = '"+hash+"'\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	r := start(t, nil, ":memory:", "--addr", "127.0.0.1:0", "--users", usersFile, "--audit-log", log)
	url := r.url(t)
	for _, argument := range []string{"", " argument=cache"} {
		c := dial(t, url)
		c.cmd(331, "USER cam")
		c.cmd(230, "PASS sesame")
		all := audited(t, log, "user", "rule", "argument")
		if got, want := all[len(all)-1], "login user=cam rule=file"+argument; got != want {
			t.Errorf("recorded %q, not %q", got, want)
		}
		c.cmd(221, "QUIT")
	}
}
