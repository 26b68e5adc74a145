package local

import (
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"ferry/remote"
	"ferry/remote/partname"
)

func stageOf(t *testing.T, r *Remote, name string, o remote.StageOptions) remote.Stage {
	t.Helper()
	s, err := r.Stage(t.Context(), name, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Abort() })
	return s
}

func writeTo(t *testing.T, s remote.Stage, content string) {
	t.Helper()
	if _, err := io.WriteString(s, content); err != nil {
		t.Fatal(err)
	}
}

// files returns the names in a directory as they are on the disk.
func files(t *testing.T, dir string) string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return sorted(names)
}

func listing(t *testing.T, r *Remote, dir string) string {
	t.Helper()
	var names []string
	for e, err := range r.List(t.Context(), dir) {
		if err != nil {
			t.Fatal(err)
		}
		if e.Part != "" {
			e.Name = e.Part + ":" + e.Name
		}
		names = append(names, e.Name)
	}
	return sorted(names)
}

// eachPortable runs test on both trees; on systems other than Linux they are the same.
func eachPortable(t *testing.T, test func(t *testing.T, dir string, open func() *Remote)) {
	for name, tree := range map[string]openFunc{"system": openTree, "root": openRootTree} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			test(t, dir, func() *Remote {
				r := openDir(t, dir, tree, Options{PartMaxAge: time.Hour})
				t.Cleanup(func() { r.Close() })
				return r
			})
		})
	}
}

// TestAPartSurvivesItsProcess stands for kill -9 by leaving a stage as it is and opening the
// directory anew.
func TestAPartSurvivesItsProcess(t *testing.T) {
	eachPortable(t, func(t *testing.T, dir string, open func() *Remote) {
		killed := open()
		kept := stageOf(t, killed, "kept", remote.StageOptions{Owner: "o"})
		writeTo(t, kept, "kept before")
		if err := kept.Keep(); err != nil {
			t.Fatal(err)
		}
		writeTo(t, stageOf(t, killed, "cut", remote.StageOptions{Owner: "o"}), "01234")
		writeTo(t, stageOf(t, killed, "kept", remote.StageOptions{Owner: "other"}), "of another")
		if got := listing(t, killed, "."); got != "o:kept" {
			t.Errorf("before: %s", got)
		}

		r := open()
		if got := listing(t, r, "."); got != "o:cut o:kept other:kept" {
			t.Errorf("after: %s", got)
		}
		e, err := r.Part(t.Context(), "cut", "o")
		if err != nil || e.Size != 5 || e.Name != "cut" || e.Part != "o" {
			t.Errorf("%+v, %v", e, err)
		}
		s := stageOf(t, r, "cut", remote.StageOptions{Owner: "o", Base: remote.BasePart, Off: 5})
		writeTo(t, s, "56789")
		if _, err := s.Commit(t.Context(), time.Time{}); err != nil {
			t.Fatal(err)
		}
		if b, err := os.ReadFile(filepath.Join(dir, "cut")); string(b) != "0123456789" {
			t.Errorf("%q, %v", b, err)
		}
		if got := listing(t, r, "."); got != "cut o:kept other:kept" {
			t.Errorf("at the end: %s", got)
		}
	})
}

func TestWhatAKilledProcessLeftIsTheLastKept(t *testing.T) {
	eachPortable(t, func(t *testing.T, dir string, open func() *Remote) {
		killed := open()
		s := stageOf(t, killed, "f", remote.StageOptions{Owner: "o"})
		writeTo(t, s, "first")
		if err := s.Keep(); err != nil {
			t.Fatal(err)
		}
		writeTo(t, stageOf(t, killed, "f", remote.StageOptions{Owner: "o"}), "second one")

		r := open()
		if got := listing(t, r, "."); got != "o:f" {
			t.Errorf("listed: %s", got)
		}
		// A new upload keeps its hands off both.
		fresh := stageOf(t, r, "f", remote.StageOptions{Owner: "o"})
		writeTo(t, fresh, "third")
		if e, err := r.Part(t.Context(), "f", "o"); err != nil || e.Size != 10 {
			t.Errorf("%+v, %v", e, err)
		}
		if err := fresh.Abort(); err != nil {
			t.Error(err)
		}
		if err := r.DropPart(t.Context(), "f", "o"); err != nil {
			t.Error(err)
		}
		if got := files(t, dir); got != "" {
			t.Errorf("left on the disk: %s", got)
		}
	})
}

