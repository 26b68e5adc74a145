package ftp_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"ferry/ftp"
	"ferry/remote"
	"ferry/remote/driver/memory"
	"ferry/remote/wrap/faulty"
)

// talk is a logged-in dialogue with a server over store, for tests that do more than a script can.
func talk(t *testing.T, store remote.Remote, options ...func(*ftp.Server)) *dialogue {
	t.Helper()
	srv := newServer(t, store, nil)
	for _, o := range options {
		o(srv)
	}
	d := &dialogue{t: t, where: t.Name(), addr: serveOn(t, srv, "127.0.0.1:0"), store: store}
	d.connect()
	t.Cleanup(d.hangUp)
	d.step("login")
	return d
}

func (d *dialogue) steps(lines ...string) {
	d.t.Helper()
	for _, l := range lines {
		d.where = d.t.Name() + ": " + l
		d.step(l)
	}
}

// startUpload begins a STOR and writes some bytes that have certainly arrived when it returns.
func (d *dialogue) startUpload(name, content string) {
	d.t.Helper()
	d.steps("passive", "> STOR "+name, "<< 150")
	io.WriteString(d.dataConn(), content)
	d.waitForBytes(len(content))
}

// waitForBytes asks STAT until the transfer that runs has moved n bytes.
func (d *dialogue) waitForBytes(n int) {
	d.t.Helper()
	want := fmt.Sprintf(": %d bytes so far", n)
	for !strings.Contains(d.command("STAT", "211"), want) {
		time.Sleep(time.Millisecond)
	}
}

func TestWhileATransferRuns(t *testing.T) {
	store := memory.New()
	d := talk(t, store)
	d.startUpload("f", "first")
	d.steps("> NOOP", "<< 200", "> STAT", "<< 211")
	// Other commands wait, in their order, and QUIT waits for the reply to the transfer.
	d.steps(">> PWD\\r\\nNOOP\\r\\nQUIT\\r\\n", "send  second", "<< 226", "<< 257", "<< 200", "<< 221", "closed")
	if got, err := readFile(store, "f"); err != nil || got != "first second" {
		t.Errorf("the file is %q, %v", got, err)
	}
}

func TestAborEndsAnUpload(t *testing.T) {
	for _, how := range []string{`ABOR\r\n`, `\xff\xf4\xff\xf2ABOR\r\n`, `\xff\xf4\xf2ABOR\r\n`} {
		store := memory.New()
		d := talk(t, store)
		d.steps("seed f old")
		d.startUpload("f", "new")
		d.steps(">> "+how, "<< 426", "<< 226", "file f old", "> NOOP", "<< 200")
	}
}

func TestAborEndsADownload(t *testing.T) {
	store := memory.New()
	d := talk(t, store)
	d.steps("seed f "+strings.Repeat("x", 64<<20), "passive", "> RETR f", "<< 150")
	io.ReadFull(d.dataConn(), make([]byte, 1000))
	d.steps("> ABOR", "<< 426", "<< 226")
	if _, err := io.ReadAll(d.dataConn()); err == nil {
		t.Error("the client sees the end of the file after an abort")
	}
	d.steps("> NOOP", "<< 200")
}

func TestAborWhileWaitingForTheDataConnection(t *testing.T) {
	d := talk(t, memory.New())
	d.steps("> EPSV", "<< 229", "> STOR f", "<< 150", "> ABOR", "<< 426", "<< 226", "> SIZE f", "<< 550")
}

// cuts are the ways in which an upload can end without being complete.
var cuts = map[string]func(d *dialogue){
	"reset of the data connection": func(d *dialogue) {
		d.steps("cut")
	},
	"loss of the control connection": func(d *dialogue) {
		d.raw.(*net.TCPConn).SetLinger(0)
		d.raw.Close()
	},
	"end of both connections at once": func(d *dialogue) {
		d.raw.Close()
		d.closeData()
	},
	"abort": func(d *dialogue) {
		d.steps("> ABOR", "<< 426", "<< 226")
	},
}

func TestACutUploadIsNotPublished(t *testing.T) {
	for name, cut := range cuts {
		t.Run(name, func(t *testing.T) {
			store := memory.New()
			d := talk(t, store)
			d.steps("seed over old content")
			d.startUpload("over", "new")
			cut(d)
			d.steps("reconnect", "login")
			d.startUpload("fresh", "12345")
			cut(d)
			d.steps("reconnect", "login", "file over old content", "nofile fresh")
			// The part is there for its owner as soon as the server has noticed.
			for !strings.HasPrefix(d.sizeOf("fresh"), "213 5") {
				time.Sleep(time.Millisecond)
			}
			d.steps("> REST 5", "<< 350", "passive", "> STOR fresh", "<< 150", "send 67890", "<< 226",
				"file fresh 1234567890")
		})
	}
}

