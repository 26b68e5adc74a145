package ftp_test

import (
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	"ferry/ftp"
	"ferry/remote/driver/memory"
)

// arrange sends EPSV and returns the address to connect to.
func (d *dialogue) arrange() string {
	d.t.Helper()
	_, rest, _ := strings.Cut(d.command("EPSV", "229"), "(|||")
	port, _, _ := strings.Cut(rest, "|")
	host, _, _ := net.SplitHostPort(d.addr)
	return net.JoinHostPort(host, port)
}

// Strangers who come before the transfer's command do not keep its owner out.
func TestStrangersBeforeTheCommandAreDropped(t *testing.T) {
	d := talk(t, memory.New())
	d.steps("seed f content")
	addr := d.arrange()
	from := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 0, 0, 2)}, Timeout: 5 * time.Second}
	for i := range 400 {
		stranger, err := from.Dial("tcp", addr)
		if err != nil && i == 0 {
			noAddress(t, err)
		}
		if err != nil {
			t.Fatalf("stranger %d: %v", i, err)
		}
		defer stranger.Close()
	}
	began := time.Now()
	owner, err := net.DialTimeout("tcp", addr, 5*time.Second)
	if err != nil {
		t.Fatalf("the owner, after %v: %v", time.Since(began), err)
	}
	d.data = owner
	d.steps("> RETR f", "<< 150", "recv content", "<< 226")
}

// A connection that came early and one that comes late are both taken, however long the command
// takes.
func TestTheOwnerMayConnectLongBeforeTheCommand(t *testing.T) {
	d := talk(t, memory.New())
	d.steps("seed f content")
	for _, early := range []bool{true, false} {
		addr := d.arrange()
		if early {
			d.data, _ = net.Dial("tcp", addr)
		}
		time.Sleep(100 * time.Millisecond) // the server begins to look after it on its own
		d.steps("> RETR f", "<< 150")
		if !early {
			d.data, _ = net.Dial("tcp", addr)
		}
		d.steps("recv content", "<< 226")
	}
}

// What was arranged and is not used ends, with a client or without.
func TestAnUnusedPortEnds(t *testing.T) {
	for _, connected := range []bool{false, true} {
		t.Run(fmt.Sprint(connected), func(t *testing.T) {
			d := talk(t, memory.New(), func(s *ftp.Server) { s.DataStall = 200 * time.Millisecond })
			d.steps("seed f content")
			addr := d.arrange()
			if connected {
				d.data, _ = net.Dial("tcp", addr)
				d.step("recv ") // it ends in good order
			}
			for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(5 * time.Millisecond) {
				conn, err := net.Dial("tcp", addr)
				if err != nil {
					break
				}
				conn.Close()
				if connected || time.Now().After(deadline) {
					t.Fatal("the port is still there")
				}
				addr = d.arrange()
				time.Sleep(300 * time.Millisecond)
			}
			d.steps("> RETR f", "< 425 *again*", "> NOOP", "<< 200")
		})
	}
}

// Nobody waits for the data connection of a client that has gone.
func TestTheEndOfTheClientEndsTheWait(t *testing.T) {
	if testing.Short() {
		t.Skip("it takes long")
	}
	for _, command := range []string{"RETR f", "STOR g", "LIST", "RETR f\r\nQUIT"} {
		t.Run(command[:4], func(t *testing.T) {
			var srv *ftp.Server
			d := talk(t, memory.New(), func(s *ftp.Server) { s.DataConnect, srv = time.Hour, s })
			d.steps("seed f content")
			d.arrange()
			d.write(command + "\r\n")
			d.steps("<< 150")
			d.raw.Close()
			waitForNobody(t, srv)
		})
	}
}

// A server that is told to stop does not wait for data connections either.
func TestShutdownEndsTheWait(t *testing.T) {
	var srv *ftp.Server
	d := talk(t, memory.New(), func(s *ftp.Server) { s.DataConnect, srv = time.Hour, s })
	d.steps("seed f content")
	d.arrange()
	d.steps("> RETR f", "<< 150")
	go srv.Shutdown(t.Context())
	waitForNobody(t, srv)
}

func waitForNobody(t *testing.T, srv *ftp.Server) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); len(srv.Sessions()) > 0; time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("the session still waits for a data connection")
		}
	}
}

// A handshake on the data connection that makes no progress ends with its client, and when the
// server is to stop.
func TestAStalledHandshakeEndsWithItsClient(t *testing.T) {
	for _, how := range []string{"the client leaves", "shutdown", "abort"} {
		t.Run(how, func(t *testing.T) {
			srv := newServer(t, memory.New(), map[string]bool{"tls": true})
			srv.DataConnect = time.Hour
			d := &dialogue{t: t, where: how, addr: serveOn(t, srv, "127.0.0.1:0")}
			d.connect()
			defer d.hangUp()
			d.steps("> AUTH TLS", "<< 234", "secure", "login", "> PBSZ 0", "<< 200", "> PROT P", "<< 200", "passive", "> NLST", "<< 150")
			switch how {
			case "the client leaves":
				d.raw.Close()
			case "shutdown":
				go srv.Shutdown(t.Context())
			case "abort":
				d.steps("> ABOR", "<< 426", "<< 226", "> QUIT", "<< 221")
			}
			waitForNobody(t, srv)
		})
	}
}

// One user at one address does not hold every port of the range.
func TestPortsOfOneUserAreLimited(t *testing.T) {
	store := memory.New()
	srv := newServer(t, store, nil)
	srv.Passive = freePorts(t, 8)
	session := sessionsOf(t, srv, store)
	var holders []caller
	for i := range 7 {
		d := session("127.0.0.1")
		if i < 6 {
			d.steps("> EPSV", "<< 229", "> EPSV", "<< 229") // the second one takes the place of the first
		} else {
			d.steps("> EPSV", "< 425 You have too many passive ports open*")
		}
		holders = append(holders, d)
	}
	session("127.0.0.2").steps("> EPSV", "<< 229")
	holders[0].steps("> PORT 127,0,0,1,200,1", "<< 200") // it gives its port back
	holders[6].steps("> EPSV", "<< 229")
	holders[1].steps("> QUIT", "<< 221", "closed")
	holders[0].steps("> EPSV", "<< 229")
	holders[0].steps("passive", "> NLST", "<< 150", "recv ", "<< 226")
	session("127.0.0.1").steps("> EPSV", "<< 229")
}