func TestWhatAKilledPutLeftIsNobodys(t *testing.T) {
	eachPortable(t, func(t *testing.T, dir string, open func() *Remote) {
		left := partname.Name{Owner: partname.PutOwner, Slot: 1, Base: "f"}.String()
		path := filepath.Join(dir, left)
		if err := os.WriteFile(path, []byte("x"), 0o600); err != nil {
			t.Fatal(err)
		}
		r := open()
		r.parts.Ages.Began(time.Now().Add(-time.Hour))
		if got := listing(t, r, "."); got != "" {
			t.Errorf("listed: %s", got)
		}
		if _, err := r.Put(t.Context(), "f", strings.NewReader("whole"), remote.PutOptions{}); err != nil {
			t.Fatal(err)
		}
		if got := files(t, dir); got != left+" f" {
			t.Errorf("on the disk: %s", got)
		}
		old := time.Now().Add(-2 * time.Hour)
		if err := os.Chtimes(path, old, old); err != nil {
			t.Fatal(err)
		}
		if _, err := r.Put(t.Context(), "f", strings.NewReader("again"), remote.PutOptions{}); err != nil {
			t.Fatal(err)
		}
		if got := files(t, dir); got != "f" {
			t.Errorf("on the disk: %s", got)
		}
	})
}

func TestPartsExpire(t *testing.T) {
	eachPortable(t, func(t *testing.T, dir string, open func() *Remote) {
		r := open()
		age := func(name string) {
			s := stageOf(t, r, name, remote.StageOptions{Owner: "o"})
			writeTo(t, s, "content")
			if err := s.Keep(); err != nil {
				t.Fatal(err)
			}
			old := time.Now().Add(-2 * time.Hour)
			if err := os.Chtimes(filepath.Join(dir, partname.Name{Owner: "o", Base: name}.String()), old, old); err != nil {
				t.Fatal(err)
			}
		}
		age("f")
		if _, err := r.Part(t.Context(), "f", "o"); err != nil {
			t.Errorf("Part, when the clock may be wrong still: %v", err)
		}
		r.parts.Ages.Began(time.Now().Add(-time.Hour))
		if _, err := r.Part(t.Context(), "f", "o"); !errors.Is(err, remote.ErrNotExist) {
			t.Errorf("Part: %v", err)
		}
		if err := r.DropPart(t.Context(), "f", "o"); !errors.Is(err, remote.ErrNotExist) {
			t.Errorf("DropPart: %v", err)
		}
		_, err := r.Stage(t.Context(), "f", remote.StageOptions{Owner: "o", Base: remote.BasePart})
		if !errors.Is(err, remote.ErrNotExist) {
			t.Errorf("Stage: %v", err)
		}
		if got := files(t, dir); got != "" {
			t.Errorf("Stage left on the disk: %s", got)
		}
		age("g")
		if got := listing(t, r, "."); got != "" {
			t.Errorf("listed: %s", got)
		}
		if got := files(t, dir); got != "" {
			t.Errorf("List left on the disk: %s", got)
		}
	})
}

func TestAnUploadUnderWayDoesNotExpire(t *testing.T) {
	eachPortable(t, func(t *testing.T, dir string, open func() *Remote) {
		r := open()
		r.parts.Ages.Began(time.Now().Add(-time.Hour))
		s := stageOf(t, r, "f", remote.StageOptions{Owner: "o"})
		writeTo(t, s, "slow")
		old := time.Now().Add(-2 * time.Hour)
		if err := os.Chtimes(filepath.Join(dir, partname.Name{Owner: "o", Slot: 1, Base: "f"}.String()), old, old); err != nil {
			t.Fatal(err)
		}
		if got := listing(t, r, "."); got != "" {
			t.Errorf("listed: %s", got)
		}
		if _, err := s.Commit(t.Context(), time.Time{}); err != nil {
			t.Error(err)
		}
	})
}

func TestHiddenNamesAreRefused(t *testing.T) {
	eachPortable(t, func(t *testing.T, dir string, open func() *Remote) {
		r := open()
		hidden := partname.Name{Owner: "o", Base: "f"}.String()
		if err := os.WriteFile(filepath.Join(dir, hidden), []byte("x"), 0o600); err != nil {
			t.Fatal(err)
		}
		ctx := t.Context()
		for _, name := range []string{hidden, ".ferry-part.", ".FERRY-PART.x", "d/.ferry-part.x", ".ferry-part.d/f"} {
			_, stat := r.Stat(ctx, name)
			_, open := r.Open(ctx, name, 0, -1)
			_, put := r.Put(ctx, name, strings.NewReader("x"), remote.PutOptions{})
			_, stage := r.Stage(ctx, name, remote.StageOptions{Owner: "o"})
			_, part := r.Part(ctx, name, "o")
			for op, err := range map[string]error{
				"Stat": stat, "Open": open, "Put": put, "Stage": stage, "Part": part,
				"Mkdir": r.Mkdir(ctx, name), "Rmdir": r.Rmdir(ctx, name), "Remove": r.Remove(ctx, name),
				"Move to": r.Move(ctx, "x", name), "Move from": r.Move(ctx, name, "x"), "DropPart": r.DropPart(ctx, name, "o"),
			} {
				if !errors.Is(err, remote.ErrBadName) {
					t.Errorf("%s %s: %v", op, name, err)
				}
			}
		}
	})
}

