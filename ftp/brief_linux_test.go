package ftp_test

import (
	"context"
	"io"
	"net"
	"strings"
	"sync"
	"testing"

	"ferry/remote/driver/local"
)

// A writesListener notes what its connections are asked to write, call by call.
type writesListener struct {
	net.Listener

	mu     sync.Mutex
	writes []string // guarded by mu
}

func (l *writesListener) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	return &writesConn{conn, l}, err
}

type writesConn struct {
	net.Conn
	l *writesListener
}

func (c *writesConn) Write(p []byte) (int, error) {
	c.l.mu.Lock()
	defer c.l.mu.Unlock()
	c.l.writes = append(c.l.writes, string(p))
	return c.Conn.Write(p)
}

// has reports whether one write held both replies.
func (l *writesListener) has(first, second string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, w := range l.writes {
		if _, rest, found := strings.Cut(w, first); found && strings.Contains(rest, second) {
			return true
		}
	}
	return false
}

// A small transfer whose connection is there before its command costs the client one packet of
// replies. The connection is not in the queue any more when the command comes late, so that more
// than one attempt may be needed.
func TestRepliesToABriefTransferAreSentTogether(t *testing.T) {
	store, err := local.New(t.TempDir(), local.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	for _, way := range []string{"STOR", "RETR"} {
		inner, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		l := &writesListener{Listener: inner}
		srv := newServer(t, store, nil)
		go srv.Serve(context.Background(), l)
		d := &dialogue{t: t, where: way, addr: inner.Addr().String(), store: store}
		d.connect()
		d.step("login")
		for range 100 {
			d.step("passive")
			if way == "STOR" {
				io.WriteString(d.dataConn(), "content")
				d.closeData()
			}
			d.command(way+" f", "150")
			if way == "RETR" {
				if got := d.receive(); got != "content" {
					t.Errorf("%q was sent", got)
				}
			}
			d.reply("226")
			if l.has("150 ", "\r\n226 ") {
				break
			}
		}
		if !l.has("150 ", "\r\n226 ") {
			t.Errorf("%s: 150 and 226 were never sent together", way)
		}
		d.hangUp()
		srv.Close()
	}
}

// Who sends nothing before it has read 150 gets it at once, whatever the transfer.
func TestABriefTransferThatWaitsIsAnnounced(t *testing.T) {
	store, err := local.New(t.TempDir(), local.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	d := talk(t, store)
	large := strings.Repeat("0123456789abcdef", 1<<20)
	for range 3 {
		d.steps("passive", "> STOR f", "<< 150")
		io.WriteString(d.dataConn(), large)
		d.closeData()
		d.steps("<< 226", "passive", "> RETR f", "<< 150")
		if got := d.receive(); got != large {
			t.Errorf("%d bytes were sent", len(got))
		}
		d.steps("<< 226")
	}
}
