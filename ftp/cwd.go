package ftp

import "context"

func (s *session) chdir(ctx context.Context, arg string) reply {
	name, r := s.path(ctx, arg)
	if !r.isZero() {
		return r
	}
	return s.enter(ctx, name)
}

// cdup goes to the parent directory; that of the root is the root.
func (s *session) cdup(ctx context.Context, _ string) reply {
	name, r := s.path(ctx, "..")
	if !r.isZero() {
		return r
	}
	return s.enter(ctx, name)
}

func (s *session) enter(ctx context.Context, name string) reply {
	if name != "." {
		fi, err := s.fs.Stat(ctx, name)
		if err != nil {
			return s.fail("CWD", name, err)
		}
		if !fi.IsDir() {
			return s.fail("CWD", name, ErrNotDir)
		}
	}
	s.cwd = name
	return reply{250, "Directory is " + quote(name)}
}

func (s *session) pwd(context.Context, string) reply {
	return reply{257, quote(s.cwd) + " is the current directory."}
}
