package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"ferry/cmd/ferry/internal/flags"
)

// Whatever is wrong is said in one line that names the flag and the remedy.
func TestWrongCommandLines(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	missing := filepath.Join(t.TempDir(), "missing")
	tests := []struct {
		status int
		want   []string
		env    []string
		args   []string
	}{
		{2, []string{"name a directory"}, nil, nil},
		{2, []string{"one remote:path", "2"}, nil, []string{"a", "b"}},
		{2, []string{"--nope", "--help"}, nil, []string{".", "--nope"}},
		{2, []string{"-Z", "--help"}, nil, []string{".", "-Z"}},
		{2, []string{"--pass", "value"}, nil, []string{".", "--pass"}},
		{2, []string{"--addr", "localhost:2121"}, nil, []string{".", "--addr", "2121"}},
		{2, []string{"--addr", "65535"}, nil, []string{".", "--addr", "localhost:ftp"}},
		{2, []string{"--addr", "65535"}, nil, []string{".", "--addr", "localhost:65536"}},
		{2, []string{"--implicit-tls-addr", "HOST:PORT"}, nil, []string{".", "--implicit-tls-addr", "x"}},
		{2, []string{"--passive-port", "30000-32000"}, nil, []string{".", "--passive-port", "ten"}},
		{2, []string{"--passive-port", "smaller port"}, nil, []string{".", "--passive-port", "2-1"}},
		{2, []string{"FERRY_PASSIVE_PORT", "--passive-port", "30000-32000"}, []string{"FERRY_PASSIVE_PORT=x"}, []string{"."}},
		{2, []string{"RCLONE_UID", "--uid", "number"}, []string{"RCLONE_UID=me"}, []string{"."}},
		{2, []string{"--public-ip", "IPv4"}, nil, []string{".", "--public-ip", "2001:db8::1"}},
		{2, []string{"--public-ip", "host name"}, nil, []string{".", "--public-ip", "1.2.3"}},
		{2, []string{"--idle-timeout", "off"}, nil, []string{".", "--idle-timeout", "0"}},
		{2, []string{"--dir-cache-time", "5m"}, nil, []string{".", "--dir-cache-time", "1d12h"}},
		{2, []string{"--data-timeout", "30s,2m"}, nil, []string{".", "--data-timeout", "30s,0"}},
		{2, []string{"--umask", "octal"}, nil, []string{".", "--umask", "9"}},
		{2, []string{"--read-only", "true or false"}, nil, []string{".", "--read-only=perhaps"}},
		{2, []string{"--bwlimit", "128M"}, nil, []string{".", "--bwlimit", "fast"}},
		{2, []string{"--tpslimit", "0.5"}, nil, []string{".", "--tpslimit", "-1"}},
		{2, []string{"--low-level-retries", "number"}, nil, []string{".", "--low-level-retries", "-1"}},
		{2, []string{"--buffer-size", "128M"}, nil, []string{".", "--buffer-size", "10MB"}},
		{2, []string{"--vfs-cache-mode", "minimal"}, nil, []string{".", "--vfs-cache-mode", "some"}},
		{2, []string{"--min-tls-version", "1.3"}, nil, []string{".", "--min-tls-version", "2"}},
		{2, []string{"--log-level", "NOTICE"}, nil, []string{".", "--log-level", "LOUD"}},
		{2, []string{"--ascii", "convert"}, nil, []string{".", "--ascii", "x"}},
		{2, []string{"--include", "[a"}, nil, []string{".", "--include", "[a"}},
		{2, []string{"--filter", "+ and a pattern"}, nil, []string{".", "--filter", "*.jpg"}},
		{2, []string{"--exclude-from", missing, "no such file"}, nil, []string{".", "--exclude-from", missing}},
		{2, []string{"--min-size", "--max-size"}, nil, []string{".", "--min-size", "2k", "--max-size", "1k"}},
		{2, []string{"--max-age", "2d"}, nil, []string{".", "--max-age", "soon"}},
		{2, []string{"FERRY_EXCLUDE", "commas"}, []string{`FERRY_EXCLUDE=a"b`}, []string{"."}},
		{2, []string{"--rc-addr", "localhost:2121"}, nil, []string{".", "--rc-addr", "5572"}},
		{2, []string{"--rc-addr", "unix:///run"}, nil, []string{".", "--rc-addr", "unix://"}},
		{2, []string{"--rc-allow-origin", "https://"}, nil, []string{".", "--rc-allow-origin", "admin.example.org"}},
		{2, []string{"--rc-allow-origin", "https://"}, nil, []string{".", "--rc-allow-origin", "https://admin.example.org/path"}},
		{2, []string{"--rc-user", "--rc-pass"}, nil, []string{".", "--rc-user", "bob"}},
		{2, []string{"--rc-user", "--rc-pass"}, nil, []string{".", "--rc-pass", "x"}},
		{2, []string{"--rc-user", "--rc-htpasswd"}, nil, []string{".", "--rc-user", "b", "--rc-pass", "x", "--rc-htpasswd", "f"}},
		{2, []string{"--rc-no-auth"}, nil, []string{".", "--rc-no-auth", "--rc-htpasswd", "f"}},
		{2, []string{"--rc-cert", "--rc-key"}, nil, []string{".", "--rc-cert", "c"}},
		{1, []string{"--rc-cert", "--rc-key", missing}, nil, []string{".", "--addr", "127.0.0.1:0", "--rc", "--rc-cert", missing, "--rc-key", missing}},
		{1, []string{"--rc-htpasswd", missing}, nil, []string{".", "--addr", "127.0.0.1:0", "--rc", "--rc-htpasswd", missing}},
		{1, []string{"--rc-addr", missing}, nil, []string{".", "--addr", "127.0.0.1:0", "--rc", "--rc-addr", filepath.Join(missing, "sock")}},
		{2, []string{"-q", "-v"}, nil, []string{".", "-q", "-v"}},
		{2, []string{"--log-level", "-q"}, nil, []string{".", "-q", "--log-level", "INFO"}},
		{2, []string{"--cert", "--key"}, nil, []string{".", "--cert", "c"}},
		{2, []string{"--cert", "--key"}, nil, []string{".", "--key", "k"}},
		{2, []string{"--tls", "--cert"}, nil, []string{".", "--tls", "self-signed", "--cert", "c", "--key", "k"}},
		{2, []string{"--require-tls", "--tls self-signed"}, nil, []string{".", "--require-tls"}},
		{2, []string{"--implicit-tls-addr", "--tls self-signed"}, nil, []string{".", "--implicit-tls-addr", ":0"}},
		{2, []string{"work", "configuration", "ferry listremotes"}, []string{"RCLONE_CONFIG=notfound"}, []string{"work:"}},
		{2, []string{"nosuch", "s3"}, nil, []string{":nosuch:bucket"}},
		{2, []string{"second one"}, nil, []string{":s3"}},
		{1, []string{":memory", "leave it out"}, nil, []string{":memory:x"}},
		{2, []string{"webdav", "url"}, nil, []string{":webdav:x"}},
		{1, []string{missing, "no such directory", "create it"}, nil, []string{missing}},
		{1, []string{file, "not a directory"}, nil, []string{file}},
		{1, []string{"--cert", "--key", missing}, nil, []string{".", "--cert", missing, "--key", missing}},
		{1, []string{"--log-file", missing}, nil, []string{".", "--log-file", filepath.Join(missing, "x")}},
		{1, []string{"--tls self-signed", "--cache-dir"}, nil, []string{".", "--tls", "self-signed", "--cache-dir", file}},
	}
	for _, tt := range tests {
		t.Run(strings.Join(append(tt.env, tt.args...), " "), func(t *testing.T) {
			status, stdout, stderr := runNow(t, tt.env, append([]string{"serve", "ftp"}, tt.args...)...)
			if status != tt.status || stdout != "" || strings.Count(stderr, "\n") != 1 || !strings.HasPrefix(stderr, "ferry: ") {
				t.Errorf("status %d, want %d; output %q; error:\n%s", status, tt.status, stdout, stderr)
			}
			for _, want := range tt.want {
				if !strings.Contains(stderr, want) {
					t.Errorf("%q is missing in: %s", want, stderr)
				}
			}
		})
	}
}

