package remotetest

import (
	"context"
	"fmt"

	"ferry/remote"
)

// moveTests go through remote.Move, which copies and removes where the remote cannot rename.
func moveTests() []test {
	return []test{
		{"it renames a file", func(s *suite) {
			s.mkdir("d")
			s.put("f", "x")
			s.moves("f", "g")
			s.moves("g", "d/h")
			s.holds("d/h", "x")
			s.gone("f")
			s.lists("d", "h")
		}},
		{"a file replaces a file", func(s *suite) {
			s.put("f", "new")
			s.put("g", "old")
			s.moves("f", "g")
			s.holds("g", "new")
			s.gone("f")
		}},
		{"the time stays with the file", func(s *suite) {
			s.put("f", "x")
			want := s.stat("f").ModTime
			s.moves("f", "g")
			if got := s.stat("g").ModTime; s.caps.ModTime > 0 && !s.sameTime(got, want) {
				s.Errorf("%v became %v", want, got)
			}
		}},
		{"a directory moves where Caps.MoveDir", func(s *suite) {
			s.mkdir("d")
			s.mkdir("d/e")
			s.put("d/e/f", "x")
			s.mkdir("top")
			s.put("top/other", "x")
			err := remote.Move(s.ctx, s.r, "d", "top/moved")
			if !s.caps.MoveDir {
				s.fails(err, remote.ErrUnsupported)
				s.holds("d/e/f", "x")
				return
			}
			s.ok(err)
			s.holds("top/moved/e/f", "x")
			s.gone("d")
			s.lists(".", "top")
		}},
		{"a directory moves with all that is in it", func(s *suite) {
			if !s.caps.MoveDir {
				return // see above
			}
			s.mkdir("d")
			s.mkdir("d/empty")
			s.mkdir("d/sub")
			s.mkdir("d/sub/deep")
			s.mkdir("d-1")
			others := []string{"a name with spaces", "Größe", "sub/#+%&'", "sub/deep/07"}
			for i := range 30 {
				s.put(fmt.Sprintf("d/sub/deep/%02d", i), fmt.Sprintf("sub/deep/%02d", i))
			}
			for _, name := range others {
				s.put("d/"+name, name)
			}
			s.put("d-1/f", "x")
			s.put("d.txt", "y")
			want := s.stat("d/sub/deep/07").ModTime
			s.moves("d", "moved")
			for _, name := range others {
				s.holds("moved/"+name, name)
			}
			if got := s.stat("moved/sub/deep/07").ModTime; s.caps.ModTime > 0 && !s.sameTime(got, want) {
				s.Errorf("the time of a file was %v and is %v", want, got)
			}
			s.lists(".", "d-1 d.txt moved")
			s.lists("moved", "Größe a name with spaces empty sub")
			s.lists("moved/empty", "")
			if n := len(s.list("moved/sub/deep")); n != 30 {
				s.Errorf("%d of 30 files are there", n)
			}
			s.gone("d")
		}},
		{"a directory moves only to a name that does not exist", func(s *suite) {
			s.mkdir("d")
			s.put("d/f", "x")
			s.mkdir("empty")
			s.put("file", "y")
			for _, to := range []string{"empty", "file"} {
				err := remote.Move(s.ctx, s.r, "d", to)
				if s.caps.MoveDir {
					s.fails(err, remote.ErrExist)
				} else {
					s.fails(err, remote.ErrUnsupported)
				}
			}
			s.holds("d/f", "x")
			s.holds("file", "y")
		}},
		{"a file over a directory is ErrIsDir", func(s *suite) {
			s.put("f", "x")
			s.mkdir("d")
			s.put("d/f", "y")
			s.fails(remote.Move(s.ctx, s.r, "f", "d"), remote.ErrIsDir)
			s.fails(remote.Move(s.ctx, s.r, "f", "."), remote.ErrIsDir)
			s.holds("f", "x")
			s.holds("d/f", "y")
		}},
		{"moving something onto itself does nothing", func(s *suite) {
			s.put("f", "x")
			s.mkdir("d")
			s.put("d/f", "y")
			s.moves("f", "f")
			s.moves("d", "d")
			s.holds("f", "x")
			s.holds("d/f", "y")
		}},
		{"a directory below itself is ErrInvalid", func(s *suite) {
			s.mkdir("d")
			s.mkdir("d/e")
			s.put("d/e/f", "x")
			for _, to := range []string{"d/g", "d/e/g"} {
				err := remote.Move(s.ctx, s.r, "d", to)
				if s.caps.MoveDir {
					s.fails(err, remote.ErrInvalid)
				} else {
					s.fails(err, remote.ErrUnsupported)
				}
			}
			s.holds("d/e/f", "x")
		}},
		{"what is not there is ErrNotExist", func(s *suite) {
			s.put("g", "x")
			s.fails(remote.Move(s.ctx, s.r, "none", "g"), remote.ErrNotExist)
			s.fails(remote.Move(s.ctx, s.r, "none", "none"), remote.ErrNotExist)
			s.holds("g", "x")
		}},
		{"a missing parent is ErrNotExist except where directories are implicit", func(s *suite) {
			s.put("f", "x")
			err := remote.Move(s.ctx, s.r, "f", "none/f")
			if s.caps.ImplicitDirs {
				s.ok(err)
				s.holds("none/f", "x")
				return
			}
			s.fails(err, remote.ErrNotExist)
			s.holds("f", "x")
		}},
		{"a name that is not valid is ErrInvalid", func(s *suite) {
			s.put("f", "x")
			s.fails(remote.Move(s.ctx, s.r, "../f", "g"), remote.ErrInvalid)
			s.fails(remote.Move(s.ctx, s.r, "f", "../g"), remote.ErrInvalid)
			s.holds("f", "x")
		}},
		{"it ends with its context", func(s *suite) {
			s.put("f", "x")
			ctx, cause := ended(s.ctx)
			s.fails(remote.Move(ctx, s.r, "f", "g"), cause, context.Canceled)
			s.holds("f", "x")
		}},
	}
}

func (s *suite) moves(from, to string) {
	s.Helper()
	if err := remote.Move(s.ctx, s.r, from, to); err != nil {
		s.Fatalf("Move(%q, %q): %v", from, to, err)
	}
}
