package observe_test

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"slices"
	"testing"
	"time"

	"ferry/events"
	"ferry/ftp"
	"ferry/vfs"
)

// Every reply of this dialogue is read before it is looked what was recorded: it was there before.
func TestASessionIsRecorded(t *testing.T) {
	st := newStage(t, vfs.Options{}, events.All, nil)
	c := st.dial(t)
	c.reply("220")
	c.recorded("connect user=")
	c.say("CLNT tester", "200", "command user= client=tester command=CLNT argument=tester code=200")
	c.say("USER eve", "331", "command user= client=tester command=USER argument=eve code=331")
	c.say("PASS secret", "530",
		"login.refused user=eve client=tester result=denied cause=unknown",
		"command user= client=tester command=PASS result=denied code=530 cause=Login incorrect.")
	c.say("DELE a", "530", "command user= client=tester command=DELE argument=a result=denied code=530 cause=Log in with USER and PASS first.")
	c.say("USER bob", "331", "command user= client=tester command=USER argument=bob code=331")
	c.say("PASS secret", "230", "login client=tester rule=flags", "command client=tester command=PASS code=230")
	c.say("CLNT other", "200", "command client=other command=CLNT argument=other code=200")
	c.say("REIN", "220", "command user= command=REIN code=220")
	c.say("USER bob", "331", "command user= command=USER argument=bob code=331")
	c.say("PASS secret", "230", "login rule=flags", "command command=PASS code=230")
	c.say("TYPE I", "200", "command command=TYPE argument=I code=200")
	c.say("MKD in", "257", "mkdir command=MKD path=/in code=257", "command command=MKD path=/in code=257")
	c.say("CWD in", "250", "command command=CWD path=/in code=250")
	c.put("STOR a", "hello", "226",
		"upload.received command=STOR argument=binary path=/in/a bytes=5 size=5 code=226", "command command=STOR path=/in/a code=226")
	c.put("APPE a", " you", "226",
		"upload.received command=APPE argument=binary path=/in/a offset=5 bytes=4 size=9 code=226", "command command=APPE path=/in/a code=226")
	c.say("REST 6", "350", "command command=REST argument=6 code=350")
	c.put("STOR a", "me", "226",
		"upload.received command=STOR argument=binary path=/in/a offset=6 bytes=2 size=8 code=226", "command command=STOR path=/in/a code=226")
	c.get("RETR a", "226",
		"download command=RETR argument=binary path=/in/a bytes=8 size=-1 code=226", "command command=RETR path=/in/a code=226")
	c.say("REST 6", "350", "command command=REST argument=6 code=350")
	c.get("RETR ../in/a", "226",
		"download command=RETR argument=binary path=/in/a offset=6 bytes=2 size=-1 code=226", "command command=RETR path=/in/a code=226")
	c.get("NLST", "226", "list command=NLST argument=binary path=/in bytes=3 size=-1 code=226", "command command=NLST path=/in code=226")
	c.get("NLST *a", "226", "list command=NLST argument=binary path=/in bytes=3 size=-1 code=226", "command command=NLST path=/in code=226")
	c.say("STAT /", "213", "list command=STAT argument=binary path=/ size=-1 code=213", "command command=STAT path=/ code=213")
	c.say("STAT", "211", "command command=STAT code=211")
	c.say("HELP", "214", "command command=HELP code=214")
	c.say("SIZE a", "213", "command command=SIZE path=/in/a code=213")
	c.say("MFMT 20200102030405 a", "213",
		"mtime command=MFMT path=/in/a mtime=2020-01-02 code=213", "command command=MFMT path=/in/a mtime=2020-01-02 code=213")
	c.say("SITE UTIME 20200203040506 a", "200",
		"mtime command=SITE UTIME path=/in/a mtime=2020-02-03 code=200", "command command=SITE UTIME path=/in/a mtime=2020-02-03 code=200")
	c.say("MDTM 20200304050607 a", "213",
		"mtime command=MDTM path=/in/a mtime=2020-03-04 code=213", "command command=MDTM path=/in/a mtime=2020-03-04 code=213")
	c.say("MDTM a", "213", "command command=MDTM path=/in/a code=213")
	c.say("SITE CHMOD 640 a", "200",
		"chmod command=SITE CHMOD argument=640 path=/in/a code=200", "command command=SITE CHMOD path=/in/a code=200")
	c.say("SITE PASSWD secret", "504", "command command=SITE result=failed code=504 cause=Unknown; SITE HELP lists what there is.")
	c.say("RNFR a", "350", "command command=RNFR path=/in/a code=350")
	c.say("RNTO /b", "250", "rename command=RNTO path=/in/a to=/b code=250", "command command=RNTO path=/in/a to=/b code=250")
	c.say("DELE /b", "250", "delete command=DELE path=/b code=250", "command command=DELE path=/b code=250")
	c.say("RMD /in", "250", "rmdir command=RMD path=/in code=250", "command command=RMD path=/in code=250")
	c.say("FROB secret", "500", `command command=FROB result=failed code=500 cause="FROB" not understood.`)
	c.say("QUIT", "221", "command command=QUIT code=221", "disconnect cause=quit")
}

