package ftp_test

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/textproto"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"ferry/ftp"
)

// Example_upload serves a directory with TLS, stores a file in it and stops in good order.
func Example_upload() {
	dir, err := os.MkdirTemp("", "example")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	cert, key, _, err := ftp.SelfSigned(filepath.Join(dir, "tls"), []string{"127.0.0.1"})
	if err != nil {
		fmt.Println(err)
		return
	}
	pair, err := tls.LoadX509KeyPair(cert, key)
	if err != nil {
		fmt.Println(err)
		return
	}
	if err := os.Mkdir(filepath.Join(dir, "files"), 0o755); err != nil {
		fmt.Println(err)
		return
	}
	srv := &ftp.Server{
		Backend:    ftp.SingleUser("bob", "secret", ftp.DirFS(filepath.Join(dir, "files"))),
		TLS:        &tls.Config{Certificates: []tls.Certificate{pair}},
		RequireTLS: true,
		Log:        slog.New(slog.DiscardHandler),
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		fmt.Println(err)
		return
	}
	served := make(chan error)
	go func() { served <- srv.ServeTLS(context.Background(), l) }()

	// A client, for example curl -T hello.txt ftps://bob:secret@host
	insecure := &tls.Config{InsecureSkipVerify: true}
	conn, err := tls.Dial("tcp", l.Addr().String(), insecure)
	if err != nil {
		fmt.Println(err)
		return
	}
	client := textproto.NewConn(conn)
	reply := func() string {
		_, text, _ := client.ReadCodeLine(0)
		return text
	}
	reply()
	for _, command := range []string{"USER bob", "PASS secret", "TYPE I"} {
		client.Cmd("%s", command)
		fmt.Println(reply())
	}
	client.Cmd("EPSV")
	_, rest, _ := strings.Cut(reply(), "(|||")
	data, err := tls.Dial("tcp", "127.0.0.1:"+strings.TrimSuffix(rest, "|)"), insecure)
	if err != nil {
		fmt.Println(err)
		return
	}
	client.Cmd("STOR hello.txt")
	fmt.Println(reply())
	io.WriteString(data, "Hello.")
	data.Close()
	fmt.Println(reply())

	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	fmt.Println(srv.Shutdown(ctx))
	fmt.Println(<-served)
	content, err := os.ReadFile(filepath.Join(dir, "files", "hello.txt"))
	fmt.Println(string(content), err)
	// Output:
	// Password, please.
	// Logged in.
	// Type is binary.
	// Ready to receive "/hello.txt".
	// Transfer complete.
	// <nil>
	// ftp: server closed
	// Hello. <nil>
}

// talkDir is a session over a directory.
func talkDir(t *testing.T, dir string) *dialogue {
	t.Helper()
	srv := &ftp.Server{Backend: ftp.SingleUser("bob", "secret", ftp.DirFS(dir)), Log: slog.New(slog.DiscardHandler)}
	d := &dialogue{t: t, where: t.Name(), addr: serveOn(t, srv, "127.0.0.1:0")}
	d.connect()
	t.Cleanup(d.hangUp)
	d.step("login")
	return d
}

