package sftp

import (
	"bytes"
	"errors"
	"io"
	"runtime"
	"strings"
	"testing"
	"time"

	"ferry/remote"
	"ferry/remote/remotetest/servers/sshserver"
)

func TestAnIdleConnectionIsClosedAndMadeAgain(t *testing.T) {
	s := startServer(t, goServer)
	o := s.options()
	o.IdleTimeout = time.Millisecond
	r := openRemote(t, t.TempDir(), o)
	defer r.Close()
	for n := 1; n <= 3; n++ {
		if _, err := r.Stat(t.Context(), "."); err != nil {
			t.Fatal(err)
		}
		if got := s.Connections(); got != n {
			t.Errorf("%d connections were made, want %d", got, n)
		}
		for deadline := time.Now().Add(time.Minute); r.pool.Open() > 0; runtime.Gosched() {
			if time.Now().After(deadline) {
				t.Fatal("the connection is not closed")
			}
		}
	}
}

func TestConnectionsAreShared(t *testing.T) {
	s := startServer(t, goServer)
	o := s.options()
	o.Connections = 1
	r := openRemote(t, t.TempDir(), o)
	defer r.Close()
	for _, name := range []string{"a", "b", "c"} {
		st, err := r.Stage(t.Context(), name, remote.StageOptions{Owner: "o"})
		if err != nil {
			t.Fatal(err)
		}
		defer st.Abort()
	}
	if n := s.Connections(); n != 1 {
		t.Errorf("%d connections", n)
	}
}

func TestRemoteOnOneChannel(t *testing.T) {
	s := startServer(t, goServer)
	s.LimitChannels(1)
	r := openRemote(t, t.TempDir(), s.options())
	defer r.Close()
	for _, name := range []string{"a", "b"} {
		if _, err := r.Put(t.Context(), name, strings.NewReader(name), remote.PutOptions{}); err != nil {
			t.Fatal(err)
		}
	}
	n := 0
	for e, err := range r.List(t.Context(), ".") {
		if err != nil || e.Size != 1 {
			t.Errorf("%+v, %v", e, err)
		}
		n++
	}
	if n != 2 {
		t.Errorf("%d entries", n)
	}
	if err := r.Copy(t.Context(), "a", "c"); !errors.Is(err, remote.ErrUnsupported) {
		t.Errorf("Copy: %v", err)
	}
	st, err := r.Stage(t.Context(), "a", remote.StageOptions{Owner: "o", Base: remote.BaseFile, Off: remote.AtEnd})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(st, "!"); err != nil {
		t.Fatal(err)
	}
	if _, err := st.Commit(t.Context(), time.Time{}); err != nil {
		t.Fatal(err)
	}
	if got := contentOf(t, r, "a"); string(got) != "a!" {
		t.Errorf("%q", got)
	}
}

func TestCloseLeavesNothingBehind(t *testing.T) {
	s := startServer(t, sshserver.OpenSSH(t))
	r := openRemote(t, t.TempDir(), s.options())
	if _, err := r.Put(t.Context(), "f", bytes.NewReader(megabytes(4)), remote.PutOptions{}); err != nil {
		t.Fatal(err)
	}
	f, err := r.Open(t.Context(), "f", 0, -1)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.Read(make([]byte, 10)); err != nil {
		t.Fatal(err)
	}
	st, err := r.Stage(t.Context(), "g", remote.StageOptions{Owner: "o"})
	if err != nil {
		t.Fatal(err)
	}
	for range r.List(t.Context(), ".") {
		r.Close()
	}
	f.Close()
	if err := st.Abort(); err == nil {
		t.Error("Abort has reached the server")
	}
	for deadline := time.Now().Add(time.Minute); ; {
		stacks := make([]byte, 1<<20)
		stacks = stacks[:runtime.Stack(stacks, true)]
		if !bytes.Contains(stacks, []byte("sftp.(*conn)")) && !bytes.Contains(stacks, []byte("conns.Await")) &&
			!bytes.Contains(stacks, []byte("conns.(*Pool")) && !bytes.Contains(stacks, []byte("chunks.(*Reader)")) {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("goroutines are left:\n%s", stacks)
		}
		runtime.Gosched()
	}
}
