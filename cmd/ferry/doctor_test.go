package main

import (
	"bytes"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"ferry/cmd/ferry/internal/doctorcmd"
	"ferry/ftp"
)

// doctorRows runs ferry doctor, and returns its rows by what they are about.
func doctorRows(t *testing.T, env []string, args ...string) (status int, rows map[string]doctorcmd.Row, stderr string) {
	t.Helper()
	status, stdout, stderr := runNow(t, append(env, "RCLONE_CONFIG=notfound"), append([]string{"doctor", "--json", "--probe-size", "64K"}, args...)...)
	var all []doctorcmd.Row
	if err := json.Unmarshal([]byte(stdout), &all); err != nil {
		t.Fatalf("%v: %s%s", err, stdout, stderr)
	}
	rows = map[string]doctorcmd.Row{}
	for _, row := range all {
		rows[row.Area+" "+row.What] = row
	}
	return status, rows, stderr
}

// wantRow requires a row in a state, with a text in it.
func wantRow(t *testing.T, rows map[string]doctorcmd.Row, what string, state doctorcmd.State, text string) {
	t.Helper()
	row, there := rows[what]
	if !there || row.State != state || !strings.Contains(row.Detail+" "+row.Remedy, text) {
		t.Errorf("%s: %+v, want %s with %q; of %v", what, row, state, text, rows)
	}
}

// names returns what is in a directory.
func names(t *testing.T, dir string) []string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var list []string
	for _, e := range entries {
		list = append(list, e.Name())
	}
	return list
}

// All of a good server is well, and nothing is left anywhere.
func TestDoctorOfAGoodServer(t *testing.T) {
	dir, state := t.TempDir(), t.TempDir()
	cert, key, _, err := ftp.SelfSigned(t.TempDir(), []string{"ftp.example.org"})
	if err != nil {
		t.Fatal(err)
	}
	status, rows, stderr := doctorRows(t, nil, dir, "--cache-dir", state, "--vfs-cache-mode", "writes", "--addr", "127.0.0.1:0", "--rc",
		"--rc-addr", "127.0.0.1:0", "--pass", "x", "--cert", cert, "--key", key, "--public-ip", "127.0.0.1", "--passive-port", "42000-42100")
	if status != exitOK || stderr != "" {
		t.Errorf("status %d: %s", status, stderr)
	}
	for what, text := range map[string]string{
		"configuration flags": "no mistakes", "users password": "anonymous", "remote reach": "", "remote move": "", "remote latency": "for a call",
		"remote upload": "64K", "remote 4 downloads": "MiB/s", "remote abilities": "", "cache directory": state, "cache sync": "a second",
		"machine descriptors": "", "ports --addr 127.0.0.1:0": "free", "ports --rc-addr 127.0.0.1:0": "free", "ports --passive-port": "of 101",
		"address --public-ip": "of this machine", "certificate names": "ftp.example.org", "certificate dates": "until",
	} {
		wantRow(t, rows, what, doctorcmd.OK, text)
	}
	if left := append(names(t, dir), names(t, state)...); len(left) > 0 {
		t.Errorf("left there: %v", left)
	}
}

// What is wrong is told, with what to do, and the rest is tried all the same.
func TestDoctorOfABadServer(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	missing := filepath.Join(t.TempDir(), "missing")
	status, rows, stderr := doctorRows(t, nil, missing, "--addr", taken.Addr().String(), "--addr", "192.0.2.1:21", "--public-ip", "10.255.255.1",
		"--passive-port", "42000-42001", "--rc-user", "x")
	if status != exitFailure || !strings.Contains(stderr, "not everything works") {
		t.Errorf("status %d: %s", status, stderr)
	}
	for what, want := range map[string]struct {
		state doctorcmd.State
		text  string
	}{
		"configuration mistake": {doctorcmd.Failed, "--rc-user and --rc-pass"}, "remote open": {doctorcmd.Failed, "create it"},
		"cache disk": {doctorcmd.Skipped, "--vfs-cache-mode is off"}, "ports --addr " + taken.Addr().String(): {doctorcmd.Warning, "in use"},
		"ports --addr 192.0.2.1:21": {doctorcmd.Failed, "does not have that address"}, "ports --passive-port": {doctorcmd.Warning, "more ports"},
		"address --public-ip": {doctorcmd.Warning, "private"}, "certificate TLS": {doctorcmd.Skipped, "in the clear"},
		"users password": {doctorcmd.Warning, "--pass"},
	} {
		wantRow(t, rows, what, want.state, want.text)
	}
}

// The clock of a server of HTTP is that of its answers, also where nothing can be written.
func TestDoctorReadsTheClockOfAServer(t *testing.T) {
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Date", time.Now().Add(-time.Hour).UTC().Format(http.TimeFormat))
		w.Header().Set("Content-Type", "text/html")
		io.WriteString(w, `<a href="a">a</a>`)
	}))
	defer srv.Close()
	_, rows, stderr := doctorRows(t, nil, ":http,url='"+srv.URL+"':", "--addr", "127.0.0.1:0", "--read-only")
	if stderr != "" {
		t.Error(stderr)
	}
	wantRow(t, rows, "remote clock", doctorcmd.Warning, " apart, by the Date of its answers")
}

