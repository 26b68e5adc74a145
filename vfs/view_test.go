package vfs_test

import (
	"errors"
	"io"
	"io/fs"
	"testing"
	"time"

	"ferry/ftp"
	"ferry/remote"
	"ferry/remote/driver/memory"
	"ferry/vfs"
)

func TestTree(t *testing.T) {
	eachKind(t, func(t *testing.T, r remote.Remote) {
		ctx := t.Context()
		v := vfs.New(r, vfs.Options{}).View("bob")
		mkdir(t, v, "d")
		upload(t, v, "d/a", "alpha", 0)
		upload(t, v, "b", "beta", 0)

		if got := names(t, v, "."); got != "b d" {
			t.Errorf("the root holds %q", got)
		}
		if got := content(t, v, "d/a"); got != "alpha" {
			t.Errorf("read %q", got)
		}
		if size(t, v, "d/a") != 5 {
			t.Error("wrong size")
		}
		if err := v.Rename(ctx, "b", "d/a"); err != nil {
			t.Errorf("a rename over a file must replace it: %v", err)
		}
		if got := content(t, v, "d/a"); got != "beta" {
			t.Errorf("after the rename: %q", got)
		}
		wantGone(t, v, "b")

		wantErr(t, v.Mkdir(ctx, "d"), fs.ErrExist, "")
		wantErr(t, v.Mkdir(ctx, "no/d"), fs.ErrNotExist, "")
		wantErr(t, v.Rmdir(ctx, "d"), remote.ErrNotEmpty, "")
		wantErr(t, v.Rmdir(ctx, "."), fs.ErrPermission, "")
		wantErr(t, v.Rename(ctx, "no", "yes"), fs.ErrNotExist, "")
		wantErr(t, v.Remove(ctx, "no"), fs.ErrNotExist, "")
		wantErr(t, v.Remove(ctx, "d"), remote.ErrIsDir, "")
		_, err := v.Stat(ctx, "no")
		wantErr(t, err, fs.ErrNotExist, "")
		_, err = v.Open(ctx, "no", 0)
		wantErr(t, err, fs.ErrNotExist, "")
		for _, err = range v.List(ctx, "no") {
			break
		}
		wantErr(t, err, fs.ErrNotExist, "")

		if err := v.Remove(ctx, "d/a"); err != nil {
			t.Error(err)
		}
		if err := v.Rmdir(ctx, "d"); err != nil {
			t.Error(err)
		}
		if err := v.Close(); err != nil || names(t, v, ".") != "" {
			t.Errorf("the root is not empty (%v)", err)
		}
	})
}

func TestCreateRefusesBeforeAByteIsTaken(t *testing.T) {
	eachKind(t, func(t *testing.T, r remote.Remote) {
		v := vfs.New(r, vfs.Options{}).View("bob")
		mkdir(t, v, "d")
		upload(t, v, "f", "x", 0)
		tests := []struct {
			name string
			off  int64
			want error
		}{
			{"d", 0, remote.ErrIsDir},
			{"d", vfs.AtEnd, remote.ErrIsDir},
			{"d", 1, remote.ErrIsDir},
			{".", 0, remote.ErrIsDir},
			{"no/f", 0, fs.ErrNotExist},
			{"no/f", vfs.AtEnd, fs.ErrNotExist},
			{"f/f", 0, remote.ErrNotDir},
			{"f", -2, fs.ErrInvalid},
		}
		for _, tt := range tests {
			if u, err := v.Create(t.Context(), tt.name, tt.off); !errors.Is(err, tt.want) || u != nil {
				t.Errorf("Create(%q, %d) = %v, %v; want %v", tt.name, tt.off, u, err, tt.want)
			}
		}
	})
}

func TestAFileThatMayNotBeChangedIsRefusedAtCreate(t *testing.T) {
	m := memory.New() // where not even root may change it
	for kind, r := range map[string]remote.Remote{"staged": m, "streamed": whole{m}} {
		v := vfs.New(m, vfs.Options{}).View("bob")
		upload(t, v, kind, "x", 0)
		if err := v.SetMode(t.Context(), kind, 0o444); err != nil {
			t.Fatal(err)
		}
		v = vfs.New(r, vfs.Options{}).View("bob")
		_, err := v.Create(t.Context(), kind, 0)
		wantErr(t, err, fs.ErrPermission, "")
		info, err := v.Stat(t.Context(), kind)
		if err != nil || v.Permitted(kind, info)&ftp.PermWrite != 0 {
			t.Errorf("%s: the file claims to be writable (%v)", kind, err)
		}
	}
}

