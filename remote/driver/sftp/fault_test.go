package sftp

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/pkg/sftp"
	"golang.org/x/crypto/ssh"

	"ferry/remote"
	"ferry/remote/remotetest/servers/sshserver"
)

// megabytes returns n MiB that no protocol makes shorter.
func megabytes(n int) []byte {
	b := make([]byte, n<<20)
	rand.Read(b)
	return b
}

// A cutting reader cuts the connections of the server when it has given n bytes.
type cuttingReader struct {
	s *server
	r io.Reader
	n int
}

func (c *cuttingReader) Read(p []byte) (int, error) {
	if c.n <= 0 {
		c.s.Cut()
	}
	n, err := c.r.Read(p[:min(len(p), 64<<10)])
	c.n -= n
	return n, err
}

func TestPutThroughACutConnectionLeavesTheOldFile(t *testing.T) {
	for name, serve := range map[string]func(ssh.Channel) error{"openssh": sshserver.OpenSSH(t), "go": goServer} {
		t.Run(name, func(t *testing.T) {
			s := startServer(t, serve)
			dir := t.TempDir()
			r := openRemote(t, dir, s.options())
			defer r.Close()
			if _, err := r.Put(t.Context(), "f", strings.NewReader("old"), remote.PutOptions{}); err != nil {
				t.Fatal(err)
			}
			body := megabytes(8)
			for _, at := range []int{0, 1 << 20, len(body) * 9 / 10} {
				_, err := r.Put(t.Context(), "f", &cuttingReader{s, bytes.NewReader(body), at}, remote.PutOptions{})
				if err == nil || remote.Permanent(err) {
					t.Errorf("cut at %d: %v", at, err)
				}
				if b, err := os.ReadFile(filepath.Join(dir, "f")); string(b) != "old" {
					t.Errorf("cut at %d: %d bytes, %v", at, len(b), err)
				}
			}
			entries, err := os.ReadDir(dir)
			if err != nil || len(entries) != 1 {
				t.Errorf("left: %v, %v", entries, err)
			}
		})
	}
}

func TestAStageThroughACutConnectionIsKept(t *testing.T) {
	s := startServer(t, sshserver.OpenSSH(t))
	r := openRemote(t, t.TempDir(), s.options())
	defer r.Close()
	content := megabytes(16) // of which no more than 2 are under way at a time
	st, err := r.Stage(t.Context(), "f", remote.StageOptions{Owner: "o"})
	if err != nil {
		t.Fatal(err)
	}
	_, err = io.Copy(st, &cuttingReader{s, bytes.NewReader(content), 8 << 20})
	if err == nil {
		t.Fatal("writing went on")
	}
	if err := st.Keep(); err != nil {
		t.Fatal(err)
	}
	e, err := r.Part(t.Context(), "f", "o")
	if err != nil || e.Size == 0 {
		t.Fatalf("%+v, %v", e, err)
	}
	st, err = r.Stage(t.Context(), "f", remote.StageOptions{Owner: "o", Base: remote.BasePart, Off: e.Size})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := st.Write(content[e.Size:]); err != nil {
		t.Fatal(err)
	}
	if _, err := st.Commit(t.Context(), time.Time{}); err != nil {
		t.Fatal(err)
	}
	if got := contentOf(t, r, "f"); !bytes.Equal(got, content) {
		t.Error("the content is another one")
	}
}

