package test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// rclone returns the program that RCLONE_BIN names, or that is installed, when it is new enough:
// the protocol is that of version 1.74 and later.
func rclone(t *testing.T) string {
	t.Helper()
	name := os.Getenv("RCLONE_BIN")
	if name == "" {
		name = "rclone"
	}
	path, err := exec.LookPath(name)
	if err != nil {
		t.Skipf("rclone is not there to compare with: install it, or name it in RCLONE_BIN (%v)", err)
	}
	cmd, log := rcloneCommand(t, path, "version")
	if err := cmd.Run(); err != nil {
		t.Fatalf("rclone version: %v: %s", err, log)
	}
	var major, minor int
	if _, err := fmt.Sscanf(log.String(), "rclone v%d.%d", &major, &minor); err != nil || major == 1 && minor < 74 {
		t.Skipf("this rclone is too old to compare with: 1.74 or later is needed (%q)", log)
	}
	return path
}

var servingRC = regexp.MustCompile(`serving remote control on \[?(http://[^\s\]]+)`)

// controlAddress waits until a program says where its remote control is.
func controlAddress(t *testing.T, log *logBuffer) string {
	t.Helper()
	text, err := log.waitFor(servingRC.MatchString)
	if err != nil {
		t.Fatal(err)
	}
	return servingRC.FindStringSubmatch(text)[1]
}

// startRclone has rclone serve root over HTTP, and returns where its remote control is.
func startRclone(t *testing.T, program, root string) string {
	t.Helper()
	cmd, log := rcloneCommand(t, program, "serve", "http", root, "--addr", "127.0.0.1:0", "--rc", "--rc-addr", "127.0.0.1:0", "--rc-no-auth")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill() // it has nothing to save
		_ = cmd.Wait()         // and says that it was killed
	})
	url := controlAddress(t, log)
	if _, err := log.waitFor(regexp.MustCompile(`(?i)(HTTP server started|Serving on)`).MatchString); err != nil {
		t.Fatal(err)
	}
	return url
}

func rcloneCommand(t *testing.T, program string, args ...string) (*exec.Cmd, *logBuffer) {
	t.Helper()
	home := t.TempDir()
	cmd, log := exec.Command(program, args...), newLogBuffer()
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + home, "RCLONE_CONFIG=" + filepath.Join(home, "rclone.conf")}
	cmd.Stdout, cmd.Stderr = log, log
	return cmd, log
}

// An rcRequest is sent to both programs.
type rcRequest struct {
	path, contentType, body string
}

func (q rcRequest) post(t *testing.T, url string) (int, map[string]any) {
	t.Helper()
	resp, err := http.Post(url+q.path, q.contentType, strings.NewReader(q.body))
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	var out map[string]any
	if err := json.Unmarshal(body, &out); err != nil {
		t.Fatalf("%s: %v: %s", url+q.path, err, body)
	}
	return resp.StatusCode, out
}

