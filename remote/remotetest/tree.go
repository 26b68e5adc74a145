package remotetest

import (
	"context"

	"ferry/remote"
)

func removeTests() []test {
	return []test{
		{"it deletes a file", func(s *suite) {
			s.mkdir("d")
			s.put("d/f", "x")
			s.put("d/g", "x")
			s.ok(s.r.Remove(s.ctx, "d/f"))
			s.gone("d/f")
			s.lists("d", "g")
		}},
		{"a missing file is ErrNotExist", func(s *suite) {
			s.fails(s.r.Remove(s.ctx, "none"), remote.ErrNotExist)
			s.fails(s.r.Remove(s.ctx, "none/none"), remote.ErrNotExist)
		}},
		{"a directory is ErrIsDir", func(s *suite) {
			s.mkdir("d")
			s.put("d/f", "x")
			s.fails(s.r.Remove(s.ctx, "d"), remote.ErrIsDir)
			s.fails(s.r.Remove(s.ctx, "."), remote.ErrIsDir)
			s.holds("d/f", "x")
		}},
		{"it ends with its context", func(s *suite) {
			s.put("f", "x")
			ctx, cause := ended(s.ctx)
			s.fails(s.r.Remove(ctx, "f"), cause, context.Canceled)
			s.holds("f", "x")
		}},
	}
}

func mkdirTests() []test {
	return []test{
		{"it creates a directory", func(s *suite) {
			s.ok(s.r.Mkdir(s.ctx, "d"))
			s.ok(s.r.Mkdir(s.ctx, "d/e"))
			s.put("d/e/f", "x")
			for _, dir := range []string{"d", "d/e"} {
				if !s.stat(dir).Dir {
					s.Errorf("%q is no directory", dir)
				}
			}
		}},
		{"one that exists is ErrExist", func(s *suite) {
			s.mkdir("d")
			s.put("d/f", "x")
			s.fails(s.r.Mkdir(s.ctx, "d"), remote.ErrExist)
			s.fails(s.r.Mkdir(s.ctx, "."), remote.ErrExist)
			s.holds("d/f", "x")
		}},
		{"a file of that name is ErrExist", func(s *suite) {
			s.put("f", "x")
			s.fails(s.r.Mkdir(s.ctx, "f"), remote.ErrExist)
			s.holds("f", "x")
		}},
		{"a missing parent is ErrNotExist except where directories are implicit", func(s *suite) {
			err := s.r.Mkdir(s.ctx, "a/b")
			if s.caps.ImplicitDirs {
				s.ok(err)
				return
			}
			s.fails(err, remote.ErrNotExist)
			s.gone("a")
		}},
		{"it ends with its context", func(s *suite) {
			ctx, cause := ended(s.ctx)
			s.fails(s.r.Mkdir(ctx, "d"), cause, context.Canceled)
			s.gone("d")
		}},
	}
}

func rmdirTests() []test {
	return []test{
		{"it removes an empty directory", func(s *suite) {
			s.mkdir("d")
			s.mkdir("d/e")
			s.ok(s.r.Rmdir(s.ctx, "d/e"))
			s.gone("d/e")
			s.ok(s.r.Rmdir(s.ctx, "d"))
			s.gone("d")
		}},
		{"one that was emptied is empty", func(s *suite) {
			s.mkdir("d")
			s.put("d/f", "x")
			s.remove("d/f")
			s.lists("d", "")
			s.ok(s.r.Rmdir(s.ctx, "d"))
			s.gone("d")
		}},
		{"a full one is ErrNotEmpty", func(s *suite) {
			s.mkdir("d")
			s.put("d/f", "x")
			s.fails(s.r.Rmdir(s.ctx, "d"), remote.ErrNotEmpty)
			s.holds("d/f", "x")
			s.mkdir("e")
			s.mkdir("e/e")
			s.put("e/e/f", "x")
			s.fails(s.r.Rmdir(s.ctx, "e"), remote.ErrNotEmpty)
			s.holds("e/e/f", "x")
		}},
		{"a file is ErrNotDir", func(s *suite) {
			s.put("f", "x")
			s.fails(s.r.Rmdir(s.ctx, "f"), remote.ErrNotDir)
			s.holds("f", "x")
		}},
		{"a directory lives until it is removed", func(s *suite) {
			s.mkdir("a")
			s.mkdir("a/b")
			s.put("a/b/f", "x")
			s.remove("a/b/f")
			s.lists("a/b", "")
			s.ok(s.r.Rmdir(s.ctx, "a/b"))
			s.lists("a", "")
			s.ok(s.r.Rmdir(s.ctx, "a"))
			s.gone("a")
		}},
		{"a missing one is ErrNotExist", func(s *suite) {
			s.fails(s.r.Rmdir(s.ctx, "none"), remote.ErrNotExist)
			s.fails(s.r.Rmdir(s.ctx, "none/none"), remote.ErrNotExist)
		}},
		{"the root is ErrPermission", func(s *suite) {
			s.fails(s.r.Rmdir(s.ctx, "."), remote.ErrPermission)
			s.put("f", "x")
			s.fails(s.r.Rmdir(s.ctx, "."), remote.ErrPermission)
		}},
		{"it ends with its context", func(s *suite) {
			s.mkdir("d")
			ctx, cause := ended(s.ctx)
			s.fails(s.r.Rmdir(ctx, "d"), cause, context.Canceled)
		}},
	}
}