func contentOf(t *testing.T, r remote.Remote, name string) []byte {
	t.Helper()
	f, err := r.Open(t.Context(), name, 0, -1)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	b, err := io.ReadAll(f)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestReadThroughACutConnectionFails(t *testing.T) {
	s := startServer(t, sshserver.OpenSSH(t))
	r := openRemote(t, t.TempDir(), s.options())
	defer r.Close()
	content := megabytes(16)
	if _, err := r.Put(t.Context(), "f", bytes.NewReader(content), remote.PutOptions{}); err != nil {
		t.Fatal(err)
	}
	f, err := r.Open(t.Context(), "f", 0, -1)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	head := make([]byte, 100_000)
	if _, err := io.ReadFull(f, head); err != nil {
		t.Fatal(err)
	}
	s.Cut()
	n, err := io.Copy(io.Discard, f)
	if err == nil || remote.Permanent(err) || errors.Is(err, io.EOF) {
		t.Errorf("%d bytes, %v", n, err)
	}
	if got := contentOf(t, r, "f"); !bytes.Equal(got, content) {
		t.Error("the next connection reads something else")
	}
}

// hang serves until the first request and then answers nothing more.
func hang(ch ssh.Channel) error {
	rd, wr := io.Pipe()
	s, err := sftp.NewServer(struct {
		io.Reader
		io.WriteCloser
	}{rd, ch})
	if err != nil {
		return err
	}
	go s.Serve()
	first := make([]byte, 9) // SSH_FXP_INIT
	if _, err := io.ReadFull(ch, first); err != nil {
		return err
	}
	if _, err := wr.Write(first); err != nil {
		return err
	}
	_, _ = io.Copy(io.Discard, ch)
	return wr.Close()
}

func TestCallsEndWithTheirContextWhenTheServerHangs(t *testing.T) {
	s := startServer(t, hang)
	r := openRemote(t, "/", s.options())
	defer r.Close()
	for op, call := range map[string]func(ctx context.Context) error{
		"Stat": func(ctx context.Context) error { _, err := r.Stat(ctx, "f"); return err },
		"Open": func(ctx context.Context) error { _, err := r.Open(ctx, "f", 0, -1); return err },
		"Put": func(ctx context.Context) error {
			_, err := r.Put(ctx, "f", strings.NewReader("x"), remote.PutOptions{})
			return err
		},
		"List": func(ctx context.Context) error {
			for _, err := range r.List(ctx, ".") {
				return err
			}
			return nil
		},
	} {
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		if err := call(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%s: %v", op, err)
		}
		cancel()
	}
}

func TestAnAnswerIsNotWaitedForForEver(t *testing.T) {
	if testing.Short() {
		t.Skip("it takes long")
	}
	t.Parallel()
	s := startServer(t, hang)
	r := openRemote(t, "/", s.options())
	defer r.Close()
	doubts := 0
	ctx := remote.WithUnanswered(t.Context(), func() { doubts++ })
	ctx, cancel := context.WithTimeout(ctx, 50*time.Millisecond)
	defer cancel()
	start := time.Now()
	err := r.Mkdir(ctx, "d")
	took := time.Since(start)
	if !errors.Is(err, context.DeadlineExceeded) || took < remote.AnswerTime || took > remote.AnswerTime+10*time.Second {
		t.Errorf("%v after %v", err, took)
	}
	if doubts == 0 {
		t.Error("it is not in doubt")
	}
}

func TestTheServersCopyIsUsed(t *testing.T) {
	s := startServer(t, sshserver.OpenSSH(t))
	r := openRemote(t, t.TempDir(), s.options())
	defer r.Close()
	content := megabytes(3)
	if _, err := r.Put(t.Context(), "f", bytes.NewReader(content), remote.PutOptions{}); err != nil {
		t.Fatal(err)
	}
	err := r.Copy(t.Context(), "f", "g")
	if errors.Is(err, remote.ErrUnsupported) {
		t.Skip("this sftp-server has no copy-data (OpenSSH 9.0 has)")
	}
	if err != nil {
		t.Fatal(err)
	}
	if got := contentOf(t, r, "g"); !bytes.Equal(got, content) {
		t.Error("the copy is another one")
	}
	st, err := r.Stage(t.Context(), "f", remote.StageOptions{Owner: "o", Base: remote.BaseFile, Off: 2 << 20})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := st.Write([]byte("tail")); err != nil {
		t.Fatal(err)
	}
	if _, err := st.Commit(t.Context(), time.Time{}); err != nil {
		t.Fatal(err)
	}
	if got := contentOf(t, r, "f"); !bytes.Equal(got, append(content[:2<<20:2<<20], "tail"...)) {
		t.Error("the continued file is another one")
	}
}

// TestRemoteWithoutExtensions takes posix-rename, statvfs and copy-data away.
func TestRemoteWithoutExtensions(t *testing.T) {
	if err := sftp.SetSFTPExtensions("hardlink@openssh.com"); err != nil {
		t.Fatal(err)
	}
	defer sftp.SetSFTPExtensions("hardlink@openssh.com", "posix-rename@openssh.com", "statvfs@openssh.com")
	s := startServer(t, refuseRenameOver)
	o := s.options()
	o.Encoding = Encoding
	r := openRemote(t, t.TempDir(), o)
	defer r.Close()
	for _, content := range []string{"one", "two"} {
		if _, err := r.Put(t.Context(), "f", strings.NewReader(content), remote.PutOptions{}); err != nil {
			t.Fatal(err)
		}
		if got := contentOf(t, r, "f"); string(got) != content {
			t.Errorf("%q instead of %q", got, content)
		}
	}
	for e, err := range r.List(t.Context(), ".") {
		if err != nil || e.Name != "f" {
			t.Errorf("%+v, %v", e, err)
		}
	}
	if _, err := r.Usage(t.Context()); !errors.Is(err, remote.ErrUnsupported) {
		t.Errorf("Usage: %v", err)
	}
}

// refuseRenameOver serves as version 3 of the protocol demands: a rename does not replace a file.
func refuseRenameOver(ch ssh.Channel) error {
	return sftp.NewRequestServer(ch, sftp.Handlers{FileGet: osFiles{}, FilePut: osFiles{}, FileCmd: osFiles{}, FileList: osFiles{}}).Serve()
}

// size returns how many connections are open.
// TestRemoteOnOneChannel is for servers that allow one session for each connection.
// TestCloseLeavesNothingBehind closes a remote while a reader, an upload and a listing are open.
