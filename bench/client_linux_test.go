package main

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A peer is a server of one session, in as few lines as the client needs: it serves the file it
// has, keeps the one it is sent, and lists three lines.
type peer struct {
	t      *testing.T
	conf   *tls.Config // nil: AUTH is refused
	secure bool
	data   net.Listener
	file   []byte
	stored []byte
}

func (p *peer) serve(conn net.Conn) {
	defer func() { conn.Close() }()
	fmt.Fprint(conn, "220-two\r\nlines\r\n220 ready\r\n")
	in := bufio.NewReader(conn)
	for {
		line, err := in.ReadString('\n')
		if err != nil {
			return
		}
		verb, arg, _ := strings.Cut(strings.TrimSpace(line), " ")
		switch verb {
		case "AUTH":
			fmt.Fprint(conn, "234 go on\r\n")
			conn = tls.Server(conn, p.conf)
			in.Reset(conn)
			p.secure = true
		case "USER":
			fmt.Fprint(conn, "331-two\r\n 230 lines\r\n331 password\r\n")
		case "PASS":
			fmt.Fprint(conn, "230 in\r\n")
		case "REST":
			fmt.Fprint(conn, "350 go on\r\n")
		case "EPSV":
			fmt.Fprintf(conn, "229 ok (|||%d|)\r\n", p.data.Addr().(*net.TCPAddr).Port)
		case "QUIT":
			fmt.Fprint(conn, "221 bye\r\n")
			return
		case "RETR", "STOR", "LIST":
			p.transfer(conn, verb, arg)
		default:
			fmt.Fprint(conn, "200 ok\r\n")
		}
	}
}

func (p *peer) transfer(control net.Conn, verb, name string) {
	data, err := p.data.Accept()
	if err != nil {
		p.t.Error(err)
		return
	}
	defer data.Close()
	if name == "refused" {
		fmt.Fprint(control, "550 no\r\n")
		return
	}
	fmt.Fprint(control, "150 here\r\n")
	if p.secure {
		data = tls.Server(data, p.conf)
	}
	switch verb {
	case "RETR":
		if _, err = data.Write(p.file); name == "part" {
			data.Close()
			fmt.Fprint(control, "426 you left\r\n")
			return
		}
	case "STOR":
		p.stored, err = io.ReadAll(data)
	case "LIST":
		_, err = io.WriteString(data, "a\r\nb\r\nc\r\n")
	}
	if err != nil {
		p.t.Error(err)
	}
	data.Close()
	fmt.Fprint(control, "226 done\r\n")
}

// startPeer returns the peer and its address; it ends with its only session.
func startPeer(t *testing.T, conf *tls.Config) (*peer, netip.AddrPort) {
	t.Helper()
	listen := func() net.Listener {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		return l
	}
	control := listen()
	p := &peer{t: t, conf: conf, data: listen(), file: bytes.Repeat([]byte("0123456789"), 100_000)}
	done := make(chan struct{})
	go func() {
		defer close(done)
		conn, err := control.Accept()
		control.Close()
		if err != nil {
			t.Error(err)
			return
		}
		p.serve(conn)
	}()
	t.Cleanup(func() {
		<-done
		p.data.Close()
	})
	return p, control.Addr().(*net.TCPAddr).AddrPort()
}

func TestClient(t *testing.T) {
	pemFile := filepath.Join(t.TempDir(), "pem")
	trust, err := writeCertificate(pemFile)
	if err != nil {
		t.Fatal(err)
	}
	pair, err := tls.LoadX509KeyPair(pemFile, pemFile)
	if err != nil {
		t.Fatal(err)
	}
	t.Run("clear", func(t *testing.T) { testClient(t, nil, nil) })
	t.Run("tls", func(t *testing.T) { testClient(t, &tls.Config{Certificates: []tls.Certificate{pair}}, trust) })
}

func testClient(t *testing.T, server, trust *tls.Config) {
	p, addr := startPeer(t, server)
	c, err := connect(addr, trust)
	if err != nil {
		t.Fatal(err)
	}
	defer c.conn.Close()
	if err := c.login("u", "p"); err != nil {
		t.Fatal(err)
	}
	if err := c.retr("file", int64(len(p.file))); err != nil {
		t.Error("retr:", err)
	}
	if err := c.retr("file", int64(len(p.file))+1); err == nil {
		t.Error("retr: a file that ends early is no error")
	}
	if first, err := c.retrPart("part", 7, 1000); err != nil || first <= 0 {
		t.Errorf("retrPart: first byte after %v, %v", first, err)
	}
	if _, err := c.retrPart("file", 7, int64(len(p.file))+1); err == nil {
		t.Error("retrPart: a file that ends early is no error")
	}
	if err := c.stor("small", []byte("hello")); err != nil || string(p.stored) != "hello" {
		t.Errorf("stor: %q, %v", p.stored, err)
	}
	f, err := os.Create(filepath.Join(t.TempDir(), "big"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.Write(p.file); err != nil {
		t.Fatal(err)
	}
	for range 2 { // the position of f does not matter
		if err := c.storFile("big", f, int64(len(p.file))); err != nil || !bytes.Equal(p.stored, p.file) {
			t.Errorf("storFile: %d bytes, %v", len(p.stored), err)
		}
	}
	if l, err := c.list("LIST"); err != nil || l.lines != 3 || l.first > l.total || l.first <= 0 {
		t.Errorf("list: %+v, %v", l, err)
	}
	if err := c.retr("refused", 1); err == nil || !strings.Contains(err.Error(), "550 no") {
		t.Errorf("a refused transfer: %v", err)
	}
	if err := c.quit(); err != nil {
		t.Error("quit:", err)
	}
}

func TestEPSVPort(t *testing.T) {
	if port, err := epsvPort("229 Entering Extended Passive Mode (|||30001|)"); err != nil || port != 30001 {
		t.Errorf("%d, %v", port, err)
	}
	for _, bad := range []string{"229", "229 (|||)", "229 (|||70000|)", "229 (|1|::1|5|)"} {
		if port, err := epsvPort(bad); err == nil {
			t.Errorf("epsvPort(%q) = %d without an error", bad, port)
		}
	}
}
