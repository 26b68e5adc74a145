package ftp_test

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"strings"
	"testing"
	"time"

	ftpserver "ferry/ftp"
	"ferry/remote"
	"ferry/remote/driver/ftp"
	"ferry/remote/driver/internal/conns"
	"ferry/remote/driver/memory"
)

func TestACutDownloadIsNoEndOfFile(t *testing.T) {
	content := strings.Repeat("x", 1<<20)
	for name, retr := range map[string]func(data net.Conn, content string) string{
		"the server does not notice": func(data net.Conn, content string) string {
			_, _ = io.WriteString(data, content[:1000])
			return "226 done"
		},
		"the server notices": func(data net.Conn, content string) string {
			_, _ = io.WriteString(data, content[:1000])
			return "426 cut"
		},
		"a reset": func(data net.Conn, content string) string {
			_, _ = io.WriteString(data, content[:1000])
			_ = data.(*net.TCPConn).SetLinger(0)
			return "426 cut"
		},
		"everything, and then an error": func(data net.Conn, content string) string {
			_, _ = io.WriteString(data, content)
			return "451 the disk could not be read"
		},
	} {
		t.Run(name, func(t *testing.T) {
			f := &fake{files: map[string]string{"/f": content}, retr: retr}
			r := openRemote(t, "/", f.start(t))
			defer r.Close()
			body, err := r.Open(t.Context(), "f", 0, -1)
			if err != nil {
				t.Fatal(err)
			}
			defer body.Close()
			n, err := io.Copy(io.Discard, body)
			var pe *fs.PathError
			if err == nil || errors.Is(err, io.EOF) || remote.Permanent(err) || !errors.As(err, &pe) {
				t.Errorf("%d bytes, %v", n, err)
			}
		})
	}
}

func TestACutUploadLeavesTheOldFile(t *testing.T) {
	for name, stor := range map[string]func(content string) (string, string){
		"the server does not notice": func(content string) (string, string) { return content[:len(content)/2], "226 done" },
		"the server notices":         func(content string) (string, string) { return content[:len(content)/2], "426 cut" },
		"the disk is full":           func(content string) (string, string) { return "", "552 full" },
	} {
		t.Run(name, func(t *testing.T) {
			f := &fake{files: map[string]string{"/f": "old"}, stor: stor}
			r := openRemote(t, "/", f.start(t))
			defer r.Close()
			_, err := r.Put(t.Context(), "f", strings.NewReader(strings.Repeat("x", 1<<20)), remote.PutOptions{})
			if err == nil || name == "the disk is full" != errors.Is(err, remote.ErrNoSpace) {
				t.Errorf("%v", err)
			}
			if got, _ := f.content("/f"); got != "old" || f.names() != "/f" {
				t.Errorf("%d bytes; there are %s", len(got), f.names())
			}
		})
	}
}

func TestCallsEndWithTheirContextWhenTheServerHangs(t *testing.T) {
	for _, hang := range []string{"MLST", "RETR", "STOR"} {
		f := &fake{files: map[string]string{"/f": "content"}}
		o := f.start(t)
		r := openRemote(t, "/", o)
		ctx, cancel := f.hangAt(t.Context(), hang)
		var err error
		switch hang {
		case "MLST":
			_, err = r.Stat(ctx, "f")
		case "RETR":
			_, err = r.Open(ctx, "f", 0, -1)
		default:
			_, err = r.Put(ctx, "f", strings.NewReader("new"), remote.PutOptions{})
		}
		cancel()
		if !errors.Is(err, context.Canceled) {
			t.Errorf("%s: %v", hang, err)
		}
		r.Close()
	}
}

func TestAReadEndsWithItsContext(t *testing.T) {
	release := make(chan struct{})
	defer close(release)
	f := &fake{files: map[string]string{"/f": strings.Repeat("x", 1000)}, retr: func(data net.Conn, content string) string {
		_, _ = io.WriteString(data, content[:10])
		<-release
		return "226 done"
	}}
	r := openRemote(t, "/", f.start(t))
	defer r.Close()
	ctx, cancel := context.WithCancel(t.Context())
	body, err := r.Open(ctx, "f", 0, -1)
	if err != nil {
		t.Fatal(err)
	}
	defer body.Close()
	if _, err := io.ReadFull(body, make([]byte, 10)); err != nil {
		t.Fatal(err)
	}
	time.AfterFunc(20*time.Millisecond, cancel)
	if _, err := body.Read(make([]byte, 10)); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
}

