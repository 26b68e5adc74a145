package ftp_test

import (
	"bufio"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"log/slog"
	"net"
	"strings"
	"testing"
	"time"

	"ferry/ftp"
	"ferry/remote"
	"ferry/remote/driver/memory"
	"ferry/remote/remotetest"
	"ferry/remote/wrap/faulty"
)

// A logText is a log that may be read while it is written.
type logText struct{ remotetest.Log }

// line returns the only line with all of the words.
func (l *logText) line(t *testing.T, words ...string) string {
	t.Helper()
	var found []string
	for line := range strings.Lines(l.String()) {
		all := true
		for _, w := range words {
			all = all && strings.Contains(line, w)
		}
		if all {
			found = append(found, line)
		}
	}
	if len(found) != 1 {
		t.Errorf("%d lines with %q in\n%s", len(found), words, l.String())
		return ""
	}
	return found[0]
}

func logTo(log *logText) func(*ftp.Server) {
	return func(s *ftp.Server) { s.Log = slog.New(slog.NewTextHandler(log, nil)) }
}

func TestTheLogSaysWhatWasRefusedAndWhy(t *testing.T) {
	log := &logText{}
	srv := newServer(t, memory.New(), map[string]bool{"password": true})
	logTo(log)(srv)
	d := &dialogue{t: t, where: t.Name(), addr: serveOn(t, srv, "127.0.0.1:0")}
	d.connect()
	defer d.hangUp()
	d.steps("> USER bob", "<< 331", "> PASS wrong-secret", "<< 530", "> USER bob", "<< 331", "> PASS secret", "<< 230",
		"> DELE missing", "<< 550", "> SIZE missing", "<< 550", "passive", "> RETR missing", "<< 550")
	d.startUpload("f", "hello")
	d.dataConn().Close()
	d.steps("<< 226", "> QUIT", "<< 221")
	d.hangUp()
	srv.Close()
	log.line(t, "level=WARN", `msg="login denied"`, "user=bob", "address=127.0.0.1", "port=")
	log.line(t, "level=WARN", `msg="command refused"`, "command=DELE", "arg=missing", "code=550", `reason="No such file or directory."`)
	log.line(t, "level=WARN", "command=RETR", "code=550")
	log.line(t, "level=INFO", "command=SIZE", "code=550")
	log.line(t, "level=INFO", `msg="transfer complete"`, "bytes=5", "took=")
	log.line(t, "level=INFO", `msg="session ended"`, "user=bob", "files=1", "received=5", "sent=0", "refused=3")
	if text := log.String(); strings.Contains(text, "secret") || strings.Contains(text, "client=") {
		t.Errorf("the log:\n%s", text)
	}
}

func TestProbesDoNotFillTheLog(t *testing.T) {
	log := &logText{}
	d := talk(t, memory.New(), logTo(log))
	for range 100 {
		d.steps("> DELE missing", "<< 550")
	}
	d.hangUp()
	if n := strings.Count(log.String(), "level=WARN"); n != 30 {
		t.Errorf("%d warnings", n)
	}
}

// Clients that keep times set one behind each upload, whatever they are told.
func TestTimesThatCannotBeSetAreOneWarning(t *testing.T) {
	log := &logText{}
	r := faulty.New(memory.New())
	r.Inject(faulty.Fault{Op: faulty.SetModTime, Times: -1, Err: remote.ErrUnsupported})
	d := talk(t, r, logTo(log))
	d.startUpload("f", "hello")
	d.dataConn().Close()
	d.steps("<< 226")
	for range 5 {
		d.steps("> MFMT 20010203040506 f", "<< 550", "> SITE UTIME 20010203040506 f", "<< 550")
	}
	d.steps("> DELE missing", "<< 550")
	d.hangUp()
	log.line(t, "level=WARN", "command=MFMT", "code=550", "cannot set modification times")
	log.line(t, "level=WARN", "command=DELE")
	if n := strings.Count(log.String(), "level=WARN"); n != 2 {
		t.Errorf("%d warnings:\n%s", n, log)
	}
}