// The file of flags, and the users in it, are looked at as ferry config check does.
func TestDoctorReadsTheServerFile(t *testing.T) {
	name := newServerFile(t, "remote = \"files\"\naddr = \"127.0.0.1:0\"\n[users.bob]\nremote = \":memory:\"\n")
	if err := os.Mkdir(filepath.Join(filepath.Dir(name), "files"), 0o777); err != nil {
		t.Fatal(err)
	}
	status, rows, _ := doctorRows(t, []string{"FERRY_SERVER_CONFIG=" + name})
	if status != exitOK {
		t.Errorf("status %d: %v", status, rows)
	}
	wantRow(t, rows, "configuration flags", doctorcmd.OK, name)
	wantRow(t, rows, "users users", doctorcmd.OK, "1 in "+name)
	wantRow(t, rows, "remote upload", doctorcmd.OK, "")
	serverFile(t, name, "remote = \"files\"\nadr = 1\n[users.bob]\nremote = \"nowhere:\"\n")
	status, rows, _ = doctorRows(t, nil, "--server-config", name)
	if status != exitFailure {
		t.Errorf("status %d", status)
	}
	wantRow(t, rows, "configuration mistake", doctorcmd.Failed, name+":")
	wantRow(t, rows, "remote upload", doctorcmd.OK, "")
	if status, _, stderr := runNow(t, nil, "doctor"); status != exitFailure || strings.Contains(stderr, "panic") {
		t.Errorf("status %d: %s", status, stderr)
	}
}

// What must not be changed is not.
func TestDoctorChangesNothingThatIsReadOnly(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "mine"), []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	before, err := os.Stat(dir)
	if err != nil {
		t.Fatal(err)
	}
	_, rows, _ := doctorRows(t, nil, dir, "--read-only", "--addr", "127.0.0.1:0")
	after, err := os.Stat(dir)
	if err != nil || !before.ModTime().Equal(after.ModTime()) || len(names(t, dir)) != 1 {
		t.Errorf("the directory was changed: %v, %v", names(t, dir), err)
	}
	if _, wrote := rows["remote write"]; wrote {
		t.Error("something was written")
	}
	wantRow(t, rows, "remote list", doctorcmd.OK, "1 entries")
}

// An interruption ends it at once, and leaves nothing.
func TestDoctorIsInterrupted(t *testing.T) {
	dir := t.TempDir()
	signals := make(chan os.Signal, 1)
	signals <- os.Interrupt
	var out, errs bytes.Buffer
	p := process{args: []string{"doctor", dir, "--probe-size", "100M"}, env: []string{"RCLONE_CONFIG=notfound"}, stdout: &out, stderr: &errs, signals: signals}
	if status := p.run(t.Context()); status != exitFailure || !strings.Contains(errs.String(), "interrupted") || len(names(t, dir)) > 0 {
		t.Errorf("status %d, left %v:\n%s%s", status, names(t, dir), out.String(), errs.String())
	}
}

// A certificate that an authority gives is not looked for in files.
func TestDoctorWithAnAuthority(t *testing.T) {
	_, rows, _ := doctorRows(t, nil, t.TempDir(), "--addr", "127.0.0.1:0", "--acme", "ftp.example.org")
	wantRow(t, rows, "certificate --acme", doctorcmd.Skipped, "ftp.example.org")
	if _, none := rows["certificate TLS"]; none {
		t.Errorf("it says that there is none: %v", rows)
	}
}

// What nodes share is tried: what cannot be, and what is not reached, is told without secrets.
func TestDoctorOfACluster(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	nobody := l.Addr().String()
	l.Close()
	dir, place, state := t.TempDir(), t.TempDir(), t.TempDir()
	args := []string{dir, "--cache-dir", state, "--addr", "127.0.0.1:0", "--pass", "x", "--read-only=false"}
	status, rows, _ := doctorRows(t, nil, append(args, "--cluster", "nats://bob:secret@"+nobody, "--handover", place,
		"--change-feed", "nats://bob:secret@"+nobody+"/events")...)
	if status == exitOK {
		t.Error("NATS that is not reached is well")
	}
	wantRow(t, rows, "cluster --cluster", doctorcmd.Failed, "nats-server runs there with -js")
	wantRow(t, rows, "cluster --change-feed", doctorcmd.Failed, "is not listened to")
	wantRow(t, rows, "cluster --handover", doctorcmd.OK, place)
	if strings.Contains(rows["cluster --cluster"].Detail+rows["cluster --change-feed"].Detail, "secret") {
		t.Errorf("a secret is shown: %+v", rows)
	}
	_, rows, _ = doctorRows(t, nil, append(args, "--change-feed", "sqs://sqs.eu-west-1.amazonaws.com/1/q")...)
	wantRow(t, rows, "cluster --change-feed", doctorcmd.Skipped, "ferry_feed_up")
	_, rows, _ = doctorRows(t, nil, append(args, "--handover", ":http,url='http://"+nobody+"/':")...)
	wantRow(t, rows, "cluster --handover", doctorcmd.Failed, "remote")
}
