package ftp_test

import (
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"ferry/ftp"
	"ferry/remote"
	"ferry/remote/driver/memory"
	"ferry/remote/remotetest/servers"
)

// freePorts finds n free ports in a row.
func freePorts(t *testing.T, n uint16) ftp.PortRange {
	t.Helper()
	first := uint16(servers.FreePorts(t, int(n)))
	return ftp.PortRange{First: first, Last: first + n - 1}
}

// caller is a session of a client at an address.
type caller struct {
	*dialogue
	from string
}

// sessionsOf serves srv and returns what logs in from an address.
func sessionsOf(t *testing.T, srv *ftp.Server, store remote.Remote) func(from string) caller {
	t.Helper()
	addr := serveOn(t, srv, "127.0.0.1:0")
	return func(from string) caller {
		t.Helper()
		d := &dialogue{t: t, where: from, addr: addr, store: store}
		conn, err := dialFrom(from, addr)
		if err != nil {
			noAddress(t, err)
		}
		d.raw, d.conn = conn, conn
		d.resetReader()
		t.Cleanup(d.hangUp)
		d.reply("220")
		d.step("login")
		return caller{d, from}
	}
}

// dialFrom connects from an address of this machine.
func dialFrom(from, addr string) (net.Conn, error) {
	dialer := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(from)}, Timeout: 10 * time.Second}
	conn, err := dialer.Dial("tcp", addr)
	if err == nil {
		conn.SetDeadline(time.Now().Add(5 * time.Minute))
	}
	return conn, err
}

// noAddress ends a test that could not connect from another loopback address: where the system has
// none it is skipped, and has failed otherwise.
func noAddress(t *testing.T, err error) {
	t.Helper()
	if errors.Is(err, syscall.EADDRNOTAVAIL) {
		t.Skipf("no second loopback address here: %v", err)
	}
	t.Fatal(err)
}

// arrives connects with the port that d has arranged at addr.
func (d caller) arrives(addr string) {
	d.t.Helper()
	conn, err := dialFrom(d.from, addr)
	if err != nil {
		d.fatalf("%v", err)
	}
	d.data = conn
}

// Clients of different addresses have the same port at the same time, and each gets its own files.
func TestEightPortsServeHundredsOfClients(t *testing.T) {
	for name, clients := range map[string]int{"clear": 240, "TLS": 60} {
		t.Run(name, func(t *testing.T) {
			const rounds = 2
			secure := name == "TLS"
			store := memory.New()
			srv := newServer(t, store, map[string]bool{"tls": secure})
			srv.Passive, srv.DataConnect = freePorts(t, 8), time.Hour
			session := sessionsOf(t, srv, store)
			sessions := make([]caller, clients)
			for i := range sessions {
				sessions[i] = session(fmt.Sprintf("127.0.%d.%d", 1+i/100, 1+i%100))
			}
			var all sync.WaitGroup
			arranged := make(chan struct{}, clients)
			together := make(chan struct{})
			for i, d := range sessions {
				all.Go(func() {
					defer func() { arranged <- struct{}{} }()
					if secure {
						d.steps("> AUTH TLS", "<< 234", "secure", "login", "> PBSZ 0", "<< 200", "> PROT P", "<< 200")
					}
					addr := d.arrange()
					arranged <- struct{}{}
					<-together
					for round := range rounds {
						content := fmt.Sprintf("%d of %s ", round, d.from) + strings.Repeat("x", i*100)
						d.transfer(addr, "STOR "+d.from, content, secure)
						if got := d.transfer(d.arrange(), "RETR "+d.from, "", secure); got != content {
							t.Errorf("%s got %d bytes %.30q, not %d", d.from, len(got), got, len(content))
						}
						addr = d.arrange()
					}
				})
			}
			for range clients {
				<-arranged
			}
			close(together)
			all.Wait()
		})
	}
}

// transfer makes a transfer from the address that d has come from, and returns what it has got.
func (d caller) transfer(addr, command, content string, secure bool) string {
	d.t.Helper()
	conn, err := dialFrom(d.from, addr)
	if err != nil {
		d.t.Errorf("%s: %v", d.from, err)
		return ""
	}
	d.steps("> "+command, "<< 150")
	if secure {
		conn = tls.Client(conn, &tls.Config{InsecureSkipVerify: true})
	}
	if content != "" {
		io.WriteString(conn, content)
		conn.Close()
	}
	var got []byte
	if content == "" {
		got, err = io.ReadAll(conn)
		conn.Close()
	}
	if err != nil {
		d.t.Errorf("%s: %s: %v", d.from, command, err)
	}
	d.steps("<< 226")
	return string(got)
}

