package registry

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"strconv"
	"sync"
	"testing"
	"unicode/utf16"

	"ferry/config"
	"ferry/remote"
	"ferry/remote/remotetest"
	"ferry/remote/remotetest/servers/samba"
)

// A tap is before a server, and keeps what clients send.
type tap struct {
	mu   sync.Mutex
	sent []byte // guarded by mu
}

// Write implements io.Writer.
func (w *tap) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.sent = append(w.sent, p...)
	return len(p), nil
}

// between listens before the server at addr until the end of the test, and returns its own address.
func (w *tap) between(t *testing.T, addr string) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	all.Go(func() {
		for {
			client, err := l.Accept()
			if err != nil {
				return
			}
			all.Go(func() { w.pass(client, addr) })
		}
	})
	t.Cleanup(func() { // the remote has been closed by then
		_ = l.Close()
		all.Wait()
	})
	return l.Addr().String()
}

// pass is one connection. It ends when the client ends it.
func (w *tap) pass(client net.Conn, addr string) {
	server, err := net.Dial("tcp", addr)
	if err != nil {
		_ = client.Close()
		return
	}
	var back sync.WaitGroup
	back.Go(func() {
		_, _ = io.Copy(client, server)
		_ = client.Close()
	})
	_, _ = io.Copy(io.MultiWriter(w, server), client)
	_ = server.Close()
	back.Wait()
}

// told reports whether clients told text, as SMB writes it.
func (w *tap) told(text string) string {
	var b bytes.Buffer
	for _, unit := range utf16.Encode([]rune(text)) {
		b.Write([]byte{byte(unit), byte(unit >> 8)})
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	return strconv.FormatBool(bytes.Contains(w.sent, b.Bytes()))
}

func TestOptionsOfSMBHaveAnEffect(t *testing.T) {
	t.Parallel()
	server := samba.Start(t)
	start := func(t *testing.T) (w *tap, file string) {
		t.Helper()
		w = &tap{}
		host, port, err := net.SplitHostPort(w.between(t, server.Addr))
		if err != nil {
			t.Fatal(err)
		}
		return w, fmt.Sprintf("[r]\ntype = smb\nhost = %s\nport = %s\nuser = %s\npass = %s\n", host, port, server.User, config.Obscure(samba.Password))
	}
	tells := func(text string) func(*testing.T, *tap, remote.Remote) string {
		return func(t *testing.T, w *tap, r remote.Remote) string {
			return remotetest.Names(t, r, ".") + " " + w.told(text)
		}
	}
	haveEffect(t, start, []effect[*tap]{
		{"domain=EXAMPLE", "files other false", "files other true", tells("EXAMPLE")},
		{"workstation=DESK-7", "files other false", "files other true", tells("DESK-7")},
		{"spn=cifs/nas.example", "files other false", "files other true", tells("cifs/nas.example")},
		{"hide_special_share=false", "files other", "files hidden$ other", func(t *testing.T, _ *tap, r remote.Remote) string { return remotetest.Names(t, r, ".") }},
		{"case_insensitive=false", "true", "false", func(_ *testing.T, _ *tap, r remote.Remote) string {
			return strconv.FormatBool(r.Info().Caps.CaseInsensitive)
		}},
	})
}