func TestCommands(t *testing.T) {
	tests := []struct {
		args   []string
		status int
		want   string // in the output
	}{
		{nil, 0, "serve"},
		{[]string{"--help"}, 0, "completion"},
		{[]string{"version"}, 0, "ferry "},
		{[]string{"--version"}, 0, "ferry version "},
		{[]string{"completion", "bash"}, 0, "bash completion"},
		{[]string{"serve", "ftp", "--help"}, 0, "--passive-port"},
		{[]string{"__complete", "serve", "ftp", "--ascii", ""}, 0, "convert"},
		{[]string{"-v", "version"}, 0, "ferry "},
	}
	for _, tt := range tests {
		t.Run(strings.Join(tt.args, " "), func(t *testing.T) {
			status, stdout, stderr := runNow(t, nil, tt.args...)
			if status != tt.status || !strings.Contains(stdout, tt.want) {
				t.Errorf("status %d, output:\n%s\nerror:\n%s", status, stdout, stderr)
			}
		})
	}
	if status, _, stderr := runNow(t, nil, "sreve"); status != exitUsage || !strings.Contains(stderr, "sreve") {
		t.Errorf("status %d: %s", status, stderr)
	}
}

func TestHelpIsGrouped(t *testing.T) {
	_, help, _ := runNow(t, nil, "serve", "ftp", "--help")
	last := 0
	for _, g := range flags.All(&flags.Options{}) {
		hidden := g.Title == "Accepted" || g.Title == "Not there"
		if at := strings.Index(help, "\n"+g.Title+" flags:\n"); hidden {
			if at >= 0 {
				t.Errorf("the group %s is shown", g.Title)
			}
		} else if at < last {
			t.Errorf("the group %s is missing or out of order", g.Title)
		} else {
			last = at
		}
		for _, row := range g.Flags {
			name, _, _ := strings.Cut(row.Name, "/")
			if (strings.Count(help, "--"+name+" ") < 1) != hidden {
				t.Errorf("--%s is missing, or is there and should not be", name)
			}
		}
	}
}