func TestRmdirSparesAnUploadUnderWay(t *testing.T) {
	eachPortable(t, func(t *testing.T, dir string, open func() *Remote) {
		r := open()
		if err := r.Mkdir(t.Context(), "d"); err != nil {
			t.Fatal(err)
		}
		s := stageOf(t, r, "d/f", remote.StageOptions{Owner: "o"})
		writeTo(t, s, "x")
		if err := r.Rmdir(t.Context(), "d"); !errors.Is(err, remote.ErrNotEmpty) {
			t.Errorf("Rmdir: %v", err)
		}
		if _, err := s.Commit(t.Context(), time.Time{}); err != nil {
			t.Error(err)
		}
	})
}

func TestAnUploadFollowsItsDirectory(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("without descriptors of directories an upload ends with the name of its directory")
	}
	dir := t.TempDir()
	r := openDir(t, dir, openTree, Options{})
	defer r.Close()
	ctx := t.Context()
	if err := r.Mkdir(ctx, "d"); err != nil {
		t.Fatal(err)
	}
	one := stageOf(t, r, "d/f", remote.StageOptions{Owner: "o"})
	two := stageOf(t, r, "d/f", remote.StageOptions{Owner: "o"})
	writeTo(t, one, "one")
	writeTo(t, two, "two2")
	if err := r.Move(ctx, "d", "e"); err != nil {
		t.Fatal(err)
	}
	if got := listing(t, r, "e"); got != "" {
		t.Errorf("an upload under way is listed: %s", got)
	}
	if _, err := r.Part(ctx, "e/f", "o"); !errors.Is(err, remote.ErrNotExist) {
		t.Errorf("Part: %v", err)
	}
	if _, err := one.Commit(ctx, time.Time{}); err != nil {
		t.Error(err)
	}
	if err := two.Keep(); err != nil {
		t.Error(err)
	}
	if got := listing(t, r, "e"); got != "f o:f" {
		t.Errorf("listed: %s", got)
	}
	stageOf(t, r, "e/f", remote.StageOptions{Owner: "o"})
	stageOf(t, r, "e/f", remote.StageOptions{Owner: "o"})
	if got, want := files(t, filepath.Join(dir, "e")), ".ferry-part.o.f .ferry-part.o~1.f .ferry-part.o~2.f f"; got != want {
		t.Errorf("on the disk: %s, which is not %s: the uploads before are still under way", got, want)
	}
}

// TestWhatIsContinuedDoesNotShowUnderOtherNames has a backup made of hard links keep what it had.
func TestWhatIsContinuedDoesNotShowUnderOtherNames(t *testing.T) {
	eachPortable(t, func(t *testing.T, dir string, open func() *Remote) {
		r := open()
		s := stageOf(t, r, "f", remote.StageOptions{Owner: "o"})
		writeTo(t, s, "01234")
		if err := s.Keep(); err != nil {
			t.Fatal(err)
		}
		part := filepath.Join(dir, partname.Name{Owner: "o", Base: "f"}.String())
		backup := filepath.Join(dir, "backup")
		if err := os.Link(part, backup); err != nil {
			t.Skip("no hard links here:", err)
		}
		if m, err := os.Lstat(part); err != nil || metaOf(m).links != 2 {
			t.Skip("links are not counted here")
		}
		s = stageOf(t, r, "f", remote.StageOptions{Owner: "o", Base: remote.BasePart, Off: 2})
		if b, _ := os.ReadFile(backup); string(b) != "01234" {
			t.Errorf("the other name holds %q", b)
		}
		writeTo(t, s, "xyz")
		if _, err := s.Commit(t.Context(), time.Time{}); err != nil {
			t.Fatal(err)
		}
		b, _ := os.ReadFile(backup)
		c, _ := os.ReadFile(filepath.Join(dir, "f"))
		if string(b) != "01234" || string(c) != "01xyz" {
			t.Errorf("the other name holds %q, the file %q", b, c)
		}
		if got := files(t, dir); got != "backup f" {
			t.Errorf("on the disk: %s", got)
		}
	})
}

func TestAStageTakesAConnection(t *testing.T) {
	eachPortable(t, func(t *testing.T, dir string, open func() *Remote) {
		r := open()
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		content := strings.Repeat("0123456789abcdef", 1<<16)
		sent := make(chan error, 1)
		go func() {
			c, err := net.Dial("tcp", l.Addr().String())
			if err == nil {
				_, err = io.WriteString(c, content)
				err = errors.Join(err, c.Close())
			}
			sent <- err
		}()
		c, err := l.Accept()
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		s := stageOf(t, r, "f", remote.StageOptions{Owner: "o"})
		var total int64
		for {
			n, err := s.(io.ReaderFrom).ReadFrom(io.LimitReader(c, 100_000))
			if err != nil {
				t.Fatal(err)
			}
			if total += n; n == 0 {
				break
			}
		}
		if err := <-sent; err != nil {
			t.Fatal(err)
		}
		e, err := s.Commit(t.Context(), time.Time{})
		if err != nil || e.Size != int64(len(content)) || total != e.Size {
			t.Errorf("%+v, %d, %v", e, total, err)
		}
		if b, _ := os.ReadFile(filepath.Join(dir, "f")); string(b) != content {
			t.Error("the content is another")
		}
	})
}
