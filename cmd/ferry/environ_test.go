package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"ferry/cmd/ferry/internal/flags"
	"ferry/config"
)

// A variable of ferry that sets nothing ends the start, with the name that was meant.
func TestUnknownVariablesOfFerry(t *testing.T) {
	for variable, want := range map[string]string{
		"FERRY_READONLY=1":      "FERRY_READ_ONLY",
		"FERRY_REQUIRE_TSL=1":   "FERRY_REQUIRE_TLS",
		"FERRY_PASSWORD=x":      "FERRY_PASS",
		"FERRY_S3_REGION=x":     "RCLONE_S3_REGION",
		"FERRY_NO_SUCH_THING=x": "--help",
		"FERRY_LOGLEVEL=INFO":   "FERRY_LOG_LEVEL",
	} {
		for _, args := range [][]string{{"serve", "ftp", "."}, {"check", "."}, {"listremotes"}, {"cache", "ls"}} {
			status, _, stderr := runNow(t, []string{"RCLONE_CONFIG=notfound", variable}, args...)
			name, value, _ := strings.Cut(variable, "=")
			if status != exitUsage || !strings.Contains(stderr, name+" ") && !strings.Contains(stderr, name+":") ||
				!strings.Contains(stderr, want) || strings.Contains(stderr, `"`+value+`"`) {
				t.Errorf("%s %v: status %d: %s", variable, args, status, stderr)
			}
		}
	}
}

func TestUnknownVariablesOfRclone(t *testing.T) {
	env := []string{"RCLONE_REED_ONLY=true", "RCLONE_CONFIG=notfound", "RCLONE_CONFIG_PASS=x", "RCLONE_CONFIG_NAS_TYPE=sftp", "RCLONE_CONFIG_DIR=/x",
		"RCLONE_S3_REGION=x", "RCLONE_S3_CHUNKSIZE=5M", "RCLONE_USER=bob", "RCLONE_NOTHING="}
	r := start(t, env, ":memory:", "--addr", "127.0.0.1:0")
	r.url(t)
	warnings := slices.DeleteFunc(strings.Split(r.logged(), "\n"), func(l string) bool { return !strings.Contains(l, "WARN") })
	if len(warnings) != 1 {
		t.Fatalf("%d warnings:\n%s", len(warnings), r.logged())
	}
	for _, want := range []string{"RCLONE_REED_ONLY", "RCLONE_READ_ONLY", "RCLONE_S3_CHUNKSIZE", "RCLONE_S3_CHUNK_SIZE"} {
		if !strings.Contains(warnings[0], want) {
			t.Errorf("%s is missing: %s", want, warnings[0])
		}
	}
	for _, not := range []string{"RCLONE_USER", "NAS", "PASS", "REGION", "NOTHING"} {
		if strings.Contains(warnings[0], not) {
			t.Errorf("%s is named: %s", not, warnings[0])
		}
	}
	if got := flags.UnknownVariables(config.ParseEnviron([]string{"RCLONE_CONFIG_NAS_NOSUCH=1", "RCLONE_BIND="})); got != nil {
		t.Errorf("got %v", got)
	}
}

// Who names a second user has not two of them.
func TestCredentialsAreGivenOnce(t *testing.T) {
	for _, flag := range []string{"--user", "--pass", "--rc-user", "--rc-pass"} {
		status, _, stderr := runNow(t, nil, "serve", "ftp", ".", flag, "first-one", flag+"=other-one")
		if status != exitUsage || !strings.Contains(stderr, flag) || !strings.Contains(stderr, "twice") || strings.Contains(stderr, "-one") {
			t.Errorf("%s: status %d: %s", flag, status, stderr)
		}
	}
	status, _, stderr := runNow(t, nil, "serve", "ftp", ".", "--user", "")
	if status != exitUsage || !strings.Contains(stderr, "--user") || !strings.Contains(stderr, "anonymous") {
		t.Errorf("an empty user: status %d: %s", status, stderr)
	}
}

// A configuration file that was named is there, or it is an error, also where nothing of it is
// needed.
func TestAConfigurationFileThatIsMissing(t *testing.T) {
	missing := filepath.Join(t.TempDir(), "rclone.conf")
	for _, args := range [][]string{
		{"serve", "ftp", "."}, {"serve", "ftp", "nas:"}, {"check", "."}, {"cleanup", "."}, {"listremotes"}, {"config", "show"}, {"config", "dump"},
	} {
		status, stdout, stderr := runNow(t, nil, append(args, "--config", missing)...)
		if status != exitUsage || stdout != "" || !strings.Contains(stderr, "--config") || !strings.Contains(stderr, missing) {
			t.Errorf("%v: status %d: %s%s", args, status, stdout, stderr)
		}
	}
	for _, name := range []string{"FERRY_CONFIG", "RCLONE_CONFIG"} { // rclone takes a missing file for an empty one
		status, _, stderr := runNow(t, []string{name + "=" + missing}, "serve", "ftp", "nas:")
		isSaid := strings.Contains(stderr, "there is no such file")
		if status != exitUsage || !strings.Contains(stderr, missing) || isSaid != (name == "FERRY_CONFIG") {
			t.Errorf("%s: status %d: %s", name, status, stderr)
		}
	}
	start(t, []string{"RCLONE_CONFIG=" + missing}, ":memory:", "--addr", "127.0.0.1:0").url(t) // it is not read
	for _, args := range [][]string{{"config", "file"}, {"config", "touch"}, {"listremotes"}} {
		if status, _, stderr := runNow(t, nil, append(args, "--config", missing)...); status != exitOK {
			t.Errorf("%v: status %d: %s", args, status, stderr)
		}
	}
	if err := os.Remove(missing); err != nil {
		t.Fatal(err)
	}
	if status, _, stderr := runNow(t, nil, "config", "create", "nas", "sftp", "host=x", "--config", missing); status != exitOK {
		t.Errorf("create: status %d: %s", status, stderr)
	}
	for _, none := range []string{"", "notfound", os.DevNull} {
		if status, _, stderr := runNow(t, nil, "listremotes", "--config", none); status != exitOK {
			t.Errorf("%q: status %d: %s", none, status, stderr)
		}
	}
}

// A host name that is not found is told at the start, not by the first client that fails.
func TestAPublicIPThatDoesNotResolve(t *testing.T) {
	r := start(t, nil, ":memory:", "--addr", "127.0.0.1:0", "--public-ip", "no-such-host.invalid")
	r.url(t)
	r.waitFor(t, "--public-ip")
	if !strings.Contains(r.logged(), "WARN") || !strings.Contains(r.logged(), "no-such-host.invalid") {
		t.Errorf("the log:\n%s", r.logged())
	}
}

// A flag that does not exist is told with the one that was meant.
func TestUnknownFlagsNameTheNearest(t *testing.T) {
	status, _, stderr := runNow(t, nil, "serve", "ftp", ".", "--readonly")
	if status != exitUsage || !strings.Contains(stderr, "--readonly") || !strings.Contains(stderr, "--read-only") {
		t.Errorf("status %d: %s", status, stderr)
	}
}