// What did not happen is not recorded as if it had.
func TestWhatIsRefusedIsRecordedAsRefused(t *testing.T) {
	st := newStage(t, vfs.Options{ReadOnly: true}, events.All&^events.Of(events.Command), nil)
	c := st.join(t)
	c.open()
	c.say("STOR a", "550", "upload.aborted command=STOR argument=binary path=/a size=-1 result=denied code=550 cause=The server is read-only.")
	c.say("STOR a", "425", "upload.aborted command=STOR argument=binary path=/a size=-1 result=failed code=425 cause=Send PASV, EPSV, PORT or EPRT first.")
	c.say("MKD a", "550", "mkdir command=MKD path=/a result=denied code=550 cause=The server is read-only.")
	c.say("DELE a", "550", "delete command=DELE path=/a result=denied code=550 cause=The server is read-only.")
	c.open()
	c.say("RETR a", "550", "download command=RETR argument=binary path=/a size=-1 result=failed code=550 cause=open a: file does not exist")
	c.open()
	c.say("LIST a", "550", "list command=LIST argument=binary path=/a size=-1 result=failed code=550 cause=stat a: file does not exist")
}

func TestAnUploadThatIsCutOffIsAborted(t *testing.T) {
	st := newStage(t, vfs.Options{}, events.All&^events.Of(events.Command), nil)
	c := st.join(t)
	c.open()
	c.write("STOR a")
	c.reply("150")
	io.WriteString(c.data, "hello")
	for !moved(st.server) {
		time.Sleep(time.Millisecond)
	}
	c.write("ABOR")
	c.reply("426")
	c.recorded("upload.aborted command=STOR argument=binary path=/a bytes=5 size=-1 result=aborted code=426 cause=aborted by ABOR")
	c.reply("226")

	c.open()
	c.write("STOR b")
	c.reply("150")
	io.WriteString(c.data, "hello")
	c.data.(*net.TCPConn).SetLinger(0)
	c.data.Close()
	c.reply("426")
	last := st.take()
	if len(last) != 1 || last[0].Kind != events.UploadAborted || last[0].Path != "/b" || last[0].Result != events.Aborted || last[0].Cause == "" {
		t.Errorf("recorded %+v", last)
	}
}

// moved reports whether a byte of a transfer has arrived.
func moved(s *ftp.Server) bool {
	return slices.ContainsFunc(s.Sessions(), func(i ftp.SessionInfo) bool { return i.Bytes > 0 })
}

func TestCommandsDuringATransferAreRecorded(t *testing.T) {
	st := newStage(t, vfs.Options{}, events.Of(events.Command), nil)
	c := st.join(t)
	c.open()
	c.write("STOR a")
	c.reply("150")
	io.WriteString(c.data, "hello")
	for !moved(st.server) {
		time.Sleep(time.Millisecond)
	}
	time.Sleep(50 * time.Millisecond) // longer than a transfer runs unwatched
	c.write("NOOP")
	c.reply("200")
	if got := st.take(); len(got) != 1 || got[0].Command != "NOOP" || got[0].Code != 200 {
		t.Errorf("recorded %+v", got)
	}
	c.data.Close()
	c.reply("226")
}

// The change, the record of it and what waits for the remote have one ID.
func TestChangesCarryTheirOrigin(t *testing.T) {
	st := newStage(t, vfs.Options{}, events.Of(events.UploadReceived, events.Delete), nil)
	c := st.join(t)
	c.put("STOR a", "hello", "226", "upload.received command=STOR argument=binary path=/a bytes=5 size=5 code=226")
	e := c.last[0]
	c.say("DELE a", "250", "delete command=DELE path=/a code=250")
	if len(st.origins) != 3 {
		t.Fatalf("%d changes have an origin: %+v", len(st.origins), st.origins)
	}
	for i, o := range st.origins {
		if o.Session != e.Session || o.User != "bob" || o.Address != e.Address || o.Path != "/a" || o.Time.IsZero() || o.ID == "" {
			t.Errorf("change %d has the origin %+v", i, o)
		}
	}
	if create, commit := st.origins[0], st.origins[1]; create.ID != e.ID || commit.ID != e.ID {
		t.Errorf("the upload was %q and %q, and its event is %q", create.ID, commit.ID, e.ID)
	}
}