// The disk is full while the client still sends: it is told so, and not reset.
func TestAFullDiskIsTold(t *testing.T) {
	for _, private := range []bool{false, true} {
		store := faulty.New(memory.New())
		store.Inject(faulty.Fault{Op: faulty.Write, After: 1, Err: remote.ErrNoSpace})
		log := &logText{}
		srv := newServer(t, store, map[string]bool{"tls": private})
		logTo(log)(srv)
		d := &dialogue{t: t, where: t.Name(), addr: serveOn(t, srv, "127.0.0.1:0")}
		d.connect()
		if private {
			d.steps("> AUTH TLS", "<< 234", "secure", "login", "> PBSZ 0", "<< 200", "> PROT P", "<< 200")
		} else {
			d.steps("login")
		}
		d.steps("passive", "> STOR f", "<< 150")
		data := d.dataConn()
		if private {
			data = tls.Client(data, &tls.Config{InsecureSkipVerify: true})
		}
		sent := make(chan error, 1)
		go func() { sent <- sendSlowly(data) }()
		d.steps("<< 452")
		if err := <-sent; err != nil {
			t.Errorf("private %v: sending on after the reply: %v", private, err)
		}
		data.Close()
		d.steps("> NOOP", "<< 200")
		log.line(t, "level=WARN", `msg="transfer failed"`, "no space")
		d.hangUp()
	}
}

// sendSlowly sends more than the buffers of a connection hold.
func sendSlowly(data net.Conn) error {
	block := make([]byte, 64<<10)
	data.SetDeadline(time.Now().Add(20 * time.Second))
	for range 320 {
		if _, err := data.Write(block); err != nil {
			return err
		}
	}
	if half, ok := data.(interface{ CloseWrite() error }); ok {
		if err := half.CloseWrite(); err != nil {
			return err
		}
	}
	if _, err := io.Copy(io.Discard, data); err != nil {
		return err
	}
	return nil
}

// What nobody has to look at is INFO: a transfer that its client gave up, or the administrator
// ended, and what strangers try who have not logged in.
func TestWhatNeedsNobodysAttentionIsNoWarning(t *testing.T) {
	for _, tt := range []struct {
		name string
		end  func(d *dialogue, srv *ftp.Server)
	}{
		{"ABOR", func(d *dialogue, _ *ftp.Server) { d.steps("> ABOR", "<< 426", "<< 226") }},
		{"Kick", func(d *dialogue, srv *ftp.Server) { srv.Kick(srv.Sessions()[0].ID); d.steps("<< 421") }},
		{"Close", func(d *dialogue, srv *ftp.Server) { go srv.Close(); d.steps("<< 421") }},
	} {
		log := &logText{}
		srv := newServer(t, memory.New(), nil)
		logTo(log)(srv)
		d := &dialogue{t: t, where: t.Name(), addr: serveOn(t, srv, "127.0.0.1:0")}
		d.connect()
		d.steps("login")
		d.startUpload("f", "hello")
		tt.end(d, srv)
		d.hangUp()
		srv.Close()
		log.line(t, "level=INFO", `msg="transfer failed"`)
		log.line(t, `msg="session ended"`, "files=0", "received=5")
		log.none(t, tt.name, "level=WARN")
	}
}

// An unremovable remote removes no file.
type unremovable struct {
	remote.Remote
	why error
}

func (u unremovable) Remove(_ context.Context, name string) error {
	return remote.Renamed("remove", name, u.why)
}

// A storage may know more than the reply says: which part of it refuses, which option would help.
// The log has it, once, and nothing where the error is the reply in other words.
func TestTheLogSaysWhyTheStorageRefuses(t *testing.T) {
	for _, tt := range []struct {
		err  error
		want string
	}{
		{fmt.Errorf("%w: it is also in the archive, which is read-only", remote.ErrPermission), `error="remove f: permission denied: it is also in the archive, which is read-only"`},
		{remote.Final(fmt.Errorf("%w: see option x", remote.ErrUnsupported)), "see option x"},
		{remote.ErrPermission, ""},
		{remote.Final(remote.ErrNotEmpty), ""},
	} {
		log := &logText{}
		srv := newServer(t, unremovable{memory.New(), tt.err}, nil)
		logTo(log)(srv)
		d := &dialogue{t: t, where: t.Name(), addr: serveOn(t, srv, "127.0.0.1:0")}
		d.connect()
		d.steps("login", "> DELE f", "<< 550", "> CWD nowhere", "<< 550")
		d.hangUp()
		srv.Close()
		if tt.want == "" {
			log.none(t, "no words of its own", "error=")
			continue
		}
		log.line(t, "level=WARN", `msg="command refused"`, "command=DELE", tt.want)
		log.none(t, "the next command", "command=CWD", "error=")
	}
}