// Two sessions of one address are never at one port, however many others are at it.
func TestSessionsOfOneAddressHavePortsOfTheirOwn(t *testing.T) {
	store := memory.New()
	srv := newServer(t, store, nil)
	srv.Passive = freePorts(t, 4)
	for i := range uint16(2) { // another program has them
		l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", srv.Passive.First+2*i))
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
	}
	session := sessionsOf(t, srv, store)
	for i := range 20 {
		session(fmt.Sprintf("127.0.0.%d", 50+i)).arrange()
	}
	var ports []string
	for i := range 2 {
		d := session("127.0.0.2")
		d.steps(fmt.Sprintf("seed f%d content %d", i, i))
		addr := d.arrange()
		if slices.Contains(ports, addr) {
			t.Fatalf("%s was given twice", addr)
		}
		ports = append(ports, addr)
		defer func() {
			d.arrives(addr)
			d.steps(fmt.Sprintf("> RETR f%d", i), "<< 150", fmt.Sprintf("recv content %d", i), "<< 226")
		}()
	}
	session("127.0.0.2").steps("> EPSV", "< 425 No passive port is free*")
	session("127.0.0.3").arrange()
}

// Whose connection nobody waits for is turned away, and those who wait go on.
func TestNobodyWaitsForAStranger(t *testing.T) {
	store := memory.New()
	srv := newServer(t, store, nil)
	srv.Passive = freePorts(t, 1)
	session := sessionsOf(t, srv, store)
	one, two := session("127.0.0.2"), session("127.0.0.3")
	one.steps("seed f content", "seed g other")
	addr := one.arrange()
	if shared := two.arrange(); shared != addr {
		t.Fatalf("%s and %s", addr, shared)
	}
	for range 300 {
		stranger, err := dialFrom("127.0.0.4", addr)
		if err != nil {
			t.Fatal(err)
		}
		defer stranger.Close()
		if n, err := stranger.Read(make([]byte, 1)); err == nil {
			t.Fatalf("a stranger was given %d bytes", n)
		}
	}
	two.arrives(addr)
	one.arrives(addr)
	one.steps("> RETR f", "<< 150", "recv content", "<< 226")
	two.steps("> RETR g", "<< 150", "recv other", "<< 226")
	if late, err := dialFrom("127.0.0.2", addr); err == nil {
		late.Close()
		t.Error("the port has outlived those who waited at it")
	}
}

// The end of a session, of its wait or of its transfer does not touch others at its port.
func TestOthersAtAPortGoOn(t *testing.T) {
	store := memory.New()
	srv := newServer(t, store, nil)
	srv.Passive, srv.DataConnect = freePorts(t, 1), 300*time.Millisecond
	session := sessionsOf(t, srv, store)
	for i, end := range []string{"> QUIT", "cut", "> EPRT |1|%s|50001|", "> EPSV", "> RETR f", "abort"} {
		t.Run(strings.TrimPrefix(end, "> "), func(t *testing.T) {
			one, two := session(fmt.Sprintf("127.0.1.%d", 1+i)), session(fmt.Sprintf("127.0.2.%d", 1+i))
			one.steps("seed f content")
			addr := one.arrange()
			two.arrange()
			if end == "abort" {
				one.write("RETR f\r\nABOR\r\n")
				one.steps("<< 150", "<< 426", "<< 226")
			} else if end == "cut" {
				one.raw.Close()
			} else {
				one.step(strings.Replace(end, "%s", one.from, 1))
				one.line()
				if end == "> RETR f" {
					one.steps("<< 425") // nobody has connected in time
				}
			}
			two.arrives(addr)
			two.steps("> RETR f", "<< 150", "recv content", "<< 226")
			two.step("> QUIT")
		})
	}
}

// Who leaves while it accepts for all lets another one do so.
func TestTheOneThatAcceptsLeaves(t *testing.T) {
	store := memory.New()
	srv := newServer(t, store, nil)
	srv.Passive = freePorts(t, 1)
	session := sessionsOf(t, srv, store)
	var waiting []caller
	var addr string
	for i := range 10 {
		d := session(fmt.Sprintf("127.0.0.%d", 2+i))
		d.steps("seed f content")
		addr = d.arrange()
		d.steps("> RETR f", "<< 150")
		waiting = append(waiting, d)
	}
	for i, d := range waiting {
		if i%2 == 0 {
			d.raw.Close()
		}
	}
	for i, d := range slices.Backward(waiting) {
		if i%2 != 0 {
			d.arrives(addr)
			d.steps("recv content", "<< 226")
		}
	}
}

// What anybody may connect to is nobody else's.
func TestPortsThatAnybodyMayConnectToAreNotShared(t *testing.T) {
	store := memory.New()
	srv := newServer(t, store, nil)
	srv.Passive, srv.AllowPeerMismatch = freePorts(t, 1), true
	session := sessionsOf(t, srv, store)
	one, two := session("127.0.0.2"), session("127.0.0.3")
	one.steps("seed f content")
	addr := one.arrange()
	two.steps("> EPSV", "< 425 No passive port is free*")
	one.from = "127.0.0.9"
	one.arrives(addr)
	one.steps("> RETR f", "<< 150", "recv content", "<< 226")
	two.arrange()
}
