package observe_test

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"ferry/auth"
	"ferry/events"
	"ferry/ftp"
	"ferry/remote/driver/memory"
	"ferry/serve"
	"ferry/serve/observe"
	"ferry/vfs"
)

// A recorder is a listener that keeps what it is told.
type recorder struct {
	mu       sync.Mutex
	all      []events.Event
	prepared []string // and withdrawn
}

// Prepare implements events.Preparer.
func (r *recorder) Prepare(_ context.Context, e *events.Event) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.prepared = append(r.prepared, fmt.Sprintf("%s %s %s to %s by %s", e.ID, e.Kind, e.Path, e.To, e.User))
	return nil
}

// Withdraw implements events.Preparer.
func (r *recorder) Withdraw(_ context.Context, id string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.prepared = append(r.prepared, id+" withdrawn")
}

func (r *recorder) Record(_ context.Context, e *events.Event) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.all = append(r.all, *e)
	return nil
}

// take returns what was recorded since it was called last.
func (r *recorder) take() []events.Event {
	r.mu.Lock()
	defer r.mu.Unlock()
	all := r.all
	r.all = nil
	return all
}

// A stage is a server whose listener keeps what it is told of.
type stage struct {
	*recorder
	server  *ftp.Server
	tree    *vfs.FS
	addr    string
	origins []events.Origin // of the changes that the tree was asked for
}