func (d *dialogue) sizeOf(name string) string {
	d.write("SIZE " + name + "\r\n")
	return d.line()
}

func TestAnAbruptCloseIsBelievedWhenAlloAnnouncedIt(t *testing.T) {
	store := memory.New()
	d := talk(t, store)
	d.steps("> ALLO 5", "<< 200")
	d.startUpload("f", "12345")
	cuts["end of both connections at once"](d)
	waitForFile(t, store, "f", "12345")
}

func TestAnAbruptCloseIsBelievedWhenTheAdministratorSaysSo(t *testing.T) {
	store := memory.New()
	d := talk(t, store, func(s *ftp.Server) { s.AcceptAbruptClose = true })
	d.startUpload("f", "12345")
	cuts["end of both connections at once"](d)
	waitForFile(t, store, "f", "12345")
}

func TestQuitAndCloseBehindAnUploadIsOrderly(t *testing.T) {
	store := memory.New()
	d := talk(t, store)
	d.steps("passive")
	d.write("STOR f\r\nQUIT\r\n")
	io.WriteString(d.dataConn(), "12345")
	d.closeData()
	d.raw.(*net.TCPConn).CloseWrite()
	waitForFile(t, store, "f", "12345")
	d.steps("<< 150", "<< 226", "<< 221")
}

// Commands may be sent ahead of the data, so that they do not show that it is whole.
func TestAKilledClientThatHadSentItsNextCommand(t *testing.T) {
	store := memory.New()
	d := talk(t, store)
	quickly := func() {
		d.steps("passive")
		d.write("STOR f\r\nSIZE f\r\n")
		io.WriteString(d.dataConn(), "12345")
	}
	slowly := func() {
		d.startUpload("f", "12345")
		d.write("SIZE f\r\n")
	}
	for name, upload := range map[string]func(){"quickly": quickly, "slowly": slowly} {
		upload()
		d.raw.(*net.TCPConn).CloseWrite()
		d.closeData()
		if name == "quickly" {
			d.steps("<< 150")
		}
		d.steps("<< 426", "<< 213", "nofile f", "reconnect", "login", "> DELE f", "<< 250")
	}
}

func waitForFile(t *testing.T, store remote.Remote, name, content string) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(time.Millisecond) {
		got, err := readFile(store, name)
		if err == nil && got == content {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("%s is %q, %v", name, got, err)
		}
	}
}

func TestTLSUploadNeedsCloseNotify(t *testing.T) {
	store := memory.New()
	cert := testCertificate(t)
	srv := newServer(t, store, nil)
	srv.TLS = &tls.Config{Certificates: []tls.Certificate{cert}}
	d := &dialogue{t: t, where: t.Name(), addr: serveOn(t, srv, "127.0.0.1:0"), store: store}
	d.connect()
	t.Cleanup(func() { d.hangUp() })
	d.steps("> AUTH TLS", "<< 234", "secure", "login", "> PBSZ 0", "<< 200", "> PROT P", "<< 200")
	upload := func(end func(raw net.Conn, c *tls.Conn)) {
		d.steps("passive", "> STOR f", "<< 150")
		c := tls.Client(d.dataConn(), &tls.Config{InsecureSkipVerify: true})
		io.WriteString(c, "content")
		end(d.data, c)
		d.data = nil
	}
	upload(func(raw net.Conn, _ *tls.Conn) { raw.Close() })
	d.steps("< 426 *close_notify*", "nofile f")
	upload(func(_ net.Conn, c *tls.Conn) { c.Close() })
	d.steps("<< 226", "file f content")
}

func TestDeflate(t *testing.T) {
	store := memory.New()
	d := talk(t, store)
	d.steps("seed f "+strings.Repeat("abc", 1000), "> OPTS MODE Z LEVEL 9", "<< 200", "> MODE Z", "<< 200",
		"passive", "> RETR f", "<< 150")
	packed, err := io.ReadAll(d.dataConn())
	if err != nil || len(packed) > 200 {
		t.Fatalf("%d bytes, %v", len(packed), err)
	}
	d.steps("<< 226", "passive", "> STOR g", "<< 150")
	d.dataConn().Write(packed)
	d.closeData()
	d.steps("<< 226", "file g "+strings.Repeat("abc", 1000))
	d.steps("passive", "> STOR h", "<< 150")
	d.dataConn().Write(packed[:len(packed)-3])
	d.closeData()
	d.steps("<< 426", "nofile h")
}

