package ftp_test

import (
	"context"
	"io"
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"ferry/ftp"
	"ferry/remote/driver/memory"
)

// overPipe talks to srv in virtual time, over a connection without data connections, until talk
// returns.
func overPipe(t *testing.T, srv *ftp.Server, talk func(d *dialogue)) {
	synctest.Test(t, func(t *testing.T) {
		l := &pipeListener{conns: make(chan net.Conn), done: make(chan struct{})}
		served := make(chan error, 1)
		go func() { served <- srv.Serve(context.Background(), l) }()
		ours, theirs := net.Pipe()
		l.conns <- theirs
		d := &dialogue{t: t, where: t.Name(), raw: ours, conn: ours}
		d.resetReader()
		d.reply("220")
		d.steps("login")
		talk(d)
		ours.Close()
		srv.Close()
		<-served
	})
}

func TestAClientThatTakesNoReplyIsIdle(t *testing.T) {
	srv := newServer(t, memory.New(), nil)
	overPipe(t, srv, func(d *dialogue) {
		d.write(strings.Repeat("STAT\r\n", 1300))
		time.Sleep(5*time.Minute + time.Second)
		if n := len(srv.Sessions()); n != 0 {
			t.Errorf("%d sessions are left after the idle timeout", n)
		}
	})
}

// A client that reads nothing does not stay for longer than one that says nothing.
func TestAClientThatNeverReadsHasToLogInInTime(t *testing.T) {
	srv := newServer(t, memory.New(), nil)
	withVisitors(t, srv, func(l *pipeListener) {
		d := visit(t, l, "192.0.2.1:1001", "220")
		defer d.hangUp()
		go d.raw.Write([]byte(strings.Repeat("FEAT\r\n", 1300)))
		time.Sleep(time.Minute + time.Second)
		if n := len(srv.Sessions()); n != 0 {
			t.Errorf("%d sessions are left after the time to log in", n)
		}
	})
}

func TestKickEndsASessionThatWaitsForItsClient(t *testing.T) {
	srv := newServer(t, memory.New(), nil)
	overPipe(t, srv, func(d *dialogue) {
		d.write("STAT\r\n")
		synctest.Wait()
		srv.Kick(1)
		time.Sleep(5 * time.Second)
		if n := len(srv.Sessions()); n != 0 {
			t.Errorf("%d sessions are left after Kick", n)
		}
	})
}

// A line that is too long stays one when the transfer beside it ends in its middle.
func TestALongLineAcrossTheEndOfATransfer(t *testing.T) {
	d := talk(t, memory.New())
	d.startUpload("f", "first")
	d.write(strings.Repeat("x", 20<<10))
	io.WriteString(d.dataConn(), " second")
	d.steps("send  third", "<< 226", "> ", "< 500 Line too long.", "file f first second third")
}

// A web page can make a browser send anything as the body of a request, and a request line of any
// length before it.
func TestAWebPageCannotSpeakFTP(t *testing.T) {
	d := talk(t, memory.New())
	d.steps("seed f content", ">> POST /"+strings.Repeat("x", 9000)+" HTTP/1.1\\r\\n", "<< 500",
		">> Host: localhost:2121\\r\\nAccept: */*\\r\\n\\r\\nDELE f\\r\\n", "<< 500", "closed", "file f content")
}
