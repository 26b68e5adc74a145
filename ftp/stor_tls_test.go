package ftp_test

import (
	"crypto/tls"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"testing"

	"ferry/ftp"
	"ferry/remote/driver/memory"
)

// frugal reads TLS records one by one, as OpenSSL does: what nobody asked for stays in the socket,
// and makes a reset of its close.
type frugal struct {
	net.Conn
	rest int // of the record; 0: its header comes next
	head []byte
}

func (f *frugal) Read(p []byte) (int, error) {
	if f.rest == 0 {
		f.head = make([]byte, 5)
		if _, err := io.ReadFull(f.Conn, f.head); err != nil {
			return 0, err
		}
		f.rest = 5 + int(binary.BigEndian.Uint16(f.head[3:]))
	}
	if len(f.head) > 0 {
		n := copy(p, f.head)
		f.head, f.rest = f.head[n:], f.rest-n
		return n, nil
	}
	n, err := f.Conn.Read(p[:min(len(p), f.rest)])
	f.rest -= n
	return n, err
}

// tickets is the session cache of a client, which counts what it gets.
type tickets struct {
	full  bool // it never gives one out
	mu    sync.Mutex
	first *tls.ClientSessionState // guarded by mu
	got   int                     // guarded by mu
}

func (c *tickets) Get(string) (*tls.ClientSessionState, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.first, c.first != nil && !c.full
}

func (c *tickets) Put(_ string, s *tls.ClientSessionState) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.got++
	if c.first == nil {
		c.first = s
	}
}

func (c *tickets) count() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.got
}

// secured is a dialogue of a client that has logged in over TLS.
func secured(t *testing.T, cfg *tls.Config, tell ...func(*ftp.Server)) *dialogue {
	t.Helper()
	store := memory.New()
	srv := newServer(t, store, nil)
	srv.TLS = &tls.Config{Certificates: []tls.Certificate{testCertificate(t)}}
	for _, f := range tell {
		f(srv)
	}
	d := &dialogue{t: t, where: t.Name(), addr: serveOn(t, srv, "127.0.0.1:0"), store: store}
	d.connect()
	t.Cleanup(d.hangUp)
	d.steps("> AUTH TLS", "<< 234")
	d.conn = tls.Client(d.raw, cfg)
	d.resetReader()
	d.steps("login", "> PBSZ 0", "<< 200", "> PROT P", "<< 200")
	return d
}

// A client may begin the handshake of its data connection before it sends the command. When that is
// refused the handshake is not broken off: some take that for the end of the session.
func TestTheDataConnectionOfARefusedTransferEndsInOrderOverTLS(t *testing.T) {
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		for _, command := range []string{"RETR missing", "LIST missing", "STOR missing/f"} {
			t.Run(tls.VersionName(version)+" "+command[:4], func(t *testing.T) {
				cfg := &tls.Config{InsecureSkipVerify: true, ServerName: "x", MaxVersion: version}
				d := secured(t, cfg)
				d.steps("passive")
				c := tls.Client(d.dataConn(), cfg)
				shaken := make(chan error, 1)
				go func() { shaken <- c.Handshake() }()
				d.steps("> "+command, "<< 550")
				if err := <-shaken; err != nil {
					t.Fatalf("handshake: %v", err)
				}
				if rest, err := io.ReadAll(c); len(rest) > 0 || err != nil {
					t.Errorf("it ends with %q, %v", rest, err)
				}
				d.closeData()
				d.steps("> NOOP", "<< 200")
			})
		}
	}
}

// purse is the session cache of a client that uses each ticket once, as OpenSSL does under TLS 1.3.
type purse struct {
	mu   sync.Mutex
	last *tls.ClientSessionState // guarded by mu
}

func (p *purse) Get(string) (*tls.ClientSessionState, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	s := p.last
	p.last = nil
	return s, s != nil
}

func (p *purse) Put(_ string, s *tls.ClientSessionState) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.last = s
}

// Each data connection that ends in order on both sides leaves its client the ticket for the next,
// in whatever order the handshake and the command come.
func TestWhoMustResumeGetsATicketFromEachConnection(t *testing.T) {
	for _, early := range []bool{false, true} {
		t.Run(fmt.Sprintf("handshake first %v", early), func(t *testing.T) {
			cfg := &tls.Config{InsecureSkipVerify: true, ServerName: "x", ClientSessionCache: &purse{}}
			d := secured(t, cfg, func(s *ftp.Server) { s.DataResume = ftp.ResumeRequire })
			open := func(command string) *tls.Conn {
				t.Helper()
				if early {
					d.early(cfg)
				} else {
					d.step("passive")
				}
				d.steps("> "+command, "<< 150")
				c, is := d.data.(*tls.Conn)
				if !is {
					c = tls.Client(d.dataConn(), cfg)
				}
				if err := c.Handshake(); err != nil {
					t.Fatalf("%s: %v", command, err)
				}
				if !c.ConnectionState().DidResume {
					t.Errorf("%s did not resume", command)
				}
				return c
			}
			for _, command := range []string{"STOR f", "STOR f", "APPE f", "RETR f", "NLST", "STOR g", "STOR g"} {
				c := open(command)
				if command[:4] != "RETR" && command != "NLST" {
					io.WriteString(c, "content")
				}
				c.CloseWrite()
				if _, err := io.ReadAll(c); err != nil {
					t.Errorf("%s: %v", command, err)
				}
				d.closeData()
				d.steps("<< 226")
			}
			if got, err := readFile(d.store, "f"); got != "contentcontent" || err != nil {
				t.Errorf("%q, %v", got, err)
			}
		})
	}
}

// A client that only sends does not read what it was not told to expect: handshake, content,
// close_notify, close.
func TestTLSUploadOfAClientThatNeverReads(t *testing.T) {
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		for _, resume := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, resumed %v", tls.VersionName(version), resume), func(t *testing.T) {
				cfg := &tls.Config{InsecureSkipVerify: true, ServerName: "x", MaxVersion: version}
				cache := &tickets{full: !resume}
				cfg.ClientSessionCache = cache
				d := secured(t, cfg)
				store := d.store
				for _, size := range []int{0, 1, 300_000, 8 << 20} {
					name := fmt.Sprintf("f%d", size)
					d.steps("passive", "> STOR "+name, "<< 150")
					c := tls.Client(&frugal{Conn: d.dataConn()}, cfg)
					if err := c.Handshake(); err != nil {
						t.Fatal(err)
					}
					if c.ConnectionState().DidResume != resume {
						t.Errorf("resumed: %v", !resume)
					}
					content := strings.Repeat("x", size)
					if _, err := io.WriteString(c, content); err != nil {
						t.Fatalf("%d bytes: %v", size, err)
					}
					c.Close()
					d.data = nil
					d.steps("<< 226")
					if got, err := readFile(store, name); err != nil || got != content {
						t.Errorf("%s: %d bytes, %v", name, len(got), err)
					}
				}
				before := cache.count()
				d.steps("passive", "> STOR f", "<< 150")
				c := tls.Client(d.dataConn(), cfg)
				io.WriteString(c, "content")
				c.CloseWrite()
				if rest, err := io.ReadAll(c); len(rest) > 0 || err != nil {
					t.Errorf("behind the upload comes %q, %v", rest, err)
				}
				d.closeData()
				d.steps("<< 226")
				if n := cache.count() - before; version == tls.VersionTLS13 && n != 1 {
					t.Errorf("%d tickets came with the end of an upload", n)
				}
			})
		}
	}
}
