package test

import (
	"bufio"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// An ftpClient is a client that does only what it is told, so that it can also behave badly. What
// goes wrong ends the test.
type ftpClient struct {
	t    *testing.T
	conn net.Conn
	r    *bufio.Reader
	tls  *tls.Config // set by secure
}

// connect opens a control connection from local, "" for the usual address, and reads the greeting.
func connect(t *testing.T, local, addr string) *ftpClient {
	t.Helper()
	conn, err := dial(local, addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	c := &ftpClient{t: t, conn: conn, r: bufio.NewReader(conn)}
	c.expect(220)
	return c
}

func dial(local, addr string) (net.Conn, error) {
	d := net.Dialer{Timeout: patience}
	if local != "" {
		d.LocalAddr = &net.TCPAddr{IP: net.ParseIP(local)}
	}
	conn, err := d.Dial("tcp", addr)
	if err != nil {
		return nil, err
	}
	return conn, conn.SetDeadline(time.Now().Add(10 * patience)) // for all that the test does with it
}

// login is connect, USER, PASS and TYPE I for bob.
func login(t *testing.T, local, addr string) *ftpClient {
	t.Helper()
	c := connect(t, local, addr)
	c.do("USER bob", 331)
	c.do("PASS builder", 230)
	c.do("TYPE I", 200)
	return c
}

// do sends one command and returns the reply, which must have one of the codes.
func (c *ftpClient) do(line string, codes ...int) string {
	c.t.Helper()
	c.send(line)
	return c.expect(codes...)
}

func (c *ftpClient) send(line string) {
	c.t.Helper()
	if _, err := io.WriteString(c.conn, line+"\r\n"); err != nil {
		c.t.Fatalf("sending %q: %v", line, err)
	}
}

// expect reads one reply, of one line or several.
func (c *ftpClient) expect(codes ...int) string {
	c.t.Helper()
	var text strings.Builder
	for first := ""; ; {
		line, err := c.r.ReadString('\n')
		if err != nil {
			c.t.Fatalf("waiting for %v: %v after %q", codes, err, text.String())
		}
		text.WriteString(line)
		if len(line) < 4 {
			c.t.Fatalf("not a reply: %q", line)
		}
		if first == "" {
			first = line[:3]
		}
		if line[:3] == first && line[3] == ' ' {
			break
		}
	}
	if code, err := strconv.Atoi(text.String()[:3]); err != nil || !slices.Contains(codes, code) {
		c.t.Fatalf("got %q, want one of %v", text.String(), codes)
	}
	return strings.TrimRight(text.String(), "\r\n")
}

// ended wants the server to close the control connection.
func (c *ftpClient) ended() {
	c.t.Helper()
	if rest, err := io.ReadAll(c.r); err != nil || len(rest) > 0 {
		c.t.Fatalf("the control connection did not end: %q, %v", rest, err)
	}
}

// secure starts TLS on the control connection and asks for it on data connections. It returns the
// server's certificate.
func (c *ftpClient) secure() tls.ConnectionState {
	c.t.Helper()
	c.do("AUTH TLS", 234)
	c.tls = &tls.Config{InsecureSkipVerify: true, ClientSessionCache: tls.NewLRUClientSessionCache(0)}
	conn := tls.Client(c.conn, c.tls)
	if err := conn.Handshake(); err != nil {
		c.t.Fatal(err)
	}
	c.conn, c.r = conn, bufio.NewReader(conn)
	c.do("PBSZ 0", 200)
	c.do("PROT P", 200)
	return conn.ConnectionState()
}

var epsvPort = regexp.MustCompile(`\(\|\|\|(\d+)\|\)`)

// data opens a data connection by EPSV, before the command that uses it is sent.
func (c *ftpClient) data() *net.TCPConn {
	c.t.Helper()
	m := epsvPort.FindStringSubmatch(c.do("EPSV", 229))
	if m == nil {
		c.t.Fatal("no port in the reply to EPSV")
	}
	peer := c.conn.RemoteAddr().(*net.TCPAddr)
	conn, err := dial(c.conn.LocalAddr().(*net.TCPAddr).IP.String(), net.JoinHostPort(peer.IP.String(), m[1]))
	if err != nil {
		c.t.Fatal(err)
	}
	c.t.Cleanup(func() { conn.Close() })
	return conn.(*net.TCPConn)
}

// beginUpload sends command and the first part of a file, and leaves the data connection open.
func (c *ftpClient) beginUpload(command string, part []byte) *net.TCPConn {
	c.t.Helper()
	data := c.data()
	c.do(command, 150, 125)
	if _, err := data.Write(part); err != nil {
		c.t.Fatal(err)
	}
	return data
}

// upload sends a whole file.
func (c *ftpClient) upload(command string, body []byte) {
	c.t.Helper()
	c.beginUpload(command, body).Close()
	c.expect(226)
}

// fetch returns what a command sends on the data connection.
func (c *ftpClient) fetch(command string) []byte {
	c.t.Helper()
	data := c.data()
	c.do(command, 150, 125)
	body, err := io.ReadAll(data)
	if err != nil {
		c.t.Fatal(err)
	}
	c.expect(226)
	return body
}

// size returns what SIZE says.
func (c *ftpClient) size(name string) int {
	c.t.Helper()
	reply := c.do("SIZE "+name, 213)
	n, err := strconv.Atoi(reply[4:])
	if err != nil {
		c.t.Fatalf("SIZE: %q", reply)
	}
	return n
}

// reset ends a connection so that the other side gets an error, not an end of file.
func reset(t *testing.T, conn net.Conn) {
	t.Helper()
	if err := conn.(*net.TCPConn).SetLinger(0); err != nil {
		t.Fatal(err)
	}
	conn.Close()
}

// bytesOnly is for messages: how much, not what.
func bytesOnly(b []byte) string { return fmt.Sprintf("%d bytes", len(b)) }