func TestHandshakesAreRecorded(t *testing.T) {
	st := newStage(t, vfs.Options{}, events.All&^events.Of(events.Command), func(s *ftp.Server) {
		s.TLS = &tls.Config{Certificates: []tls.Certificate{certificate(t)}}
	})
	c := st.dial(t)
	c.reply("220")
	c.say("AUTH TLS", "234", "connect user=")
	cfg := &tls.Config{InsecureSkipVerify: true, ClientSessionCache: tls.NewLRUClientSessionCache(1), ServerName: "ferry", MaxVersion: tls.VersionTLS12}
	control := tls.Client(c.conn, cfg)
	if err := control.Handshake(); err != nil {
		t.Fatal(err)
	}
	c.conn, c.in = control, bufio.NewReader(control)
	c.say("USER bob", "331", "handshake user= tls=1.2 command=control")
	c.say("PASS secret", "230", "login tls=1.2 rule=flags")
	for _, line := range []string{"PBSZ 0", "PROT P"} {
		c.say(line, "200")
	}
	c.open()
	c.write("NLST")
	data := tls.Client(c.data, cfg)
	if err := data.Handshake(); err != nil {
		t.Fatal(err)
	}
	c.reply("150")
	io.Copy(io.Discard, data)
	data.Close()
	c.reply("226")
	c.recorded("handshake tls=1.2 command=data cause=resumed", "list tls=1.2 command=NLST argument=binary path=/ size=-1 code=226")

	failed := st.dial(t)
	failed.reply("220")
	failed.say("AUTH TLS", "234", "connect user=")
	io.WriteString(failed.conn, "this is no handshake\r\n")
	io.Copy(io.Discard, failed.conn)
	if got := st.take(); len(got) != 2 || got[0].Kind != events.Handshake || got[0].Result != events.Failed || got[0].Cause == "" ||
		got[1].Kind != events.Disconnect || got[1].Cause != "lost" {
		t.Errorf("recorded %+v", got)
	}
}

func TestWhySessionsEnd(t *testing.T) {
	only := events.Of(events.Disconnect, events.Kick)
	for name, test := range map[string]struct {
		change func(*ftp.Server)
		end    func(st *stage, c *client)
		want   []string
	}{
		"kicked": {nil, func(st *stage, _ *client) { st.server.Kick(st.server.Sessions()[0].ID) }, []string{"kick", "disconnect cause=kicked"}},
		"changed": {nil, func(st *stage, _ *client) { st.server.Dismiss(st.server.Sessions()[0].ID) },
			[]string{"disconnect cause=kicked"}},
		"drained":          {nil, func(st *stage, _ *client) { st.server.Shutdown(context.Background()) }, []string{"disconnect cause=drain"}},
		"idle":             {func(s *ftp.Server) { s.IdleTimeout = time.Second }, func(*stage, *client) {}, []string{"disconnect cause=idle"}},
		"lost":             {nil, func(_ *stage, c *client) { c.conn.(*net.TCPConn).CloseWrite() }, []string{"disconnect cause=lost"}},
		"another protocol": {nil, func(_ *stage, c *client) { c.write("GET / HTTP/1.1") }, []string{"disconnect cause=refused"}},
	} {
		t.Run(name, func(t *testing.T) {
			st := newStage(t, vfs.Options{}, only, test.change)
			c := st.join(t)
			test.end(st, c)
			if _, err := io.Copy(io.Discard, c.in); err != nil && !errors.Is(err, net.ErrClosed) {
				t.Error(err)
			}
			c.recorded(test.want...)
		})
	}
}

func TestASessionThatIsNotAdmittedIsRecorded(t *testing.T) {
	st := newStage(t, vfs.Options{}, events.Of(events.Connect, events.Disconnect), func(s *ftp.Server) { s.MaxSessions = 1 })
	st.join(t)
	c := st.dial(t)
	c.reply("421")
	c.recorded("disconnect user= cause=refused rule=Too many sessions; try again later.")
}

func TestALoginInTheClearThatIsRefusedIsRecorded(t *testing.T) {
	st := newStage(t, vfs.Options{}, events.Of(events.Login, events.LoginRefused), func(s *ftp.Server) {
		s.TLS, s.RequireTLS = &tls.Config{Certificates: []tls.Certificate{certificate(t)}}, true
	})
	c := st.dial(t)
	c.reply("220")
	c.say("USER bob", "530", "login.refused result=denied cause=rule rule=TLS is required")
}
