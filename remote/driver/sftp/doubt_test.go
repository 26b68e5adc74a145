package sftp

import (
	"errors"
	"io"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pkg/sftp"
	"golang.org/x/crypto/ssh"

	"ferry/remote"
	"ferry/remote/wrap/retry"
)

// cutting serves as refuseRenameOver does, and cuts all connections at a rename: before or after it
// is done.
type cutting struct {
	osFiles
	s       *server
	renames atomic.Int32
	at      int32 // 0 = never
	done    bool
}

func (c *cutting) serve(ch ssh.Channel) error {
	return sftp.NewRequestServer(ch, sftp.Handlers{FileGet: c, FilePut: c, FileCmd: c, FileList: c}).Serve()
}

// Filecmd implements sftp.FileCmder.
func (c *cutting) Filecmd(r *sftp.Request) error {
	if r.Method != "Rename" || c.at == 0 || c.renames.Add(1) != c.at {
		return c.osFiles.Filecmd(r)
	}
	defer c.s.Cut()
	if !c.done {
		c.s.Cut()
		return errors.New("cut")
	}
	return c.osFiles.Filecmd(r)
}

// withoutPosixRename takes the extension away from the servers of this test.
func withoutPosixRename(t *testing.T) {
	t.Helper()
	if err := sftp.SetSFTPExtensions("hardlink@openssh.com"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = sftp.SetSFTPExtensions("hardlink@openssh.com", "posix-rename@openssh.com", "statvfs@openssh.com")
	})
}

// A file that was set aside for a moment has its name again, wherever the connection breaks.
func TestAFileThatIsSetAsideComesBack(t *testing.T) {
	withoutPosixRename(t)
	for at := int32(2); at <= 3; at++ { // the first rename is refused
		for _, done := range []bool{false, true} {
			c := &cutting{done: done}
			c.s = startServer(t, c.serve)
			dir := t.TempDir()
			r := openRemote(t, dir, c.s.options())
			if _, err := r.Put(t.Context(), "f", strings.NewReader("old"), remote.PutOptions{}); err != nil {
				t.Fatal(err)
			}
			c.at = at
			doubts := 0
			ctx := remote.WithUnanswered(t.Context(), func() { doubts++ })
			_, err := r.Put(ctx, "f", strings.NewReader("new"), remote.PutOptions{})
			if err == nil || doubts == 0 {
				t.Errorf("cut at rename %d, done %v: %v, %d doubts", at, done, err, doubts)
			}
			want := "old"
			if at == 3 && done {
				want = "new"
			}
			if got := contentOf(t, r, "f"); string(got) != want {
				t.Errorf("cut at rename %d, done %v: %q", at, done, got)
			}
			entries, err := os.ReadDir(dir)
			if err != nil || len(entries) != 1 {
				t.Errorf("cut at rename %d, done %v: left %v, %v", at, done, entries, err)
			}
			r.Close()
		}
	}
}

// A Commit goes on over another connection, and knows what the one before has done.
func TestAPublishWhoseAnswerIsLostIsRepeated(t *testing.T) {
	withoutPosixRename(t)
	when := time.Date(2001, 2, 3, 4, 5, 6, 0, time.UTC)
	for _, done := range []bool{false, true} {
		c := &cutting{done: done, at: 1}
		c.s = startServer(t, c.serve)
		r := retry.New(openRemote(t, t.TempDir(), c.s.options()), retry.Options{})
		s, err := r.Stage(t.Context(), "f", remote.StageOptions{Owner: "o"})
		if err == nil {
			_, err = io.WriteString(s, "content")
		}
		if err != nil {
			t.Fatal(err)
		}
		e, err := s.Commit(t.Context(), when)
		if err != nil || !e.ModTime.Equal(when) {
			t.Errorf("done %v: %+v, %v", done, e, err)
		}
		if got := contentOf(t, r, "f"); string(got) != "content" {
			t.Errorf("done %v: %q", done, got)
		}
		if err := s.Abort(); err != nil {
			t.Error(err)
		}
		if _, err := r.Part(t.Context(), "f", "o"); !errors.Is(err, remote.ErrNotExist) {
			t.Errorf("done %v: a part is left: %v", done, err)
		}
		r.Close()
	}
}
