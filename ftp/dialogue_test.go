package ftp_test

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"ferry/auth"
	"ferry/ftp"
	"ferry/remote"
	"ferry/serve"
	"ferry/vfs"
)

// The scripts under testdata/dialogue talk to a real server on loopback over a memory remote. A
// line is one step:
//
//	> TEXT         send a command; Go escapes (\xff) are understood
//	>> TEXT        send it without CRLF
//	< PATTERN      the next line of a reply matches; * stands for any text
//	<< CODE        the next reply, of one or more lines, has that code
//	login [USER]   USER and PASS
//	passive        EPSV, and connect
//	pasv           PASV, and connect to the address it names
//	active         listen and send EPRT
//	secure         the TLS handshake of the control connection
//	send TEXT      write to the data connection and close it
//	put TEXT       write to the data connection and leave it open
//	recv TEXT      everything that the data connection gives is TEXT
//	match PATTERN  ... matches PATTERN
//	cut            reset the data connection
//	file NAME TEXT the file has that content on the remote
//	nofile NAME    there is no such file on the remote
//	seed NAME TEXT put a file there
//	dir NAME       make a directory there
//	reconnect      a new control connection; the one before is closed
//	another PATTERN a second control connection is greeted so, and closed
//	closed         the server closes the control connection
//	option NAME    at the top: what the server is told (see serverOptions)
//
// Empty lines and those that begin with # are passed over.
func TestDialogue(t *testing.T) {
	scripts, err := filepath.Glob("testdata/dialogue/*.txt")
	if err != nil || len(scripts) == 0 {
		t.Fatalf("no scripts: %v", err)
	}
	for _, path := range scripts {
		t.Run(strings.TrimSuffix(filepath.Base(path), ".txt"), func(t *testing.T) {
			t.Parallel()
			text, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			runDialogue(t, path, string(text))
		})
	}
}

// serverOptions are what a script can ask for.
var serverOptions = map[string]func(*ftp.Server){
	"tls":          func(*ftp.Server) {},
	"require-tls":  func(s *ftp.Server) { s.RequireTLS = true },
	"ascii":        func(s *ftp.Server) { s.ConvertASCII = true },
	"one-per-host": func(s *ftp.Server) { s.MaxSessionsPerHost = 1 },
	"no-active":    func(s *ftp.Server) { s.NoActive = true },
	"fxp":          func(s *ftp.Server) { s.AllowFXP = true },
	"password":     func(*ftp.Server) {},
	"read-only":    func(*ftp.Server) {},
	"every-mode":   func(*ftp.Server) {}, // the script is played in each cache mode, in which nothing is sent by itself
	"local":        func(*ftp.Server) {}, // over a local directory
	"narrow":       func(*ftp.Server) {}, // over a storage that has times from 1970 to 2106
}

type dialogue struct {
	t       *testing.T
	where   string
	addr    string
	store   remote.Remote
	raw     net.Conn
	conn    net.Conn
	in      *bufio.Reader
	data    net.Conn
	waiting net.Listener
	private bool
}

func runDialogue(t *testing.T, path, text string) {
	options := map[string]bool{}
	for line := range strings.Lines(text) {
		if name, is := strings.CutPrefix(strings.TrimSpace(line), "option "); is {
			if serverOptions[name] == nil {
				t.Fatalf("%s: unknown option %q", path, name)
			}
			options[name] = true
		}
	}
	if !options["every-mode"] {
		playDialogue(t, path, text, options)
		return
	}
	for mode := range cacheModes() {
		t.Run(mode, func(t *testing.T) {
			in := maps.Clone(options)
			in[mode] = true
			playDialogue(t, path, text, in)
		})
	}
}

func playDialogue(t *testing.T, path, text string, options map[string]bool) {
	store := dialogueStore(t, options)
	srv := newServer(t, store, options)
	for name := range options {
		if tell := serverOptions[name]; tell != nil {
			tell(srv)
		}
	}
	d := &dialogue{t: t, where: path, addr: serveOn(t, srv, "127.0.0.1:0"), store: store}
	d.connect()
	defer d.hangUp()
	n := 0
	for line := range strings.Lines(text) {
		n++
		line = strings.TrimRight(line, "\r\n")
		if strings.TrimSpace(line) == "" || line[0] == '#' || strings.HasPrefix(line, "option ") {
			continue
		}
		d.where = fmt.Sprintf("%s:%d: %s", filepath.Base(path), n, line)
		d.step(line)
	}
}

