package smb

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"ferry/remote"
	"ferry/remote/remotetest/servers/samba"
)

func content(t *testing.T, r remote.Remote, name string) string {
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
	return string(b)
}

// long is content that is not read ahead to its end.
func long(size int) []byte {
	b := make([]byte, size)
	for i := range b {
		b[i] = byte(i>>8) ^ byte(i)
	}
	return b
}

// beginReading opens a file and reads its first byte.
func beginReading(t *testing.T, r remote.Remote, name string) io.ReadCloser {
	t.Helper()
	f, err := r.Open(t.Context(), name, 0, -1)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	if _, err := io.ReadFull(f, make([]byte, 1)); err != nil {
		t.Fatal(err)
	}
	return f
}

// A server refuses to rename what is open, and a directory in which something is.
func TestWhatIsOpenIsRenamed(t *testing.T) {
	s := samba.Start(t)
	r, _ := fresh(t, s, options(t, s, s.Addr))
	defer r.Close()
	ctx := t.Context()
	want := long(8 << 20)
	if err := r.Mkdir(ctx, "d"); err != nil {
		t.Fatal(err)
	}
	if _, err := r.Put(ctx, "d/f", bytes.NewReader(want), remote.PutOptions{}); err != nil {
		t.Fatal(err)
	}
	f := beginReading(t, r, "d/f")
	up, err := r.Stage(ctx, "d/up", remote.StageOptions{Owner: "o"})
	if err != nil {
		t.Fatal(err)
	}
	half := len(want) / 2
	if _, err := up.Write(want[:half]); err != nil {
		t.Fatal(err)
	}
	listed := 0
	for e, err := range r.List(ctx, "d") {
		if err != nil || e.Name != "f" {
			t.Errorf("%+v, %v", e, err)
		}
		if listed++; listed == 1 {
			if err := r.Move(ctx, "d/f", "d/g"); err != nil {
				t.Errorf("Move of the file: %v", err)
			}
			if err := r.Move(ctx, "d", "e"); err != nil {
				t.Errorf("Move of the directory: %v", err)
			}
		}
	}
	got, err := io.ReadAll(f)
	if err != nil || !bytes.Equal(got, want[1:]) {
		t.Errorf("read %d bytes, %v", len(got), err)
	}
	if _, err := up.Write(want[half:]); err != nil {
		t.Error(err)
	}
	if _, err := up.Commit(ctx, time.Time{}); err != nil {
		t.Error(err)
	}
	if got := content(t, r, "e/up"); got != string(want) {
		t.Errorf("the upload has %d bytes", len(got))
	}
	if got := names(t, r, "e"); got != "g up" {
		t.Errorf("the directory has %q", got)
	}
}

// A reader keeps what it has of a file that is removed, and never goes on in another one.
func TestWhatIsReadCanBeRemoved(t *testing.T) {
	s := samba.Start(t)
	r, _ := fresh(t, s, options(t, s, s.Addr))
	defer r.Close()
	ctx := t.Context()
	if _, err := r.Put(ctx, "f", bytes.NewReader(long(16<<20)), remote.PutOptions{}); err != nil {
		t.Fatal(err)
	}
	f := beginReading(t, r, "f")
	if err := r.Remove(ctx, "f"); err != nil {
		t.Fatalf("Remove: %v", err)
	}
	put(t, r, "f", "another")
	if n, err := io.Copy(io.Discard, f); !errors.Is(err, remote.ErrChanged) {
		t.Errorf("it goes on for %d bytes, %v", n, err)
	}
}

func TestWhatOthersHaveOpenIsInUse(t *testing.T) {
	s := samba.Start(t)
	o := options(t, s, s.Addr)
	r, dir := fresh(t, s, o)
	defer r.Close()
	other := openRemote(t, "files/"+filepath.Base(dir), o)
	defer other.Close()
	put(t, r, "f", "content")
	beginReading(t, other, "f")
	for call, err := range map[string]error{"Remove": r.Remove(t.Context(), "f"), "Move": r.Move(t.Context(), "f", "g")} {
		var hint interface{ Hint() string }
		if !errors.As(err, &hint) || !strings.Contains(hint.Hint(), "in use") || remote.Permanent(err) {
			t.Errorf("%s: %v", call, err)
		}
	}
	if got := names(t, r, "."); got != "f" {
		t.Errorf("there is %q", got)
	}
}

