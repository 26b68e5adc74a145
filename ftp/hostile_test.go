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
	"ferry/remote/memory"
)

// deaf runs a session in virtual time whose client sends commands and takes no reply after the login.
func deaf(t *testing.T, commands string, then func(srv *ftp.Server)) {
	synctest.Test(t, func(t *testing.T) {
		srv := newServer(t, memory.New(), nil)
		l := &pipeListener{conns: make(chan net.Conn), done: make(chan struct{})}
		served := make(chan error, 1)
		go func() { served <- srv.Serve(context.Background(), l) }()
		ours, theirs := net.Pipe()
		l.conns <- theirs
		d := &dialogue{t: t, where: t.Name(), raw: ours, conn: ours}
		d.resetReader()
		d.reply("220")
		d.steps("login")
		d.write(commands)
		then(srv)
		ours.Close()
		srv.Close()
		<-served
	})
}

func TestAClientThatTakesNoReplyIsIdle(t *testing.T) {
	deaf(t, strings.Repeat("STAT\r\n", 1300), func(srv *ftp.Server) {
		time.Sleep(5*time.Minute + time.Second)
		if n := len(srv.Sessions()); n != 0 {
			t.Errorf("%d sessions are left after the idle timeout", n)
		}
	})
}

func TestKickEndsASessionThatWaitsForItsClient(t *testing.T) {
	deaf(t, "STAT\r\n", func(srv *ftp.Server) {
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
