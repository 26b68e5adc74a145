package remote_test

import (
	"context"
	"errors"
	"io/fs"
	"testing"

	"ferry/remote"
)

func TestValidPath(t *testing.T) {
	for _, name := range []string{".", "a", "a/b", "a b/ c ", "...", "a/..b", "\xff\xfe", "a\nb", `a\b`} {
		if !remote.ValidPath(name) {
			t.Errorf("ValidPath(%q) = false", name)
		}
	}
	for _, name := range []string{"", "/", "/a", "a/", "a//b", "..", "a/..", "./a", "a/./b", "a\x00b", "a/\x00"} {
		if remote.ValidPath(name) {
			t.Errorf("ValidPath(%q) = true", name)
		}
	}
}

func FuzzValidPath(f *testing.F) {
	for _, seed := range []string{".", "a/b", "../a", "a//b", "", "\xff/x", "a\x00"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, name string) {
		got := remote.ValidPath(name)
		if fs.ValidPath(name) && !got && !hasNUL(name) {
			t.Errorf("io/fs accepts %q, ValidPath does not", name)
		}
		if got && name != "." {
			if dir, base := remote.Split(name); remote.Join(dir, base) != name {
				t.Errorf("Join(Split(%q)) = %q", name, remote.Join(dir, base))
			}
		}
	})
}

func hasNUL(s string) bool {
	for i := range len(s) {
		if s[i] == 0 {
			return true
		}
	}
	return false
}

func TestSplit(t *testing.T) {
	for _, c := range []struct{ name, dir, base string }{
		{".", ".", "."}, {"a", ".", "a"}, {"a/b", "a", "b"}, {"a/b/c", "a/b", "c"},
	} {
		if dir, base := remote.Split(c.name); dir != c.dir || base != c.base {
			t.Errorf("Split(%q) = %q, %q", c.name, dir, base)
		}
	}
}

func TestBelow(t *testing.T) {
	for _, c := range []struct {
		name, dir string
		want      bool
	}{
		{"a", ".", true}, {".", ".", false}, {"a/b", "a", true}, {"a", "a", false}, {"ab/c", "a", false}, {".", "a", false},
	} {
		if got := remote.Below(c.name, c.dir); got != c.want {
			t.Errorf("Below(%q, %q) = %v", c.name, c.dir, got)
		}
	}
}

func TestStageOptionsValid(t *testing.T) {
	for _, c := range []struct {
		o    remote.StageOptions
		want bool
	}{
		{remote.StageOptions{Owner: "a1"}, true},
		{remote.StageOptions{Owner: "a", Base: remote.BaseFile, Off: 3}, true},
		{remote.StageOptions{Owner: "a", Base: remote.BasePart, Off: remote.AtEnd}, true},
		{remote.StageOptions{}, false},
		{remote.StageOptions{Owner: "A"}, false},
		{remote.StageOptions{Owner: "a/b"}, false},
		{remote.StageOptions{Owner: "012345678901234567890123456789012"}, false},
		{remote.StageOptions{Owner: "a", Off: 1}, false},
		{remote.StageOptions{Owner: "a", Off: remote.AtEnd}, false},
		{remote.StageOptions{Owner: "a", Base: remote.BaseFile, Off: -2}, false},
		{remote.StageOptions{Owner: "a", Base: remote.BasePart + 1}, false},
	} {
		if got := c.o.Valid(); got != c.want {
			t.Errorf("%+v: Valid() = %v", c.o, got)
		}
	}
}

func TestCheck(t *testing.T) {
	ended, end := context.WithCancelCause(t.Context())
	why := errors.New("nobody waits")
	end(why)
	holds := func(elem string) bool { return elem != "no" }
	for _, c := range []struct {
		ctx       context.Context
		name      string
		want      error // of Check
		wantHolds error // of CheckHeld
	}{
		{t.Context(), "a/b", nil, nil},
		{t.Context(), "a/../b", remote.ErrInvalid, remote.ErrInvalid},
		{t.Context(), "no/../b", remote.ErrInvalid, remote.ErrInvalid},
		{t.Context(), "a/no", nil, remote.ErrBadName},
		{ended, "a/no", why, remote.ErrBadName},
		{ended, "/", remote.ErrInvalid, remote.ErrInvalid},
		{ended, ".", why, why},
	} {
		if err := remote.Check(c.ctx, "fine", c.name); err != c.want {
			t.Errorf("Check of %q: %v, want %v", c.name, err, c.want)
		}
		if err := remote.CheckHeld(c.ctx, c.name, holds); err != c.wantHolds {
			t.Errorf("CheckHeld of %q: %v, want %v", c.name, err, c.wantHolds)
		}
	}
}
