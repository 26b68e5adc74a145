package call

import (
	"bufio"
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"ferry/events"
)

// fakeClamd speaks the protocol of clamd on a socket, and returns its URL. It finds the word EICAR,
// and has enough after most bytes.
func fakeClamd(t *testing.T, most int) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "clamd.ctl")
	l, err := net.Listen("unix", name)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				io.WriteString(conn, judge(conn, most)+"\x00")
			}()
		}
	}()
	return "clamd:" + name
}

// judge reads an INSTREAM and returns what clamd says of it.
func judge(conn io.Reader, most int) string {
	r := bufio.NewReader(conn)
	if command, err := r.ReadString(0); err != nil || command != "zINSTREAM\x00" {
		return "UNKNOWN COMMAND"
	}
	var content bytes.Buffer
	for {
		var n uint32
		if err := binary.Read(r, binary.BigEndian, &n); err != nil {
			return "broken"
		}
		if n == 0 {
			break
		}
		if content.Len()+int(n) > most {
			return "INSTREAM size limit exceeded. ERROR"
		}
		if _, err := io.CopyN(&content, r, int64(n)); err != nil {
			return "broken"
		}
	}
	if strings.Contains(content.String(), "EICAR") {
		return "stream: Eicar-Test-Signature FOUND"
	}
	return "stream: OK"
}

// message is a question about a file with some content.
func message(t *testing.T, content string) Message {
	t.Helper()
	name := filepath.Join(t.TempDir(), "content")
	if err := os.WriteFile(name, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	f, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return Message{Name: "check", Event: &events.Event{ID: "1", Kind: events.UploadReceived, Path: "/in/é \"x\"", User: "bob", Size: int64(len(content))}, File: f, FilePath: name}
}

func TestClamd(t *testing.T) {
	c := newCaller(t, Options{URL: fakeClamd(t, 1<<20)})
	for _, tt := range []struct {
		content string
		refused bool
		says    string // of the error; "" = none
	}{
		{"", false, ""},
		{"harmless", false, ""},
		{strings.Repeat("x", 900<<10), false, ""},
		{strings.Repeat("x", 600<<10) + "EICAR", true, "Eicar-Test-Signature"},
		{strings.Repeat("x", 5<<20), false, "size limit exceeded"},
	} {
		_, err := c.Call(t.Context(), message(t, tt.content))
		no := (*Error)(nil)
		switch {
		case tt.says == "" && err != nil, tt.says != "" && !errors.As(err, &no):
			t.Errorf("%d bytes: %v", len(tt.content), err)
		case no != nil && (no.Refused != tt.refused || !strings.Contains(err.Error(), tt.says)):
			t.Errorf("%d bytes: %v, refused %v", len(tt.content), err, no.Refused)
		case tt.refused && !strings.Contains(no.Message, tt.says):
			t.Errorf("the client is told %q", no.Message)
		}
	}
}

// A clamd that is not there, or says nothing, gives no answer: that is not a no.
func TestClamdWithoutAnAnswer(t *testing.T) {
	silent, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	for _, url := range []string{"clamd:" + filepath.Join(t.TempDir(), "none"), "clamd://" + silent.Addr().String()} {
		c := newCaller(t, Options{URL: url, Timeout: 200 * time.Millisecond})
		_, err := c.Call(context.Background(), message(t, "x"))
		if no := (*Error)(nil); !errors.As(err, &no) || no.Refused || !strings.Contains(err.Error(), "clamd at") {
			t.Errorf("%s: %v", url, err)
		}
	}
	for _, bad := range []string{"clamd:", "clamd:relative", "clamd://", "clamd://host", "clamd:///path"} {
		if CheckURL(bad) == nil {
			t.Errorf("%q is taken for an address", bad)
		}
	}
}

// A real clamd understands what it is sent, and its answers are understood.
func TestRealClamd(t *testing.T) {
	const program = "/usr/sbin/clamd"
	if _, err := os.Stat(program); err != nil {
		t.Skip("clamav-daemon is not installed")
	}
	dir := t.TempDir()
	for name, text := range map[string]string{
		"db/test.ndb": "Ferry.Test:0:*:45494341522d4645525259\n", // EICAR-FERRY
		"conf": fmt.Sprintf("Foreground yes\nDatabaseDirectory %s/db\nLocalSocket %s/sock\nStreamMaxLength 2M\nTemporaryDirectory %s\nLogFile %s/log\n",
			dir, dir, dir, dir),
	} {
		file := filepath.Join(dir, name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(file), 0o755), os.WriteFile(file, []byte(text), 0o644)); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.Command(program, "--config-file="+filepath.Join(dir, "conf"))
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() {
		_ = cmd.Process.Kill() // it may have ended
		_ = cmd.Wait()
	}()
	for end := time.Now().Add(time.Minute); ; time.Sleep(20 * time.Millisecond) {
		conn, err := net.Dial("unix", filepath.Join(dir, "sock"))
		if err == nil {
			conn.Close()
			break
		}
		if time.Now().After(end) {
			log, _ := os.ReadFile(filepath.Join(dir, "log"))
			t.Fatalf("clamd does not listen: %v: %s", err, log)
		}
	}
	c := newCaller(t, Options{URL: "clamd:" + filepath.Join(dir, "sock")})
	for content, want := range map[string]string{
		"": "", "harmless": "", strings.Repeat("x", 1<<20): "",
		"an EICAR-FERRY":           "found Ferry.Test",
		strings.Repeat("x", 5<<20): "size limit exceeded",
	} {
		_, err := c.Call(t.Context(), message(t, content))
		no := (*Error)(nil)
		if (err == nil) != (want == "") || err != nil && (!errors.As(err, &no) || !strings.Contains(err.Error(), want) || no.Refused != strings.Contains(want, "found")) {
			t.Errorf("%d bytes: %v, not %q", len(content), err, want)
		}
	}
}