func TestDirFS(t *testing.T) {
	dir, outside := t.TempDir(), t.TempDir()
	content := func(name, want string) {
		t.Helper()
		if got, err := os.ReadFile(filepath.Join(dir, name)); string(got) != want || err != nil {
			t.Errorf("%s has %q, %v, want %q", name, got, err, want)
		}
	}
	if err := os.WriteFile(filepath.Join(outside, "secret"), []byte("secret"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(filepath.Join(outside, "secret"), filepath.Join(dir, "leak")); err != nil {
		t.Skip("no symbolic links here:", err)
	}
	d := talkDir(t, dir)
	d.steps("> TYPE I", "<< 200", "passive", "> STOR f", "<< 150", "send 12345", "<< 226")
	content("f", "12345")
	if err := os.Chmod(filepath.Join(dir, "f"), 0o600); err != nil {
		t.Fatal(err)
	}
	d.steps("passive", "> APPE f", "<< 150", "send 678", "<< 226")
	content("f", "12345678")
	d.steps("> REST 2", "<< 350", "passive", "> STOR f", "<< 150", "send x", "<< 226")
	content("f", "12x")
	if fi, err := os.Stat(filepath.Join(dir, "f")); err != nil || fi.Mode().Perm() != 0o600 {
		t.Errorf("the replaced file has %v, %v", fi.Mode(), err)
	}
	d.steps("> REST 4", "<< 350", "passive", "> STOR f", "<< 550")
	d.steps("> REST 1", "<< 350", "passive", "> RETR f", "<< 150", "recv 2x", "<< 226")
	d.steps("passive", "> RETR leak", "< 550 The link leads out of the served directory.", "passive", "> STOR leak", "<< 550")
	d.steps("> MKD sub", "<< 257", "> MKD sub", "<< 550", "> RMD f", "<< 550", "> DELE sub", "<< 550")
	d.steps("passive", "> STOR sub", "<< 550", "passive", "> STOR none/f", "<< 550", "passive", "> NLST none", "<< 550")
	d.steps("> RNFR f", "<< 350", "> RNTO sub/g", "<< 250", "> RMD sub", "<< 550")
	d.steps("> MFMT 20200102030405 sub/g", "<< 213", "> MDTM sub/g", "< 213 20200102030405")
	d.steps("passive", "> NLST", "<< 150", "recv sub\\r\\n", "<< 226", "passive", "> NLST sub", "<< 150", "match *g\\r\\n", "<< 226")

	// What is cut leaves the old file and nothing else.
	d.steps("passive", "> STOR sub/g", "<< 150", "put more", "cut", "<< 426")
	content("sub/g", "12x")
	d.steps("passive", "> STOR sub/.ftp-upload-x", "<< 550", "> DELE sub/g", "<< 250", "> RMD sub", "<< 250")
}

// A tree with a link inside, a socket, and what is left of an upload.
func TestWhatDirFSShows(t *testing.T) {
	dir := t.TempDir()
	file := func(name string) string { return filepath.Join(dir, name) }
	for _, name := range []string{"f", ".ftp-upload-left"} {
		if err := os.WriteFile(file(name), []byte("hello"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Mkdir(file("sub"), 0o755); err != nil {
		t.Fatal(err)
	}
	for link, to := range map[string]string{"to-f": "f", "to-sub": "sub", "to-nothing": "none"} {
		if err := os.Symlink(to, file(link)); err != nil {
			t.Skip("no symbolic links here:", err)
		}
	}
	l, err := net.Listen("unix", file("socket"))
	if err != nil {
		t.Skip("no sockets in directories here:", err)
	}
	defer l.Close()
	d := talkDir(t, dir)
	d.steps("> TYPE I", "<< 200", "passive", "> MLSD", "<< 150")
	listing := d.receive()
	d.steps("<< 226")
	for _, want := range []string{"type=file;size=5;* f\r\n*", "type=file;size=5;* to-f\r\n*", "type=dir;* to-sub\r\n*"} {
		if !globMatch("*"+want, listing) {
			t.Errorf("%s is missing:\n%s", want, listing)
		}
	}
	if strings.Contains(listing, "left") || strings.Contains(listing, "nothing") {
		t.Errorf("the listing:\n%s", listing)
	}
	d.steps("> SIZE .ftp-upload-left", "<< 550", "> DELE .ftp-upload-left", "<< 550", "> RNFR .ftp-upload-left", "<< 550")
	d.steps("passive", "> RETR sub", "< 550 Is a directory.", "passive", "> RETR socket", "<< 550", "passive", "> STOR socket", "<< 550")
	d.steps("> RMD /", "<< 550", "> RMD to-sub", "<< 550", "> DELE to-sub", "<< 250")
	if _, err := os.Stat(file("sub")); err != nil {
		t.Error(err)
	}
	d.steps("> SITE CHMOD 640 f", "<< 200")
	if fi, err := os.Stat(file("f")); err != nil || fi.Mode().Perm() != 0o640 {
		t.Errorf("SITE CHMOD: %v, %v", fi.Mode(), err)
	}
}

func TestSingleUser(t *testing.T) {
	tree := ftp.DirFS(t.TempDir())
	for _, tt := range []struct {
		password, user, given string
		in                    bool
	}{
		{"secret", "bob", "secret", true}, {"secret", "bob", "Secret", false}, {"secret", "bob", "", false},
		{"secret", "eve", "secret", false}, {"", "bob", "any", true}, {"", "bob", "", true}, {"", "eve", "", false},
	} {
		got, err := ftp.SingleUser("bob", tt.password, tree).Login(t.Context(), ftp.Client{}, tt.user, tt.given)
		if tt.in && (err != nil || got != tree) || !tt.in && (!errors.Is(err, ftp.ErrDenied) || got != nil) {
			t.Errorf("%q with %q of %q: %v, %v", tt.user, tt.given, tt.password, got, err)
		}
	}
}

func TestServeWantsABackend(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	srv := &ftp.Server{}
	if err := srv.Serve(t.Context(), l); err == nil || !strings.Contains(err.Error(), "Backend") {
		t.Errorf("Serve without a Backend: %v", err)
	}
	if _, err := l.Accept(); err == nil {
		t.Error("the listener is open")
	}
}

// Without a Log the server logs to the default one.
func TestTheDefaultLog(t *testing.T) {
	var log bytes.Buffer
	before := slog.Default()
	slog.SetDefault(slog.New(slog.NewTextHandler(&log, nil)))
	defer slog.SetDefault(before)
	srv := &ftp.Server{Backend: ftp.SingleUser("bob", "secret", ftp.DirFS(t.TempDir()))}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- srv.Serve(context.Background(), l) }()
	conn, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	io.WriteString(conn, "USER bob\r\nPASS secret\r\nQUIT\r\n")
	io.Copy(io.Discard, conn)
	srv.Close()
	<-served
	if !strings.Contains(log.String(), "logged in") {
		t.Errorf("the default log says %q", log.String())
	}
}

// The program and the lines of go.mod that the package comment shows work as they are.
func TestTheProgramInThePackageComment(t *testing.T) {
	if testing.Short() {
		t.Skip("it takes long")
	}
	source, err := os.ReadFile("ftp.go")
	if err != nil {
		t.Fatal(err)
	}
	source, _, _ = bytes.Cut(source, []byte("// The files,"))
	var code []string
	for in := bufio.NewScanner(bytes.NewReader(source)); in.Scan(); {
		if line, is := strings.CutPrefix(in.Text(), "//\t"); is {
			code = append(code, line)
		} else if in.Text() == "//" {
			code = append(code, "")
		}
	}
	program, module, found := strings.Cut(strings.Join(code, "\n"), "require ferry")
	if !found {
		t.Fatal("the package comment says nothing of go.mod")
	}
	clone, err := filepath.Abs("..")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	module = "module example\n\ngo 1.26.0\n\nrequire ferry" + strings.Replace(module, "../ferry", clone, 1)
	for name, text := range map[string]string{"main.go": program, "go.mod": module} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	build := exec.Command("go", "build", "-o", filepath.Join(dir, "example"), ".")
	build.Dir = dir
	build.Env = append(os.Environ(), "GOFLAGS=", "GOPROXY=off")
	if out, err := build.CombinedOutput(); err != nil {
		t.Errorf("%v: %s\n%s", err, out, module)
	}
}