// Both programs are asked the same about the same directory.
func TestRemoteControlAnswersAsRclone(t *testing.T) {
	program := rclone(t)
	defer http.DefaultClient.CloseIdleConnections()
	root := t.TempDir()
	if err := os.MkdirAll(filepath.Join(root, "dir", "below"), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(root, "file"), []byte("x"), 0o666); err != nil {
		t.Fatal(err)
	}
	theirs := startRclone(t, program, root)
	p, _ := serve(t, root, "--rc", "--rc-addr", "127.0.0.1:0", "--rc-no-auth")
	ours := controlAddress(t, p.log)
	const form, object = "application/x-www-form-urlencoded", "application/json"
	for _, q := range []rcRequest{
		{path: "rc/noop?a=1&b=x&b=y"},
		{"rc/noop?b=9&c=3", form, "a=1&b=2"},
		{"rc/noop?b=9&c=3", object, `{"b":{"x":[1,2.5,true,null]},"n":7}`},
		{"rc/noop?a=1", "text/plain", "b=2"},
		{path: "rc/noop?_group=g&a=1"},
		{path: "rc/error?a=1"},
		{path: "no/such"},
		{path: "rc/noop/"},
		{"rc/noop", object, "{"},
		{path: "core/obscure"},
		{path: "core/gc"},
		{path: "core/transferred"},
		{path: "core/bwlimit"},
		{path: "job/status"},
		{path: "job/status?jobid=abc"},
		{path: "job/status?jobid=99999"},
		{path: "vfs/list"},
		{path: "vfs/forget"},
		{path: "vfs/forget?file=a/b"},
		{path: "vfs/forget?dir=/dir/"},
		{path: "vfs/forget?bogus=1"},
		{path: "vfs/forget?fs=nobody:"},
		{"vfs/forget", object, `{"file":1}`},
		{path: "vfs/refresh"},
		{path: "vfs/refresh?dir=dir&dir2=missing&dir3=file&recursive=true"},
		{path: "vfs/refresh?recursive=maybe"},
		{path: "vfs/refresh?bogus=1"},
		{"vfs/refresh", object, `{"recursive":true}`},
		{path: "vfs/poll-interval"},
		{path: "vfs/poll-interval?interval=1m"},
		{path: "vfs/poll-interval?bogus=1m"},
	} {
		theirStatus, want := q.post(t, theirs)
		ourStatus, got := q.post(t, ours)
		if ourStatus != theirStatus || !reflect.DeepEqual(got, want) {
			t.Errorf("%s %s:\n ferry: %d %v\nrclone: %d %v", q.path, q.body, ourStatus, got, theirStatus, want)
		}
	}
	// Of these the values differ, but each key of theirs is there with a value of its type.
	for _, path := range []string{"core/version", "core/pid", "core/memstats", "core/stats", "vfs/stats", "job/list", "job/status?jobid=1", "rc/noop?_async=true"} {
		theirStatus, want := rcRequest{path: path}.post(t, theirs)
		ourStatus, got := rcRequest{path: path}.post(t, ours)
		if path == "vfs/stats" {
			want["opt"] = map[string]any{} // options that ferry does not have
		}
		if missing := lacks(want, got); ourStatus != theirStatus || len(missing) > 0 {
			t.Errorf("%s: %d and %d; without %q", path, ourStatus, theirStatus, missing)
		}
	}
}

// lacks returns the keys of want whose values got does not have, or in another type.
func lacks(want, got map[string]any) []string {
	var missing []string
	for _, key := range slices.Sorted(maps.Keys(want)) {
		w, g := want[key], got[key]
		if inner, ok := w.(map[string]any); ok {
			if g, ok := g.(map[string]any); ok {
				missing = append(missing, lacks(inner, g)...)
				continue
			}
		}
		if reflect.TypeOf(w) != reflect.TypeOf(g) {
			missing = append(missing, fmt.Sprintf("%s (%T, not %T)", key, g, w))
		}
	}
	return missing
}

// The client of each talks to the server of the other.
func TestRemoteControlClientsAreInterchangeable(t *testing.T) {
	program := rclone(t)
	root := t.TempDir()
	theirs := startRclone(t, program, root)
	p, _ := serve(t, root, "--rc", "--rc-addr", "127.0.0.1:0")
	ours := controlAddress(t, p.log)
	want := map[string]any{"forgotten": []any{"path"}}

	client, err := start(t.TempDir(), nil, "rc", "--url", theirs, "vfs/forget", "dir=path")
	if err != nil {
		t.Fatal(err)
	}
	if code, err := client.wait(); err != nil || code != 0 || !reflect.DeepEqual(decode(t, client.log.String()), want) {
		t.Errorf("ferry rc: %d, %v: %s", code, err, client.log)
	}
	cmd, log := rcloneCommand(t, program, "rc", "--url", ours, "vfs/forget", "dir=path")
	if err := cmd.Run(); err != nil || !reflect.DeepEqual(decode(t, log.String()), want) {
		t.Errorf("rclone rc: %v: %s", err, log)
	}
	cmd, log = rcloneCommand(t, program, "rc", "--url", ours, "rc/error", "a=1")
	if err := cmd.Run(); err == nil || !strings.Contains(log.String(), "arbitrary error on input map[a:1]") {
		t.Errorf("rclone rc: %v: %s", err, log)
	}
	cmd, log = rcloneCommand(t, program, "rc", "--url", ours)
	if err := cmd.Run(); err != nil || !strings.Contains(log.String(), "ftp/sessions") {
		t.Errorf("rclone rc: %v: %s", err, log)
	}
}

// decode reads the JSON object in the output of a program that may have logged something in front
// of it.
func decode(t *testing.T, output string) (out map[string]any) {
	t.Helper()
	if err := json.NewDecoder(bytes.NewReader([]byte(output[max(strings.Index(output, "{"), 0):]))).Decode(&out); err != nil {
		t.Errorf("%v: %s", err, output)
	}
	return out
}