func TestOneByteAtATime(t *testing.T) {
	d := talk(t, memory.New())
	for _, b := range []byte("MKD a b\r\nNOOP\r\n") {
		d.conn.Write([]byte{b})
	}
	d.steps("<< 257", "<< 200")
}

func TestLongLines(t *testing.T) {
	d := talk(t, memory.New())
	d.write("NOOP " + strings.Repeat("x", 8000) + "\r\n")
	d.steps("<< 200")
	d.write("STOR " + strings.Repeat("x", 9000) + "\r\n")
	d.steps("<< 500", "> NOOP", "<< 200")
	d.write(strings.Repeat("x", 63<<10) + "\nNOOP\r\n")
	d.steps("<< 500", "<< 200")
	d.write(strings.Repeat("x", 80<<10))
	d.steps("<< 500")
}

// panicky is a tree whose methods panic.
type panicky struct{ ftp.FS }

func (panicky) Mkdir(context.Context, string) error { panic("mkdir") }
func (panicky) Create(context.Context, string, int64) (ftp.Upload, error) {
	return panickyUpload{}, nil
}
func (panicky) Close() error                                               { panic("close") }
func (panicky) Open(context.Context, string, int64) (io.ReadCloser, error) { panic("open") }

type panickyUpload struct{}

func (panickyUpload) Write([]byte) (int, error)    { panic("write") }
func (panickyUpload) Commit(context.Context) error { panic("commit") }
func (panickyUpload) Abort()                       {}

type backendFunc func() (ftp.FS, error)

func (f backendFunc) Login(context.Context, ftp.Client, string, string) (ftp.FS, error) { return f() }

func TestAPanicIsAnswered451(t *testing.T) {
	d := talk(t, memory.New(), func(s *ftp.Server) {
		s.Backend = backendFunc(func() (ftp.FS, error) { return panicky{}, nil })
	})
	d.steps("> MKD x", "<< 451", "passive", "> STOR x", "<< 150", "send x", "<< 451", "passive", "> RETR x", "<< 451", "> NOOP", "<< 200")
}

func TestShutdownLetsTransfersFinish(t *testing.T) {
	store := memory.New()
	srv := newServer(t, store, nil)
	addr := serveOn(t, srv, "127.0.0.1:0")
	busy := &dialogue{t: t, where: t.Name(), addr: addr, store: store}
	busy.connect()
	defer busy.hangUp()
	busy.steps("login")
	busy.startUpload("f", "first")
	idle := &dialogue{t: t, where: t.Name(), addr: addr, store: store}
	idle.connect()
	defer idle.hangUp()
	idle.steps("login")

	done := make(chan error, 1)
	go func() { done <- srv.Shutdown(context.Background()) }()
	idle.steps("<< 421", "closed")
	if conn, err := net.Dial("tcp", addr); err == nil {
		conn.Close()
		t.Error("a new connection was accepted")
	}
	busy.steps("send  second", "<< 226", "<< 421", "closed", "file f first second")
	if err := <-done; err != nil {
		t.Error(err)
	}
}

func TestShutdownAbortsWhenItsTimeIsUp(t *testing.T) {
	store := memory.New()
	srv := newServer(t, store, nil)
	d := &dialogue{t: t, where: t.Name(), addr: serveOn(t, srv, "127.0.0.1:0"), store: store}
	d.connect()
	defer d.hangUp()
	d.steps("login")
	d.startUpload("f", "first")
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := srv.Shutdown(ctx); err != context.Canceled {
		t.Errorf("Shutdown returned %v", err)
	}
	d.steps("<< 421", "<< 421", "closed", "nofile f")
}