// none fails when a line has all of the words.
func (l *logText) none(t *testing.T, what string, words ...string) {
	t.Helper()
	for line := range strings.Lines(l.String()) {
		all := true
		for _, w := range words {
			all = all && strings.Contains(line, w)
		}
		if all {
			t.Errorf("%s: the log has %s", what, line)
		}
	}
}

// A session that has not logged in leaves three warnings, has no line at its end, and tells no word
// that may be a secret.
func TestStrangersDoNotFillTheLog(t *testing.T) {
	log := &logText{}
	srv := newServer(t, memory.New(), map[string]bool{"password": true})
	logTo(log)(srv)
	d := &dialogue{t: t, where: t.Name(), addr: serveOn(t, srv, "127.0.0.1:0")}
	d.connect()
	d.steps("> GET / secret", "<< 500", "> DELE a", "<< 530", "> PASS secret", "<< 503")
	for range 10 {
		d.steps("> DELE a", "<< 530")
	}
	d.hangUp()
	srv.Close()
	log.none(t, "a command that does not exist", "level=WARN", "command=GET")
	log.none(t, "a secret", "secret")
	log.none(t, "nobody's session", "session ended")
	if n := strings.Count(log.String(), "level=WARN"); n < 1 || n > 3 {
		t.Errorf("%d warnings:\n%s", n, log.String())
	}
}

// Handshakes that fail and sessions that are refused are warnings, with the address and the port
// apart.
func TestWhoDoesNotGetInIsTold(t *testing.T) {
	for _, implicit := range []bool{false, true} {
		log := &logText{}
		srv := newServer(t, memory.New(), map[string]bool{"tls": true})
		logTo(log)(srv)
		srv.MaxSessions = 2
		srv.MaxGuests = -1
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		serve := srv.Serve
		if implicit {
			serve = srv.ServeTLS
		}
		served := make(chan error, 1)
		go func() { served <- serve(t.Context(), l) }()
		conn, err := net.Dial("tcp", l.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		_, port, _ := net.SplitHostPort(conn.LocalAddr().String())
		in := bufio.NewReader(conn)
		if !implicit {
			io.WriteString(conn, "AUTH TLS\r\n")
			in.ReadString('\n')
			in.ReadString('\n')
		}
		io.WriteString(conn, "GET / HTTP/1.0\r\n\r\n")
		io.Copy(io.Discard, in)
		conn.Close()
		var idle []net.Conn
		for range 3 {
			c, err := net.Dial("tcp", l.Addr().String())
			if err != nil {
				t.Fatal(err)
			}
			idle = append(idle, c)
			if implicit && len(idle) < 3 {
				continue
			}
			bufio.NewReader(c).ReadString('\n')
		}
		for _, c := range idle {
			c.Close()
		}
		srv.Close()
		<-served
		log.line(t, "level=WARN", `msg="TLS handshake failed"`, "address=127.0.0.1 ", "port="+port+" ")
		log.line(t, "level=WARN", `msg="session refused"`, "address=127.0.0.1 ", `reason="Too many sessions; try again later."`)
	}
}

// The end of a session counts files that went both ways, and no listings.
func TestTheEndOfASessionCountsFiles(t *testing.T) {
	log := &logText{}
	d := talk(t, memory.New(), logTo(log))
	d.steps("> TYPE I", "<< 200", "passive", "> STOR f", "<< 150", "send hello", "<< 226", "passive", "> RETR f", "<< 150", "recv hello", "<< 226",
		"passive", "> NLST", "<< 150", `recv f\r\n`, "<< 226", "> QUIT", "<< 221", "closed")
	d.hangUp()
	log.line(t, `msg="session ended"`, "files=2", "received=5", "sent=5")
}
