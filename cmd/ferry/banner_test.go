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
		r.waitFor(t, fmt.Sprintf("Other devices reach it at address=%v port=%d", ip, own.Port()))
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