func TestKickAndSessions(t *testing.T) {
	var srv *ftp.Server
	d := talk(t, memory.New(), func(s *ftp.Server) { srv = s })
	d.steps("> CLNT test", "<< 200")
	d.startUpload("f", "12345")
	all := srv.Sessions()
	if len(all) != 1 {
		t.Fatalf("%d sessions", len(all))
	}
	i := all[0]
	if i.User != "bob" || i.Client != "test" || i.Command != "STOR" || i.Path != "/f" || i.Bytes != 5 {
		t.Errorf("the session is shown as %+v", i)
	}
	if srv.Kick(i.ID+1) || !srv.Kick(i.ID) {
		t.Error("Kick does not know its sessions")
	}
	d.steps("<< 421", "<< 421", "closed")
}

// pipeListener hands out connections that live in memory, so that time can be virtual.
type pipeListener struct {
	conns chan net.Conn
	once  sync.Once
	done  chan struct{}
}

func (l *pipeListener) Accept() (net.Conn, error) {
	select {
	case c := <-l.conns:
		return c, nil
	case <-l.done:
		return nil, net.ErrClosed
	}
}
func (l *pipeListener) Close() error   { l.once.Do(func() { close(l.done) }); return nil }
func (l *pipeListener) Addr() net.Addr { return &net.TCPAddr{} }

func TestTimeouts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := newServer(t, memory.New(), nil)
		l := &pipeListener{conns: make(chan net.Conn), done: make(chan struct{})}
		done := make(chan error, 1)
		go func() { done <- srv.Serve(t.Context(), l) }()
		dial := func() (net.Conn, *bytes.Buffer, time.Time, chan time.Duration) {
			ours, theirs := net.Pipe()
			l.conns <- theirs
			var got bytes.Buffer
			start, ended := time.Now(), make(chan time.Duration, 1)
			go func() {
				io.Copy(&got, ours)
				ended <- time.Since(start)
			}()
			return ours, &got, start, ended
		}

		_, got, _, ended := dial()
		if d := <-ended; d != time.Minute || !strings.Contains(got.String(), "421 Login timeout.") {
			t.Errorf("without a login the session ended after %v with %q", d, got)
		}

		conn, got, _, ended := dial()
		io.WriteString(conn, "NOOP\r\n")
		time.Sleep(50 * time.Second)
		io.WriteString(conn, "USER bob\r\nNOOP\r\n") // does not push the login timeout back
		if d := <-ended; d != time.Minute {
			t.Errorf("without a login the session ended after %v with %q", d, got)
		}

		conn, got, _, ended = dial()
		io.WriteString(conn, "USER bob\r\nPASS x\r\n")
		time.Sleep(4 * time.Minute)
		io.WriteString(conn, "NOOP\r\n")
		if d := <-ended; d != 9*time.Minute || !strings.Contains(got.String(), "421 Idle timeout.") {
			t.Errorf("after a NOOP at 4m the session ended after %v with %q", d, got)
		}
		srv.Close()
		<-done
	})
}

func TestWrongPasswordsCostMoreEachTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := newServer(t, memory.New(), map[string]bool{"password": true})
		srv.LoginTimeout = time.Hour
		l := &pipeListener{conns: make(chan net.Conn), done: make(chan struct{})}
		done := make(chan error, 1)
		go func() { done <- srv.Serve(t.Context(), l) }()
		ours, theirs := net.Pipe()
		l.conns <- theirs
		d := &dialogue{t: t, where: t.Name(), raw: ours, conn: ours}
		d.resetReader()
		d.reply("220")
		last := time.Duration(0)
		for i := range 6 {
			d.command("USER bob", "331")
			start := time.Now()
			code := "530"
			if i == 5 {
				code = "421"
			}
			d.command("PASS wrong", code)
			if took := time.Since(start); took <= last {
				t.Errorf("wrong password %d cost %v, the one before %v", i+1, took, last)
			} else {
				last = took
			}
		}
		d.steps("closed")
		ours.Close()
		srv.Close()
		<-done
	})
}

// lftp sends SITE CHMOD behind each upload until it is answered 502.
func TestNoPermissionBitsIsNoRefusalOfAFile(t *testing.T) {
	store := memory.New()
	if _, err := store.Put(t.Context(), "f", strings.NewReader("x"), remote.PutOptions{}); err != nil {
		t.Fatal(err)
	}
	r := faulty.New(store)
	r.Inject(faulty.Fault{Op: faulty.SetMode, Times: -1, Err: remote.ErrUnsupported})
	talk(t, r).steps("> SITE CHMOD 600 f", "< 502 This storage keeps no permission bits.", "> SITE CHMOD 9 f", "<< 501", "> SITE UTIME 20200101000000 none", "<< 550")
}