func TestCopies(t *testing.T) {
	s := samba.Start(t)
	r, _ := fresh(t, s, options(t, s, s.Addr))
	defer r.Close()
	for _, size := range []int{5, maxInside, maxInside + 1} {
		want := long(size)
		if _, err := r.Put(t.Context(), "f", bytes.NewReader(want), remote.PutOptions{}); err != nil {
			t.Fatal(err)
		}
		err := r.Copy(t.Context(), "f", "g")
		if inside := size <= maxInside; inside && err != nil || !inside && !errors.Is(err, remote.ErrUnsupported) {
			t.Errorf("%d bytes: Copy: %v", size, err)
		}
		if err := remote.Copy(t.Context(), r, "f", "g"); err != nil {
			t.Errorf("%d bytes: %v", size, err)
		}
		if got := content(t, r, "g"); got != string(want) {
			t.Errorf("%d of %d bytes are copied", len(got), size)
		}
		u, err := r.Stage(t.Context(), "f", remote.StageOptions{Owner: "o", Base: remote.BaseFile, Off: int64(size / 2)})
		if err == nil {
			_, err = u.Write([]byte("end"))
		}
		if err == nil {
			_, err = u.Commit(t.Context(), time.Time{})
		}
		if err != nil {
			t.Errorf("%d bytes: %v", size, err)
		}
		if got := content(t, r, "f"); got != string(want[:size/2])+"end" {
			t.Errorf("%d bytes are continued as %d", size, len(got))
		}
	}
}

func TestNamesOnTheServer(t *testing.T) {
	s := samba.Start(t)
	r, dir := fresh(t, s, options(t, s, s.Addr))
	defer r.Close()
	put(t, r, `what? "a:b" <c>|*\.`, "x")
	if got, err := os.ReadDir(dir); err != nil || len(got) != 1 || got[0].Name() != "what？ ＂a：b＂ ＜c＞｜＊＼．" {
		t.Errorf("on the disk: %v, %v", got, err)
	}
	if got := names(t, r, "."); got != `what? "a:b" <c>|*\.` {
		t.Errorf("listed: %q", got)
	}
	for name, ok := range map[string]bool{
		strings.Repeat("n", 255): true, strings.Repeat("n", 256): false, strings.Repeat("ü", 255): true, strings.Repeat("ü", 256): false,
		strings.Repeat("😀", 127): true, strings.Repeat("😀", 128): false, "nul": false, "Con.txt": false, "com1": false, "lpt9.x": false,
		"com0": true, "com12": true, "console": true, ".ferry-part.x": false,
	} {
		if err := r.CheckName(name); (err == nil) != ok || err != nil && !errors.Is(err, remote.ErrBadName) {
			t.Errorf("%.20q: %v", name, err)
		}
	}
}

func TestCaseDoesNotCount(t *testing.T) {
	s := samba.Start(t)
	r, _ := fresh(t, s, options(t, s, s.Addr))
	defer r.Close()
	ctx := t.Context()
	put(t, r, "Name", "1")
	if got := content(t, r, "nAME"); got != "1" {
		t.Errorf("%q", got)
	}
	if err := r.Move(ctx, "Name", "name"); err != nil {
		t.Error(err)
	}
	if err := r.Mkdir(ctx, "Dir"); err != nil {
		t.Error(err)
	}
	if err := r.Move(ctx, "Dir", "DIR"); err != nil {
		t.Error(err)
	}
	if got := names(t, r, "."); got != "DIR name" {
		t.Errorf("there is %q", got)
	}
	if err := r.Mkdir(ctx, "dir"); !errors.Is(err, remote.ErrExist) {
		t.Errorf("Mkdir: %v", err)
	}
	if err := r.Move(ctx, "DIR", "NAME"); !errors.Is(err, remote.ErrExist) {
		t.Errorf("Move over: %v", err)
	}
}

func TestLinksAndAttributes(t *testing.T) {
	s := samba.Start(t)
	r, dir := fresh(t, s, options(t, s, s.Addr))
	defer r.Close()
	put(t, r, "f", "content")
	put(t, r, "g", "content")
	for name, to := range map[string]string{"link": "g", "dangling": "nowhere"} {
		if err := os.Symlink(to, filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	if got := names(t, r, "."); got != "f g link" {
		t.Errorf("listed: %q", got)
	}
	if got := content(t, r, "link"); got != "content" {
		t.Errorf("%q", got)
	}
	c, err := r.pool.Get(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	at := r.target("f")
	share, err := c.share(at.share)
	if err == nil {
		err = share.Chmod(at.path, 0o444)
	}
	r.pool.Put(c)
	if err != nil {
		t.Fatal(err)
	}
	if e, err := r.Stat(t.Context(), "f"); err != nil || !e.ReadOnly {
		t.Errorf("%+v, %v", e, err)
	}
	if _, err := r.Put(t.Context(), "f", strings.NewReader("new"), remote.PutOptions{}); !errors.Is(err, remote.ErrPermission) {
		t.Errorf("Put: %v", err)
	}
	if err := r.Remove(t.Context(), "f"); err != nil {
		t.Errorf("Remove: %v", err)
	}
}