func TestReadOnlyRefusesEveryChange(t *testing.T) {
	eachKind(t, func(t *testing.T, r remote.Remote) {
		ctx := t.Context()
		writer := vfs.New(r, vfs.Options{}).View("bob")
		mkdir(t, writer, "d")
		upload(t, writer, "f", "x", 0)

		v := vfs.New(r, vfs.Options{ReadOnly: true}).View("bob")
		_, err := v.Create(ctx, "f", 0)
		wantErr(t, err, fs.ErrPermission, "read-only")
		for what, err := range map[string]error{
			"remove":  v.Remove(ctx, "f"),
			"rename":  v.Rename(ctx, "f", "g"),
			"mkdir":   v.Mkdir(ctx, "e"),
			"rmdir":   v.Rmdir(ctx, "d"),
			"modtime": v.SetModTime(ctx, "f", time.Now()),
			"mode":    v.SetMode(ctx, "f", 0o600),
		} {
			t.Run(what, func(t *testing.T) { wantErr(t, err, fs.ErrPermission, "read-only") })
		}
		if got := content(t, v, "f"); got != "x" {
			t.Errorf("reading gives %q", got)
		}
	})
}

func TestAttributes(t *testing.T) {
	ctx := t.Context()
	r := memory.New()
	v := vfs.New(r, vfs.Options{}).View("bob")
	upload(t, v, "f", "abc", 0)
	when := time.Date(2001, 2, 3, 4, 5, 6, 0, time.UTC)
	if err := v.SetModTime(ctx, "f", when); err != nil {
		t.Fatal(err)
	}
	if err := v.SetMode(ctx, "f", 0o640); err != nil {
		t.Fatal(err)
	}
	info, err := v.Stat(ctx, "f")
	if err != nil || !info.ModTime().Equal(when) || info.Mode() != 0o640 {
		t.Errorf("got %v %v, %v", info.ModTime(), info.Mode(), err)
	}
	if sum, err := v.Hash(ctx, "f", "crc32"); err != nil || len(sum) != 4 {
		t.Errorf("Hash = %x, %v", sum, err)
	}
	_, err = v.Hash(ctx, "f", "whirlpool")
	wantErr(t, err, errors.ErrUnsupported, "")

	t.Run("a remote without the ability says so", func(t *testing.T) {
		v := vfs.New(whole{r}, vfs.Options{}).View("bob")
		wantErr(t, v.SetModTime(ctx, "f", when), errors.ErrUnsupported, "modification times")
		wantErr(t, v.SetMode(ctx, "f", 0o600), errors.ErrUnsupported, "permission bits")
		_, err := v.Hash(ctx, "f", "crc32")
		wantErr(t, err, errors.ErrUnsupported, "")
		if free, err := v.Free(ctx, "."); free >= 0 || err != nil {
			t.Errorf("Free = %d, %v; want unknown", free, err)
		}
	})
	t.Run("--no-modtime neither shows nor sets times", func(t *testing.T) {
		v := vfs.New(r, vfs.Options{NoModTime: true}).View("bob")
		wantErr(t, v.SetModTime(ctx, "f", time.Now()), errors.ErrUnsupported, "--no-modtime")
		if info, err := v.Stat(ctx, "f"); err != nil || !info.ModTime().IsZero() {
			t.Errorf("got %v, %v", info, err)
		}
	})
}

func TestOpenReadsFromAnOffset(t *testing.T) {
	r := memory.New()
	v := vfs.New(r, vfs.Options{}).View("bob")
	upload(t, v, "f", "0123456789", 0)
	for off, want := range map[int64]string{0: "0123456789", 7: "789", 10: "", 99: ""} {
		body, err := v.Open(t.Context(), "f", off)
		if err != nil {
			t.Fatal(err)
		}
		if b, err := io.ReadAll(body); err != nil || string(b) != want {
			t.Errorf("from %d: %q, %v; want %q", off, b, err, want)
		}
		body.Close()
	}
	noSeek := vfs.New(r, vfs.Options{NoSeek: true}).View("bob")
	_, err := noSeek.Open(t.Context(), "f", 1)
	wantErr(t, err, errors.ErrUnsupported, "--no-seek")
	if got := content(t, noSeek, "f"); got != "0123456789" {
		t.Errorf("from the beginning: %q", got)
	}
}

// A file of the local disk must reach the engine as it is: only then can the system send it without
// a copy.
func TestOpenReturnsTheRemotesOwnReader(t *testing.T) {
	want := io.NopCloser(nil)
	v := vfs.New(fixed{Remote: memory.New(), reader: want}, vfs.Options{}).View("bob")
	if got, err := v.Open(t.Context(), "f", 0); got != want || err != nil {
		t.Errorf("got %v, %v", got, err)
	}
}
