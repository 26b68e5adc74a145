package test

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"ferry/remote/remotetest/servers"
)

// oneSession serves one client that stores and fetches a file, stops ferry, and returns what was
// logged.
func oneSession(t *testing.T, args ...string) string {
	t.Helper()
	p, addr := serve(t, t.TempDir(), args...)
	c := login(t, "", addr)
	c.upload("STOR file", []byte("content"))
	c.fetch("RETR file")
	c.do("QUIT", 221)
	if code, err := p.stop(); err != nil || code != 0 {
		t.Errorf("exit status %d, %v", code, err)
	}
	return p.log.String()
}

func TestLogLevels(t *testing.T) {
	tests := []struct {
		flags           []string
		absent, present []string
	}{
		{nil, []string{"INFO", "DEBUG"}, []string{"NOTICE"}},
		{[]string{"-v"}, []string{"DEBUG"}, []string{"NOTICE", "INFO"}},
		{[]string{"-vv"}, nil, []string{"NOTICE", "INFO", "DEBUG"}},
		{[]string{"--log-level", "DEBUG"}, nil, []string{"NOTICE", "INFO", "DEBUG"}},
		{[]string{"--log-level", "INFO"}, []string{"DEBUG"}, []string{"NOTICE", "INFO"}},
	}
	for _, tt := range tests {
		t.Run(strings.Join(tt.flags, " "), func(t *testing.T) {
			text := oneSession(t, tt.flags...)
			for _, level := range tt.absent {
				if strings.Contains(text, level) {
					t.Errorf("%s is in the log:\n%s", level, text)
				}
			}
			for _, level := range tt.present {
				if !strings.Contains(text, level) {
					t.Errorf("%s is not in the log:\n%s", level, text)
				}
			}
		})
	}
}

func TestTextLogHasTheUsualForm(t *testing.T) {
	form := regexp.MustCompile(`^\d{4}/\d\d/\d\d \d\d:\d\d:\d\d (ERROR|WARN|NOTICE|INFO|DEBUG) *: \S.*$`)
	for line := range strings.Lines(oneSession(t, "-vv")) {
		if !form.MatchString(strings.TrimSuffix(line, "\n")) {
			t.Errorf("a line of another form: %q", line)
		}
	}
}

func TestJSONLogIsJSON(t *testing.T) {
	var transfers int
	for line := range strings.Lines(oneSession(t, "-vv", "--log-format", "json")) {
		var record struct{ Time, Level, Msg, Path, User string }
		if err := json.Unmarshal([]byte(line), &record); err != nil {
			t.Errorf("%v in %q", err, line)
		}
		if record.Time == "" || record.Level == "" || record.Msg == "" {
			t.Errorf("incomplete: %q", line)
		}
		if record.Path == "/file" && record.User == "bob" {
			transfers++
		}
	}
	if transfers != 2 {
		t.Errorf("%d transfers are logged, want 2", transfers)
	}
}

func TestQuiet(t *testing.T) {
	addr := fmt.Sprint("127.0.0.1:", servers.FreePort(t)) // to know a port without the help of the log
	p, err := start(t.TempDir(), nil, "serve", "ftp", t.TempDir(), "--addr", addr, "--user", "bob", "-q")
	if err != nil {
		t.Fatal(err)
	}
	defer p.kill()
	for begin := time.Now(); ; time.Sleep(10 * time.Millisecond) {
		conn, err := dial("", addr)
		if err == nil {
			conn.Close()
			break
		}
		if time.Since(begin) > patience {
			t.Fatalf("%v; the log: %s", err, p.log)
		}
	}
	login(t, "", addr).do("QUIT", 221)
	if code, err := p.stop(); err != nil || code != 0 {
		t.Errorf("exit status %d, %v", code, err)
	}
	if text := p.log.String(); text != "" {
		t.Errorf("something was printed: %q", text)
	}
}
