package ftp_test

import (
	"crypto/tls"
	"errors"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"ferry/ftp"
	"ferry/remote/driver/memory"
)

// secureSession is a session with TLS on both of its connections.
func secureSession(t *testing.T, tell ...func(*ftp.Server)) *dialogue {
	t.Helper()
	srv := newServer(t, memory.New(), map[string]bool{"tls": true})
	for _, f := range tell {
		f(srv)
	}
	d := &dialogue{t: t, where: t.Name(), addr: serveOn(t, srv, "127.0.0.1:0")}
	d.connect()
	t.Cleanup(d.hangUp)
	d.steps("> AUTH TLS", "<< 234", "secure", "login", "> PBSZ 0", "<< 200", "> PROT P", "<< 200")
	return d
}

// early makes the handshake on a new data connection before any command.
func (d *dialogue) early(cfg *tls.Config) {
	d.t.Helper()
	conn, err := net.Dial("tcp", d.arrange())
	if err != nil {
		d.fatalf("%v", err)
	}
	conn.SetDeadline(time.Now().Add(10 * time.Second))
	t := tls.Client(conn, cfg)
	if err := t.Handshake(); err != nil {
		conn.Close()
		d.fatalf("the handshake before the command: %v", err)
	}
	d.data = t
}

// Some clients make the handshake of a data connection before they send its command.
func TestTheHandshakeMayComeBeforeTheCommand(t *testing.T) {
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		t.Run(tls.VersionName(version), func(t *testing.T) {
			insecure := &tls.Config{InsecureSkipVerify: true, MaxVersion: version}
			d := secureSession(t)
			d.early(insecure)
			d.steps("> STOR f", "<< 150", "send content", "<< 226")
			d.early(insecure)
			d.steps("> RETR f", "<< 150", "recv content", "<< 226")
			d.early(insecure)
			d.steps("> NLST", "<< 150", "recv f\\r\\n", "<< 226")
			d.early(insecure)
			d.steps("> RETR missing", "<< 550", "recv ")
			// A connection that says nothing before the command has its handshake behind it.
			d.step("passive")
			time.Sleep(50 * time.Millisecond)
			d.steps("> RETR f", "<< 150")
			late := tls.Client(d.data, insecure)
			if got, err := io.ReadAll(late); string(got) != "content" || err != nil {
				t.Errorf("%q, %v", got, err)
			}
			late.Close()
			d.data = nil
			d.steps("<< 226")
		})
	}
}

// slowConn takes its time for every write but the first.
type slowConn struct {
	net.Conn
	writes int
}

func (c *slowConn) Write(p []byte) (int, error) {
	if c.writes++; c.writes > 1 {
		time.Sleep(100 * time.Millisecond)
	}
	return c.Conn.Write(p)
}

// The answer to a command that is refused comes while the client still makes its handshake.
func TestARefusalWaitsForAHandshake(t *testing.T) {
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		t.Run(tls.VersionName(version), func(t *testing.T) {
			d := secureSession(t)
			conn, err := net.Dial("tcp", d.arrange())
			if err != nil {
				t.Fatal(err)
			}
			conn.SetDeadline(time.Now().Add(10 * time.Second))
			data := tls.Client(&slowConn{Conn: conn}, &tls.Config{InsecureSkipVerify: true, MaxVersion: version})
			done := make(chan error, 1)
			go func() { done <- data.Handshake() }()
			time.Sleep(60 * time.Millisecond) // the server has begun with it
			d.steps("> RETR missing", "<< 550")
			if err := <-done; err != nil {
				t.Errorf("the handshake: %v", err)
			}
			if b, err := io.ReadAll(data); len(b) > 0 || err != nil {
				t.Errorf("the data connection: %q, %v", b, err)
			}
			data.Close()
			d.steps("> NOOP", "<< 200")
		})
	}
}

// A handshake before the command that had to resume and did not is refused, and so is the command.
func TestWhoMustResumeDoesSoBeforeTheCommand(t *testing.T) {
	d := secureSession(t, func(s *ftp.Server) { s.DataResume = ftp.ResumeRequire })
	conn, err := net.Dial("tcp", d.arrange())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(10 * time.Second))
	if n, err := tls.Client(conn, &tls.Config{InsecureSkipVerify: true}).Read(make([]byte, 1)); n > 0 || !refused(err) {
		t.Errorf("%d bytes, %v", n, err)
	}
	d.write("NLST\r\n")
	reply := d.line()
	if strings.HasPrefix(reply, "150 ") {
		reply = d.line() // the server had not finished with the handshake
	}
	if !strings.HasPrefix(reply, "522 ") {
		t.Errorf("the reply is %q", reply)
	}
}

// refused reports whether err is the other side's refusal of a handshake.
func refused(err error) bool {
	var op *net.OpError
	return errors.As(err, &op) && op.Op == "remote error"
}

// A handshake that stalls before the command ends with the session, or when the port is asked for
// anew.
func TestAHandshakeBeforeTheCommandThatStalls(t *testing.T) {
	var srv *ftp.Server
	d := secureSession(t, func(s *ftp.Server) { srv = s; s.DataConnect = time.Hour })
	stall := func() net.Conn {
		conn, err := net.Dial("tcp", d.arrange())
		if err != nil {
			t.Fatal(err)
		}
		conn.SetDeadline(time.Now().Add(10 * time.Second))
		conn.Write([]byte{0x16, 3, 1, 2, 0, 1})
		time.Sleep(100 * time.Millisecond)
		return conn
	}
	first := stall()
	defer first.Close()
	second := stall()
	defer second.Close()
	if n, err := first.Read(make([]byte, 1)); err == nil {
		t.Errorf("%d bytes came", n)
	}
	d.steps("> NLST", "<< 150")
	d.raw.Close()
	waitForNobody(t, srv)
}

// Over an active data connection the server has its side of the handshake, too (RFC 4217, section
// 7): the client accepts the connection and begins with TLS.
func TestActiveConnectionsUnderTLS(t *testing.T) {
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		t.Run(tls.VersionName(version), func(t *testing.T) {
			d := secureSession(t)
			accept := func() {
				t.Helper()
				d.data = tls.Client(d.dataConn(), &tls.Config{InsecureSkipVerify: true, MaxVersion: version})
			}
			d.steps("active", "> STOR f", "<< 150")
			accept()
			d.steps("send content", "<< 226", "active", "> RETR f", "<< 150")
			accept()
			d.steps("recv content", "<< 226", "active", "> NLST", "<< 150")
			accept()
			d.steps("recv f\\r\\n", "<< 226")
		})
	}
}