// newStage starts a server of user bob with the password secret.
func newStage(t *testing.T, o vfs.Options, kinds events.Set, change func(*ftp.Server)) *stage {
	t.Helper()
	o.Log = slog.New(slog.DiscardHandler)
	o.Modes = vfs.Modes{File: 0o644, Dir: 0o755}
	st := &stage{recorder: &recorder{}, tree: vfs.New(memory.New(), o)}
	stream := events.New(events.Subscription{Kinds: kinds, Listener: st.recorder})
	under := &serve.Backend{Auth: auth.NewSingle("bob", "secret"), Tree: st.tree}
	st.server = &ftp.Server{
		Log: o.Log, Backend: observe.Backend(spying{under, st}, stream), Observer: observe.New(stream, "flags"),
		Passive: ftp.PortRange{}, DataConnect: 5 * time.Second,
	}
	if change != nil {
		change(st.server)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	st.addr = l.Addr().String()
	done := make(chan error, 1)
	go func() { done <- st.server.Serve(context.Background(), l) }()
	t.Cleanup(func() {
		st.server.Close()
		if err := <-done; !errors.Is(err, ftp.ErrServerClosed) {
			t.Errorf("Serve: %v", err)
		}
		st.tree.Close()
	})
	return st
}

// spying notes the Origin of changes.
type spying struct {
	ftp.Backend
	stage *stage
}

func (s spying) Login(ctx context.Context, c ftp.Client, user, password string) (ftp.FS, error) {
	f, err := s.Backend.Login(ctx, c, user, password)
	if err != nil {
		return nil, err
	}
	return &spied{ftp.Forward{FS: f}, s.stage}, nil
}

type spied struct {
	ftp.Forward
	stage *stage
}

func (s *spied) note(ctx context.Context) {
	if o, ok := events.OriginOf(ctx); ok {
		s.stage.origins = append(s.stage.origins, o)
	}
}

func (s *spied) Remove(ctx context.Context, name string) error {
	s.note(ctx)
	return s.FS.Remove(ctx, name)
}

func (s *spied) Create(ctx context.Context, name string, off int64) (ftp.Upload, error) {
	s.note(ctx)
	up, err := s.FS.Create(ctx, name, off)
	if err != nil {
		return nil, err
	}
	return &spiedUpload{up, s}, nil
}

type spiedUpload struct {
	ftp.Upload
	tree *spied
}

func (u *spiedUpload) Unwrap() ftp.Upload { return u.Upload }

func (u *spiedUpload) Commit(ctx context.Context) error {
	u.tree.note(ctx)
	return u.Upload.Commit(ctx)
}

// A client says lines, and looks after each reply at what was recorded before it came.
type client struct {
	t     *testing.T
	stage *stage
	conn  net.Conn
	in    *bufio.Reader
	data  net.Conn
	last  []events.Event
}

func (st *stage) dial(t *testing.T) *client {
	t.Helper()
	conn, err := net.Dial("tcp", st.addr)
	if err != nil {
		t.Fatal(err)
	}
	conn.SetDeadline(time.Now().Add(30 * time.Second))
	t.Cleanup(func() { conn.Close() })
	return &client{t: t, stage: st, conn: conn, in: bufio.NewReader(conn)}
}

// join dials and logs in, and forgets what was recorded of it.
func (st *stage) join(t *testing.T) *client {
	c := st.dial(t)
	c.reply("220")
	for _, line := range []string{"USER bob", "PASS secret", "TYPE I"} {
		c.write(line)
		c.reply("")
	}
	st.take()
	return c
}

func (c *client) write(line string) {
	if _, err := io.WriteString(c.conn, line+"\r\n"); err != nil {
		c.t.Fatalf("%s: %v", line, err)
	}
}

// reply reads a reply of a code; "" = any.
func (c *client) reply(code string) {
	c.t.Helper()
	for {
		line, err := c.in.ReadString('\n')
		if err != nil {
			c.t.Fatalf("waiting for %s: %v", code, err)
		}
		if len(line) > 3 && line[3] == ' ' && line[0] != ' ' {
			if code != "" && !strings.HasPrefix(line, code) {
				c.t.Fatalf("got %q, not %s", line, code)
			}
			return
		}
	}
}

// recorded checks what was recorded since the last look.
func (c *client) recorded(want ...string) {
	c.t.Helper()
	c.last = c.stage.take()
	var got []string
	for i := range c.last {
		got = append(got, c.summary(&c.last[i]))
	}
	if !slices.Equal(got, want) {
		c.t.Errorf("recorded\n\t%s\nand not\n\t%s", strings.Join(got, "\n\t"), strings.Join(want, "\n\t"))
	}
}

// say sends a line, reads the reply, and checks what was recorded until then.
func (c *client) say(line, code string, want ...string) {
	c.t.Helper()
	c.write(line)
	c.reply(code)
	c.recorded(want...)
}

// open opens a passive data connection, of which nothing is to be recorded but the command.
func (c *client) open() {
	c.t.Helper()
	c.write("EPSV")
	line, err := c.in.ReadString('\n')
	if err != nil || !strings.HasPrefix(line, "229") {
		c.t.Fatalf("EPSV: %q, %v", line, err)
	}
	_, rest, _ := strings.Cut(line, "(|||")
	port, _, _ := strings.Cut(rest, "|")
	if c.data, err = net.Dial("tcp", "127.0.0.1:"+port); err != nil {
		c.t.Fatal(err)
	}
	c.stage.take()
}

// put is say with an upload, get with a download.
func (c *client) put(line, content, code string, want ...string) {
	c.t.Helper()
	c.open()
	c.write(line)
	c.reply("150")
	io.WriteString(c.data, content)
	c.data.Close()
	c.reply(code)
	c.recorded(want...)
}

func (c *client) get(line, code string, want ...string) {
	c.t.Helper()
	c.open()
	c.write(line)
	c.reply("150")
	if _, err := io.ReadAll(c.data); err != nil {
		c.t.Error(err)
	}
	c.data.Close()
	c.reply(code)
	c.recorded(want...)
}

// summary writes what is set in e, but for what differs from run to run, which it checks.
func (c *client) summary(e *events.Event) string {
	c.t.Helper()
	if e.ID == "" || time.Since(e.Time) > time.Minute || e.Session == 0 || e.Address != netip.MustParseAddrPort(c.conn.LocalAddr().String()) {
		c.t.Errorf("%v: ID %q, time %v, session %d, address %v", e.Kind, e.ID, e.Time, e.Session, e.Address)
	}
	switch e.Kind {
	case events.LoginRefused:
	case events.Connect, events.Handshake, events.Kick:
		if e.Duration != 0 {
			c.t.Errorf("%v: duration %v", e.Kind, e.Duration)
		}
	default:
		if e.Duration <= 0 {
			c.t.Errorf("%v: duration %v", e.Kind, e.Duration)
		}
	}
	if moved := e.Bytes > 0; moved != (e.FirstByte > 0) || e.FirstByte > e.Duration {
		c.t.Errorf("%v: %d bytes, the first after %v of %v", e.Kind, e.Bytes, e.FirstByte, e.Duration)
	}
	var b strings.Builder
	b.WriteString(e.Kind.String())
	add := func(name string, value any, set bool) {
		if set {
			fmt.Fprintf(&b, " %s=%v", name, value)
		}
	}
	add("user", e.User, e.User != "bob")
	add("tls", e.TLS, e.TLS != "")
	add("client", e.Client, e.Client != "")
	add("command", e.Command, e.Command != "")
	add("argument", e.Argument, e.Argument != "")
	add("path", e.Path, e.Path != "")
	add("to", e.To, e.To != "")
	add("offset", e.Offset, e.Offset != 0)
	add("bytes", e.Bytes, e.Bytes != 0)
	add("size", e.Size, e.Size != 0)
	add("mtime", e.ModTime.Format("2006-01-02"), !e.ModTime.IsZero())
	add("result", e.Result, e.Result != events.OK)
	add("code", e.Code, e.Code != 0)
	add("cause", e.Cause, e.Cause != "")
	add("rule", e.Rule, e.Rule != "")
	return b.String()
}

func certificate(t *testing.T) tls.Certificate {
	t.Helper()
	cert, key, _, err := ftp.SelfSigned(t.TempDir(), []string{"ferry"})
	if err != nil {
		t.Fatal(err)
	}
	pair, err := tls.LoadX509KeyPair(cert, key)
	if err != nil {
		t.Fatal(err)
	}
	return pair
}
