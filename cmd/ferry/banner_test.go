package main

import (
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"

	"ferry/cmd/ferry/internal/flags"
	"ferry/cmd/ferry/internal/listen"
	"ferry/cmd/ferry/internal/logging"
)

func onTerminal(t *testing.T, args ...string) *running {
	t.Helper()
	args = append(args, "--cache-dir", t.TempDir(), "--addr", "localhost:0", "--passive-port", "0")
	return startProcess(t, process{args: args, terminalLog: true})
}

// storeOne logs in, stores a file and leaves.
func storeOne(t *testing.T, url, password string) {
	t.Helper()
	c := dial(t, url)
	c.cmd(331, "USER bob")
	c.cmd(230, "PASS "+password)
	data := c.upload("f")
	if _, err := io.WriteString(data, "hello"); err != nil {
		t.Fatal(err)
	}
	data.Close()
	c.want(226)
	c.cmd(221, "QUIT")
}

func TestATerminalIsToldWhatAPersonWants(t *testing.T) {
	root := t.TempDir()
	r := onTerminal(t, root, "--user", "bob", "--pass", "sesame", "--vfs-cache-mode", "writes")
	url := r.url(t)
	port := url[strings.LastIndexByte(url, ':')+1:]
	storeOne(t, url, "sesame")
	r.waitFor(t, "transfer complete")
	text := r.logged()
	for _, want := range []string{
		`Open +ftp://bob@localhost:` + port + `/\n`, `User +bob\n`, `Password +as --pass says\n`,
		`Serves +.*` + regexp.QuoteMeta(filepath.Base(root)) + ` \(read and write\)\n`, `Cache +/.*vfs.*writes\)\n`, `Stop +Ctrl-C\n`,
		`INFO  : logged in .*user=bob`, `INFO  : transfer complete .*path=/f`,
	} {
		if !regexp.MustCompile(want).MatchString(text) {
			t.Errorf("%s is missing:\n%s", want, text)
		}
	}
	if strings.Contains(text, "sesame") {
		t.Errorf("the password is shown:\n%s", text)
	}
	if n := strings.Count(text, "INFO"); n > 3 {
		t.Errorf("%d lines for a login and a transfer:\n%s", n, text)
	}
}

func TestQuietIsSilentOnATerminal(t *testing.T) {
	r := onTerminal(t, ":memory:", "-q")
	r.stop()
	if status := r.wait(t); status != exitOK || r.logged() != "" {
		t.Errorf("status %d:\n%s", status, r.logged())
	}
}

func TestALogThatIsKeptHasNoBanner(t *testing.T) {
	r := start(t, nil, ":memory:", "--addr", "127.0.0.1:0", "--user", "bob", "--pass", "x", "--passive-port", "0")
	storeOne(t, r.url(t), "x")
	r.stop()
	r.wait(t)
	if text := r.logged(); strings.Contains(text, "Ctrl-C") || strings.Contains(text, "INFO") {
		t.Errorf("the log:\n%s", text)
	}
}

// A person who has said how the log shall be gets that log alone, on a terminal too.
func TestALogThatWasAskedForHasNoBanner(t *testing.T) {
	file := filepath.Join(t.TempDir(), "log")
	for _, args := range [][]string{
		{"--log-file", file}, {"--log-format", "json"}, {"--use-json-log"}, {"--log-systemd"}, {"-v"}, {"--log-level", "NOTICE"},
	} {
		r := onTerminal(t, append([]string{":memory:", "--pass", "x"}, args...)...)
		if args[0] == "--log-file" {
			waitForFile(t, file, "serving FTP on")
		} else {
			r.waitFor(t, "serving FTP on")
		}
		if text := r.logged(); strings.Contains(text, "Ctrl-C") {
			t.Errorf("%v:\n%s", args, text)
		}
		r.stop()
		r.wait(t)
	}
	text, err := os.ReadFile(file)
	if err != nil || strings.Contains(string(text), "INFO") || strings.Contains(string(text), "Ctrl-C") {
		t.Errorf("the log file, %v:\n%s", err, text)
	}
	json := parse(t, "--log-format", "json")
	log, _, err := logging.Open(&json.Log, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	if got := (process{terminalLog: true}).sessionLog(json, log); got != log {
		t.Error("logins and transfers are added to a log for programs")
	}
}

// The banner says what is so: who may log in, what they may do, and that nothing is kept.
func TestTheBannerSaysWhatIsSo(t *testing.T) {
	for _, tt := range []struct {
		args []string
		want []string
	}{
		{nil, []string{`Open +ftp://localhost:\d+/\n`, `User +anonymous\n`, `Password +any\n`, `Serves +memory: \(read and write\)\n`, `Cache +none\n`}},
		{[]string{"--read-only"}, []string{`\(read only\)\n`}},
		{[]string{"--dry-run"}, []string{`\(read only\)\n`}},
		{[]string{"--tls", "self-signed", "--implicit-tls-addr", "localhost:0"}, []string{`Open +ftp://localhost:\d+/\n +ftps://localhost:\d+/\n`}},
	} {
		r := onTerminal(t, append([]string{":memory:"}, tt.args...)...)
		r.waitFor(t, "serving FTP on")
		for _, want := range tt.want {
			if text := r.logged(); !regexp.MustCompile(want).MatchString(text) {
				t.Errorf("%v: %s is missing:\n%s", tt.args, want, text)
			}
		}
		r.stop()
		r.wait(t)
	}
	var text strings.Builder
	banner{what: "a\x1b[2Jb\nc"}.write(&text, &options{Options: flags.Options{User: "u\x1b"}})
	if strings.Contains(text.String(), "\x1b") || !strings.Contains(text.String(), "a?[2Jb?c (read") {
		t.Errorf("the cursor is moved: %q", text.String())
	}
}

// What is logged for an address that is none is one that can be typed into a device.
func TestAddressesToType(t *testing.T) {
	r := start(t, nil, ":memory:", "--addr", ":0", "--pass", "x")
	url := r.url(t)
	own := netip.MustParseAddrPort(strings.TrimPrefix(url, "ftp://"))
	l, err := net.Listen("tcp", ":0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	for _, at := range (listener{l, false}).reached() {
		ip := netip.MustParseAddrPort(at).Addr()
		if ip.IsUnspecified() || ip.IsLoopback() {
			t.Errorf("%s cannot be reached by others", at)
		}
		r.waitFor(t, fmt.Sprintf("other devices reach it at address=%v port=%d", ip, own.Port()))
	}
	one := listener{fixedAddr{l, "127.0.0.1:21"}, false}
	if got := one.reached(); !slices.Equal(got, []string{"127.0.0.1:21"}) {
		t.Errorf("one address is reached at %v", got)
	}
	if got := (banner{listeners: []listener{one, one}}).urls(&options{Options: flags.Options{User: "anonymous"}}); !slices.Equal(got, []string{"ftp://localhost/"}) {
		t.Errorf("the URLs are %v", got)
	}
}

func TestAPortWithoutTheRight(t *testing.T) {
	text := listen.Remedy(&net.OpError{Op: "listen", Err: os.NewSyscallError("bind", syscall.EACCES)}).Error()
	for _, want := range []string{"setcap cap_net_bind_service", "AmbientCapabilities=CAP_NET_BIND_SERVICE", "redirect to :2121"} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is missing: %s", want, text)
		}
	}
}

// fixedAddr is a listener with another address.
type fixedAddr struct {
	net.Listener
	at string
}

func (l fixedAddr) Addr() net.Addr { return net.TCPAddrFromAddrPort(netip.MustParseAddrPort(l.at)) }
