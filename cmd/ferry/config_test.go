package main

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"ferry/config"
)

// A house is a home directory with a configuration file.
type house struct {
	t    *testing.T
	path string
	env  []string
}

func newHouse(t *testing.T, text string) *house {
	t.Helper()
	path := filepath.Join(t.TempDir(), "rclone.conf")
	if text != "" {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return &house{t: t, path: path, env: []string{"RCLONE_CONFIG=" + path, "PATH=" + os.Getenv("PATH")}}
}

// text returns what the file says.
func (h *house) text() string {
	h.t.Helper()
	text, err := os.ReadFile(h.path)
	if err != nil {
		h.t.Fatal(err)
	}
	return string(text)
}

// ok runs ferry, which must succeed, and returns its output.
func (h *house) ok(args ...string) string {
	h.t.Helper()
	status, stdout, stderr := runNow(h.t, h.env, args...)
	if status != exitOK {
		h.t.Fatalf("ferry %s: status %d\n%s", strings.Join(args, " "), status, stderr)
	}
	return stdout
}

// fails runs ferry, which must fail with one line that holds want.
func (h *house) fails(status int, want string, args ...string) {
	h.t.Helper()
	got, stdout, stderr := runNow(h.t, h.env, args...)
	if got != status || stdout != "" || strings.Count(stderr, "\n") != 1 || !strings.Contains(stderr, want) {
		h.t.Errorf("ferry %s: status %d, want %d; %q\n%s", strings.Join(args, " "), got, status, want, stdout+stderr)
	}
}

// value returns what the file says of an option.
func (h *house) value(name, key string) string {
	h.t.Helper()
	d, err := config.ParseDocument([]byte(h.text()))
	if err != nil {
		h.t.Fatal(err)
	}
	v, _ := d.Get(name, key)
	return v
}

const twoRemotes = `# mine
[nas]
type = sftp
host = nas.example.org
pass = YWFhYWFhYWFhYWFhYWFhYXMaGgIlEQ

[here]
type = local
description = this machine
`

func TestConfigFile(t *testing.T) {
	h := newHouse(t, "not a configuration")
	if got, want := h.ok("config", "file"), "Configuration file is stored at:\n"+h.path+"\n"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	if got, want := h.ok("config", "file", "--config", h.path+"x"), "Configuration file doesn't exist, but ferry will use this path:\n"+h.path+"x\n"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	for _, path := range []string{"", "notfound", os.DevNull} {
		if got, want := h.ok("config", "file", "--config="+path), "Configuration is in memory only\n"; got != want {
			t.Errorf("%q: %q, want %q", path, got, want)
		}
	}
	h.env = []string{"RCLONE_CONFIG="}
	if got, want := h.ok("config", "file"), "Configuration is in memory only\n"; got != want {
		t.Errorf("empty variable: %q, want %q", got, want)
	}
	home := t.TempDir()
	h.env = []string{"HOME=" + home, "APPDATA=" + home, "XDG_CONFIG_HOME=" + home}
	if got, want := h.ok("config", "file"), filepath.Join(home, "rclone", "rclone.conf"); !strings.Contains(got, want) {
		t.Errorf("found: %q, want %q", got, want)
	}
}

func TestConfigTouch(t *testing.T) {
	h := newHouse(t, "")
	h.ok("config", "touch")
	if got := h.text(); got != "" {
		t.Errorf("the new file says %q", got)
	}
	h = newHouse(t, twoRemotes)
	h.ok("config", "touch")
	if got := h.text(); got != twoRemotes {
		t.Errorf("the file says %q", got)
	}
}

func TestConfigShow(t *testing.T) {
	h := newHouse(t, twoRemotes)
	hidden := strings.Replace(twoRemotes, "YWFhYWFhYWFhYWFhYWFhYXMaGgIlEQ", "***", 1)
	if got := h.ok("config", "show"); got != hidden {
		t.Errorf("%q, want %q", got, hidden)
	}
	if got := h.ok("config", "show", "--show-secrets"); got != twoRemotes {
		t.Errorf("%q, want %q", got, twoRemotes)
	}
	h.env = append(h.env, "RCLONE_CONFIG_NAS_HOST=other")
	if got, want := h.ok("config", "show", "nas:"), "[nas]\ntype = sftp\nhost = other\npass = ***\n"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	if got := h.ok("config", "show", "nas", "--show-secrets"); !strings.Contains(got, "pass = YWFh") {
		t.Errorf("%q", got)
	}
	h.fails(exitFailure, `"other" is not in the configuration file`, "config", "show", "other")
	h.fails(exitUsage, "2 arguments", "config", "show", "a", "b")
	if got, want := newHouse(t, "").ok("config", "show"), "; empty config\n"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

func TestConfigDump(t *testing.T) {
	h := newHouse(t, twoRemotes)
	h.env = append(h.env, "RCLONE_CONFIG_NAS_HOST=<other>")
	text := h.ok("config", "dump")
	var got map[string]map[string]string
	if err := json.Unmarshal([]byte(text), &got); err != nil {
		t.Fatal(err)
	}
	if len(got) != 2 || got["nas"]["host"] != "<other>" || got["nas"]["pass"] != "YWFhYWFhYWFhYWFhYWFhYXMaGgIlEQ" || got["here"]["description"] != "this machine" {
		t.Errorf("%s", text)
	}
}

func TestConfigCreate(t *testing.T) {
	h := newHouse(t, twoRemotes)
	got := h.ok("config", "create", "there:", "local", "copy_links", "true", "description=a=b")
	if want := "[there]\ntype = local\ncopy_links = true\ndescription = a=b\n"; got != want || !strings.HasSuffix(h.text(), "\n\n"+want) {
		t.Errorf("%q, the file says %q", got, h.text())
	}
	h.ok("config", "create", "nas", "memory", "--no-output", "--non-interactive")
	if got, want := h.text(), "[here]\ntype = local\n"; !strings.HasPrefix(got, want) || h.value("nas", "host") != "" || h.value("nas", "type") != "memory" {
		t.Errorf("after it was replaced the file says %q", got)
	}
	before := h.text()
	h.fails(exitUsage, `"tape"`, "config", "create", "new", "tape")
	h.fails(exitUsage, `"copy_links" lacks a value`, "config", "create", "new", "local", "copy_links")
	h.fails(exitUsage, "1 arguments", "config", "create", "new")
	h.fails(exitFailure, "name", "config", "create", "a]", "local")
	h.fails(exitFailure, "line end", "config", "create", "new", "local", "description=a\nb")
	if got := h.text(); got != before {
		t.Errorf("after errors the file says %q", got)
	}
}

func TestConfigCreateTakesNoValuesThatCannotBe(t *testing.T) {
	h := newHouse(t, twoRemotes)
	before := h.text()
	for setting, want := range map[string]string{
		"hots=hunter2": `type sftp has no option "hots": did you mean host?`,
		"port=hunter2": "option port: it is a whole number",
	} {
		for _, command := range [][]string{{"create", "new", "sftp"}, {"update", "nas"}} {
			status, _, stderr := runNow(t, h.env, append(append([]string{"config"}, command...), setting)...)
			if status != exitUsage || !strings.Contains(stderr, want) || strings.Contains(stderr, "hunter2") || h.text() != before {
				t.Errorf("%s %s: status %d, %q, then\n%s", command[0], setting, status, stderr, h.text())
			}
		}
	}
}

func TestConfigUpdate(t *testing.T) {
	h := newHouse(t, twoRemotes)
	h.ok("config", "update", "nas", "host=10.0.0.1", "port", "2222")
	want := strings.Replace(twoRemotes, "nas.example.org", "10.0.0.1", 1)
	want = strings.Replace(want, "XMaGgIlEQ\n", "XMaGgIlEQ\nport = 2222\n", 1)
	if got := h.text(); got != want {
		t.Errorf("%q, want %q", got, want)
	}
	h.fails(exitFailure, `"other" is not in the configuration file`, "config", "update", "other", "host=x")
}

func TestPasswordsAreObscured(t *testing.T) {
	const obscured = "YmJiYmJiYmJiYmJiYmJiYp3gcEWbAw"
	for _, tt := range []struct {
		name string
		args []string
		want string // what revealing once gives
	}{
		{"plain", []string{"update", "nas", "pass=hunter2"}, "hunter2"},
		{"obscured already", []string{"update", "nas", "pass=" + obscured}, "potato"},
		{"long and in clear", []string{"update", "nas", "pass=correct-horse-battery-staple-for-the-nas"}, "correct-horse-battery-staple-for-the-nas"},
		{"22 characters", []string{"update", "nas", "pass=AbCdEfGhIjKlMnOpQrStUw"}, "AbCdEfGhIjKlMnOpQrStUw"},
		{"looks obscured", []string{"update", "nas", "--obscure", "pass=" + obscured}, obscured},
		{"config password", []string{"password", "nas", "pass", obscured}, obscured},
		{"of the new type", []string{"update", "nas", "type=smb", "pass=hunter2"}, "hunter2"},
	} {
		h := newHouse(t, twoRemotes)
		if out := h.ok(append([]string{"config"}, tt.args...)...); strings.Contains(out, h.value("nas", "pass")) {
			t.Errorf("%s: the secret is shown: %s", tt.name, out)
		}
		if got, err := config.Reveal(h.value("nas", "pass")); err != nil || got != tt.want {
			t.Errorf("%s: revealed %q, %v; want %q", tt.name, got, err, tt.want)
		}
	}
	h := newHouse(t, twoRemotes)
	h.ok("config", "update", "nas", "--no-obscure", "pass=hunter2", "host=plain text")
	if h.value("nas", "pass") != "hunter2" || h.value("nas", "host") != "plain text" {
		t.Errorf("the file says %q", h.text())
	}
	h.ok("config", "update", "nas", "pass=")
	if got := h.value("nas", "pass"); got != "" {
		t.Errorf("no password is written as %q", got)
	}
}

func TestConfigDeleteAndUnset(t *testing.T) {
	h := newHouse(t, twoRemotes)
	h.ok("config", "unset", "nas", "host", "missing")
	if got, want := h.text(), strings.Replace(twoRemotes, "host = nas.example.org\n", "", 1); got != want {
		t.Errorf("%q, want %q", got, want)
	}
	h.fails(exitUsage, "ferry config delete nas", "config", "unset", "nas", "type")
	h.ok("config", "delete", "nas")
	if got, want := h.text(), twoRemotes[strings.Index(twoRemotes, "[here]"):]; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	h.ok("config", "delete", "nas")
}

func TestConfigEncryption(t *testing.T) {
	if _, err := exec.LookPath("sh"); err != nil {
		t.Skip("there is no sh")
	}
	printing := func(password string) string {
		return `--password-command=sh -c "if test $RCLONE_PASSWORD_CHANGE; then echo new; else echo ` + password + `; fi"`
	}
	h := newHouse(t, twoRemotes)
	h.fails(exitFailure, "not encrypted", "config", "encryption", "check")
	h.fails(exitFailure, "no terminal", "config", "encryption", "set")
	h.ok("config", "encryption", "set", printing("old"))
	if got := h.text(); !strings.Contains(got, "RCLONE_ENCRYPT_V0:") || strings.Contains(got, "nas") {
		t.Errorf("the file says %q", got)
	}
	h.ok("config", "encryption", "check", printing("new"))
	h.fails(exitFailure, "--password-command: wrong password", "config", "encryption", "check", printing("old"))
	h.fails(exitFailure, "RCLONE_CONFIG_PASS", "config", "show")
	h.env = append(h.env, "RCLONE_CONFIG_PASS=new")
	if got := h.ok("config", "show", "--show-secrets"); got != twoRemotes {
		t.Errorf("decrypted it is %q", got)
	}
	h.ok("config", "encryption", "remove")
	h.ok("config", "encryption", "remove")
	if got := h.text(); got != twoRemotes {
		t.Errorf("the file says %q", got)
	}
}

func TestABrokenConfigurationIsOneLine(t *testing.T) {
	h := newHouse(t, "[nas]\nhunter2\n")
	h.fails(exitFailure, h.path+": line 2", "config", "show")
	h.fails(exitFailure, h.path+": line 2", "config", "create", "new", "memory")
}

func TestListRemotes(t *testing.T) {
	h := newHouse(t, twoRemotes)
	h.env = append(h.env, "RCLONE_CONFIG_CLOUD_TYPE=s3")
	for flag, want := range map[string]string{
		"--long=false": "cloud:\nnas:\nhere:\n",
		"--long":       "cloud: s3    \nnas:   sftp  \nhere:  local this machine\n",
		"--json": `[
{"name":"cloud","type":"s3","source":"environment","description":""},
{"name":"nas","type":"sftp","source":"file","description":""},
{"name":"here","type":"local","source":"file","description":"this machine"}
]
`,
	} {
		if got := h.ok("listremotes", flag); got != want {
			t.Errorf("%s: %q, want %q", flag, got, want)
		}
	}
	if got := newHouse(t, "").ok("listremotes", "--json"); got != "[\n]\n" {
		t.Errorf("without remotes: %q", got)
	}
}

func TestObscure(t *testing.T) {
	for _, tt := range []struct{ arg, stdin, want string }{
		{"hunter2", "", "hunter2"},
		{"-", "hunter2\nmore\n", "hunter2"},
		{"-", "hunter 2\r\n", "hunter 2"},
		{"-", "hunter2", "hunter2"},
	} {
		var out, errs bytes.Buffer
		p := process{args: []string{"obscure", tt.arg}, stdin: strings.NewReader(tt.stdin), stdout: &out, stderr: &errs}
		if status := p.run(t.Context()); status != exitOK {
			t.Errorf("%q: %s", tt.arg, errs.String())
		}
		if got, err := config.Reveal(strings.TrimSuffix(out.String(), "\n")); err != nil || got != tt.want {
			t.Errorf("%q with %q: %q is %q, %v", tt.arg, tt.stdin, out.String(), got, err)
		}
	}
}