func TestLoginRefused(t *testing.T) {
	f := &fake{pass: "530 no, " + testPassword + " is wrong"}
	_, err := ftp.New(t.Context(), "/", f.start(t))
	if !errors.Is(err, remote.ErrPermission) || strings.Contains(err.Error(), testPassword) || !strings.Contains(err.Error(), "pass") {
		t.Errorf("%v", err)
	}
}

func TestOptionsAreChecked(t *testing.T) {
	for want, o := range map[string]ftp.Options{
		"host":         {},
		"explicit_tls": {Host: "h", ImplicitTLS: true, ExplicitTLS: true},
	} {
		if _, err := ftp.New(t.Context(), "/", o); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", want, err)
		}
	}
}

// TestUnreachable opens a remote whose server is down, and finds it when that is up.
func TestUnreachable(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := l.Addr().String()
	l.Close()
	r := openRemote(t, "/", optionsFor(t, addr, "bob", testPassword))
	defer r.Close()
	if _, err := r.Stat(t.Context(), "f"); err == nil || remote.Permanent(err) || !strings.Contains(err.Error(), "host and port") {
		t.Errorf("%v", err)
	}
}

func TestTLS(t *testing.T) {
	certificate, pool := newCertificate(t)
	withTLS := func(s *ftpserver.Server, l net.Listener) net.Listener {
		s.TLS = &tls.Config{Certificates: []tls.Certificate{certificate}}
		s.RequireTLS = true
		return l
	}
	for _, c := range []struct {
		name   string
		server func(*ftpserver.Server, net.Listener) net.Listener
		change func(*ftp.Options)
		want   string // "" = it works
	}{
		{"explicit", withTLS, func(o *ftp.Options) { o.ExplicitTLS = true }, ""},
		{"session resumption is demanded", func(s *ftpserver.Server, l net.Listener) net.Listener {
			s.DataResume = ftpserver.ResumeRequire
			return withTLS(s, l)
		}, func(o *ftp.Options) { o.ExplicitTLS = true }, ""},
		{"TLS 1.2 and session resumption", func(s *ftpserver.Server, l net.Listener) net.Listener {
			s.DataResume = ftpserver.ResumeRequire
			return withTLS(s, l)
		}, func(o *ftp.Options) { o.ExplicitTLS = true; o.TLS.MaxVersion = tls.VersionTLS12 }, ""},
		{"nobody trusts the certificate", withTLS, func(o *ftp.Options) { o.ExplicitTLS = true; o.TLS = nil }, "no_check_certificate"},
		{"anybody is trusted", withTLS, func(o *ftp.Options) {
			o.ExplicitTLS, o.TLS = true, &tls.Config{InsecureSkipVerify: true}
		}, ""},
		{"implicit at an explicit port", withTLS, func(o *ftp.Options) { o.ImplicitTLS = true }, "explicit_tls"},
		{"the server has none", nil, func(o *ftp.Options) { o.ExplicitTLS = true }, "explicit_tls"},
	} {
		t.Run(c.name, func(t *testing.T) {
			o := startFerry(t, memory.New(), c.server)
			o.TLS = &tls.Config{RootCAs: pool}
			c.change(&o)
			r, err := ftp.New(t.Context(), "", o)
			if c.want != "" {
				if !errors.Is(err, remote.ErrPermission) || !strings.Contains(err.Error(), c.want) {
					t.Errorf("%v", err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			defer r.Close()
			roundTrip(t, r)
		})
	}
}

// roundTrip stores, lists and reads a few files.
func roundTrip(t *testing.T, r remote.Remote) {
	t.Helper()
	for i := range 3 {
		name, content := fmt.Sprintf("f%d", i), strings.Repeat("x", i*100_000)
		if _, err := r.Put(t.Context(), name, strings.NewReader(content), remote.PutOptions{}); err != nil {
			t.Fatal(err)
		}
		body, err := r.Open(t.Context(), name, 0, -1)
		if err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(body)
		if err != nil || string(got) != content {
			t.Errorf("%s: %d bytes, %v", name, len(got), err)
		}
		body.Close()
	}
	n := 0
	for _, err := range r.List(t.Context(), ".") {
		if err != nil {
			t.Fatal(err)
		}
		n++
	}
	if n != 3 {
		t.Errorf("%d entries", n)
	}
}

func TestConnectionsAreLimitedAndReused(t *testing.T) {
	f := &fake{files: map[string]string{"/f": "content"}}
	o := f.start(t)
	o.Connections = 1
	r := openRemote(t, "/", o)
	defer r.Close()
	body, err := r.Open(t.Context(), "f", 0, -1)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if _, err := r.Stat(ctx, "f"); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("with the only connection in use: %v", err)
	}
	if _, err := io.ReadAll(body); err != nil {
		t.Fatal(err)
	}
	body.Close()
	for range 5 {
		if _, err := r.Stat(t.Context(), "f"); err != nil {
			t.Fatal(err)
		}
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.sessions != 1 {
		t.Errorf("%d sessions", f.sessions)
	}
}

// Of two remotes that lie over one another, nobody asks one again that has failed, unless it says
// that the connection was lost.
func TestAServerThatEndsAnIdleSessionIsALostConnection(t *testing.T) {
	for how, end := range map[string]func(c *net.TCPConn){
		"in good order": func(*net.TCPConn) {},
		"by a reset":    func(c *net.TCPConn) { _ = c.SetLinger(0) },
		"with a reply":  func(c *net.TCPConn) { _, _ = io.WriteString(c, "421 nobody was there\r\n") },
	} {
		for what, call := range map[string]func(r *ftp.Remote) error{
			"Stat": func(r *ftp.Remote) error {
				_, err := r.Stat(t.Context(), "f")
				return err
			},
			"List": func(r *ftp.Remote) error {
				for _, err := range r.List(t.Context(), ".") {
					return err
				}
				return nil
			},
			"Open": func(r *ftp.Remote) error {
				f, err := r.Open(t.Context(), "f", 0, -1)
				if err == nil {
					f.Close()
				}
				return err
			},
		} {
			f := &fake{files: map[string]string{"/f": "content"}, list: "type=file;size=7; f\r\n"}
			r := openRemote(t, "/", f.start(t))
			f.mu.Lock()
			end(f.conn[0].(*net.TCPConn))
			f.conn[0].Close()
			f.mu.Unlock()
			if err := call(r); !errors.Is(err, conns.ErrLost) {
				t.Errorf("%s of a session that ended %s: %v", what, how, err)
			}
			if err := call(r); err != nil {
				t.Errorf("%s afterwards: %v", what, err)
			}
			r.Close()
		}
	}
}

func TestWhatAKilledUploadLeftIsRemovedWithTime(t *testing.T) {
	store := memory.New()
	for name, age := range map[string]time.Duration{".ferry-put.0123abcd.f": 48 * time.Hour, ".ferry-put.0123abce.g": 0, "f": 48 * time.Hour} {
		if _, err := store.Put(t.Context(), name, strings.NewReader("x"), remote.PutOptions{ModTime: time.Now().Add(-age)}); err != nil {
			t.Fatal(err)
		}
	}
	o := startFerry(t, store, nil)
	o.PartMaxAge = 24 * time.Hour
	r := openRemote(t, "", o)
	defer r.Close()
	for _, watched := range []time.Duration{0, time.Hour} {
		if _, err := store.Stat(t.Context(), ".ferry-put.0123abcd.f"); err != nil {
			t.Errorf("it goes though the clock may be wrong: %v", err)
		}
		r.ClockWatchedFor(watched)
		for e, err := range r.List(t.Context(), ".") {
			if err != nil || e.Name != "f" {
				t.Errorf("%+v, %v", e, err)
			}
		}
	}
	if _, err := store.Stat(t.Context(), ".ferry-put.0123abcd.f"); !errors.Is(err, remote.ErrNotExist) {
		t.Errorf("the old one: %v", err)
	}
	if _, err := store.Stat(t.Context(), ".ferry-put.0123abce.g"); err != nil {
		t.Errorf("the new one: %v", err)
	}
}

// TestAFerryBehindAFerry stores through two remotes of this type.
func TestAFerryBehindAFerry(t *testing.T) {
	inner := openRemote(t, "", startFerry(t, memory.New(), nil))
	defer inner.Close()
	r := openRemote(t, "", startFerry(t, inner, nil))
	defer r.Close()
	roundTrip(t, r)
}