// newServer is a server over store: user bob, with the password secret when the options say so.
func newServer(t testing.TB, store remote.Remote, options map[string]bool) *ftp.Server {
	password := ""
	if options["password"] {
		password = "secret"
	}
	tree := vfs.New(store, vfs.Options{
		ReadOnly:   options["read-only"],
		Modes:      vfs.Modes{File: 0o644, Dir: 0o755},
		PartMaxAge: 24 * time.Hour,
		Cache:      dialogueCache(t, options),
	})
	keepCarryingOut(t, tree, options)
	srv := &ftp.Server{
		Log:         slog.New(slog.DiscardHandler),
		Backend:     &serve.Backend{Auth: auth.NewSingle("bob", password), Tree: tree},
		DataConnect: 5 * time.Second,
	}
	if options["tls"] || options["require-tls"] {
		srv.TLS = &tls.Config{Certificates: []tls.Certificate{testCertificate(t)}}
	}
	return srv
}

// serveOn runs srv on a fresh port of addr until the test ends.
func serveOn(t testing.TB, srv *ftp.Server, addr string) string {
	t.Helper()
	l, err := net.Listen("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- srv.Serve(context.Background(), l) }()
	t.Cleanup(func() {
		srv.Close()
		if err := <-done; !errors.Is(err, ftp.ErrServerClosed) {
			t.Errorf("Serve returned %v", err)
		}
	})
	return l.Addr().String()
}

func (d *dialogue) fatalf(format string, args ...any) {
	d.t.Helper()
	d.t.Fatalf("%s\n    %s", d.where, fmt.Sprintf(format, args...))
}

func (d *dialogue) connect() {
	d.dial()
	d.reply("220")
}

func (d *dialogue) dial() {
	conn, err := net.Dial("tcp", d.addr)
	if err != nil {
		d.fatalf("%v", err)
	}
	conn.SetDeadline(time.Now().Add(time.Minute))
	d.raw, d.conn, d.in, d.private = conn, conn, bufio.NewReader(conn), false
}

func (d *dialogue) resetReader() { d.in = bufio.NewReader(d.conn) }

func (d *dialogue) hangUp() {
	d.raw.Close()
	if d.data != nil {
		d.data.Close()
		d.data = nil
	}
	if d.waiting != nil {
		d.waiting.Close()
		d.waiting = nil
	}
}

func (d *dialogue) step(line string) {
	verb, arg, _ := strings.Cut(line, " ")
	switch verb {
	case ">":
		d.write(unescape(arg) + "\r\n")
	case ">>":
		d.write(unescape(arg))
	case "<":
		if got := d.line(); !globMatch(unescape(arg), got) {
			d.fatalf("got %q", got)
		}
	case "<<":
		d.reply(arg)
	case "login":
		if arg == "" {
			arg = "bob"
		}
		d.command("USER "+arg, "331")
		d.command("PASS secret", "230")
	case "passive", "pasv", "active":
		d.open(verb)
	case "secure":
		d.secure()
	case "send":
		io.WriteString(d.dataConn(), unescape(arg))
		d.closeData()
	case "put":
		io.WriteString(d.dataConn(), unescape(arg))
	case "recv":
		if got := d.receive(); got != unescape(arg) {
			d.fatalf("got %q", got)
		}
	case "match":
		if got := d.receive(); !globMatch(unescape(arg), got) {
			d.fatalf("got %q", got)
		}
	case "cut":
		d.data.(*net.TCPConn).SetLinger(0)
		d.closeData()
	case "reconnect":
		d.hangUp()
		d.connect()
	case "another":
		second := &dialogue{t: d.t, where: d.where, addr: d.addr}
		second.dial()
		second.step("< " + arg)
		second.hangUp()
	case "closed":
		if b, err := d.in.ReadByte(); err == nil {
			d.fatalf("got %q", b)
		}
	default:
		d.stored(verb, arg)
	}
}

// stored is a step that looks into the storage, or puts something there.
func (d *dialogue) stored(verb, arg string) {
	name, text, _ := strings.Cut(arg, " ")
	switch verb {
	case "file":
		if got, err := d.content(name); err != nil || got != unescape(text) {
			d.fatalf("got %q, %v", got, err)
		}
	case "nofile":
		if got, err := d.content(arg); err == nil {
			d.fatalf("it is there: %q", got)
		}
	case "seed":
		if _, err := d.store.Put(context.Background(), name, strings.NewReader(unescape(text)), remote.PutOptions{}); err != nil {
			d.fatalf("%v", err)
		}
	case "dir":
		if err := d.store.Mkdir(context.Background(), arg); err != nil {
			d.fatalf("%v", err)
		}
	default:
		d.fatalf("unknown step")
	}
}

func (d *dialogue) write(s string) {
	if _, err := io.WriteString(d.conn, s); err != nil {
		d.fatalf("%v", err)
	}
}

func (d *dialogue) line() string {
	s, err := d.in.ReadString('\n')
	if err != nil {
		d.fatalf("reading a reply: %q, %v", s, err)
	}
	if !strings.HasSuffix(s, "\r\n") {
		d.fatalf("a reply line ends without CRLF: %q", s)
	}
	return strings.TrimSuffix(s, "\r\n")
}

// reply reads a whole reply (RFC 959, section 4.2) and requires its code.
func (d *dialogue) reply(code string) string {
	first := d.line()
	all := first
	if len(first) < 4 || first[:3] != code || first[3] != ' ' && first[3] != '-' {
		d.fatalf("got %q, want a reply %s", first, code)
	}
	if first[3] == '-' {
		for {
			next := d.line()
			all += "\n" + next
			if strings.HasPrefix(next, code+" ") {
				break
			}
		}
	}
	return all
}

func (d *dialogue) command(line, code string) string {
	d.write(line + "\r\n")
	return d.reply(code)
}

func (d *dialogue) secure() {
	t := tls.Client(d.raw, &tls.Config{InsecureSkipVerify: true})
	if err := t.Handshake(); err != nil {
		d.fatalf("%v", err)
	}
	d.conn, d.in, d.private = t, bufio.NewReader(t), true
}

func (d *dialogue) open(how string) {
	var err error
	switch how {
	case "passive":
		_, rest, _ := strings.Cut(d.command("EPSV", "229"), "(|||")
		port, _, _ := strings.Cut(rest, "|")
		host, _, _ := net.SplitHostPort(d.addr)
		d.data, err = net.Dial("tcp", net.JoinHostPort(host, port))
	case "pasv":
		_, rest, _ := strings.Cut(d.command("PASV", "227"), "(")
		list, _, _ := strings.Cut(rest, ")")
		p := strings.Split(list, ",")
		if len(p) != 6 {
			d.fatalf("a strange 227: %q", list)
		}
		high, _ := strconv.Atoi(p[4])
		low, _ := strconv.Atoi(p[5])
		d.data, err = net.Dial("tcp", net.JoinHostPort(strings.Join(p[:4], "."), strconv.Itoa(high<<8|low)))
	case "active":
		if d.waiting, err = net.Listen("tcp", "127.0.0.1:0"); err == nil {
			port := d.waiting.Addr().(*net.TCPAddr).Port
			d.command(fmt.Sprintf("EPRT |1|127.0.0.1|%d|", port), "200")
		}
	}
	if err != nil {
		d.fatalf("%v", err)
	}
}

// dataConn is the data connection; an active one is accepted now.
func (d *dialogue) dataConn() net.Conn {
	if d.data == nil && d.waiting != nil {
		conn, err := d.waiting.Accept()
		if err != nil {
			d.fatalf("%v", err)
		}
		d.waiting.Close()
		d.data, d.waiting = conn, nil
	}
	if d.data == nil {
		d.fatalf("there is no data connection")
	}
	d.data.SetDeadline(time.Now().Add(time.Minute))
	return d.data
}

func (d *dialogue) closeData() {
	d.dataConn().Close()
	d.data = nil
}

func (d *dialogue) receive() string {
	b, err := io.ReadAll(d.dataConn())
	if err != nil {
		d.fatalf("the data connection: %q, %v", b, err)
	}
	d.closeData()
	return string(b)
}

func (d *dialogue) content(name string) (string, error) {
	return readFile(d.store, name)
}

// readFile is what store holds under name, without a client's view of it.
func readFile(store remote.Remote, name string) (string, error) {
	r, err := store.Open(context.Background(), name, 0, -1)
	if err != nil {
		return "", err
	}
	defer r.Close()
	b, err := io.ReadAll(r)
	return string(b), err
}

func unescape(s string) string {
	if !strings.Contains(s, `\`) {
		return s
	}
	u, err := strconv.Unquote(`"` + strings.ReplaceAll(s, `"`, `\"`) + `"`)
	if err != nil {
		return s
	}
	return u
}

// globMatch knows only *, so that brackets in replies stand for themselves.
func globMatch(pattern, s string) bool {
	parts := strings.Split(pattern, "*")
	if len(parts) == 1 {
		return pattern == s
	}
	if !strings.HasPrefix(s, parts[0]) {
		return false
	}
	s = s[len(parts[0]):]
	for _, p := range parts[1 : len(parts)-1] {
		i := strings.Index(s, p)
		if i < 0 {
			return false
		}
		s = s[i+len(p):]
	}
	return strings.HasSuffix(s, parts[len(parts)-1])
}
