package ftp

import "context"

func (s *session) mkd(ctx context.Context, arg string) reply {
	name, r := s.path(ctx, arg)
	if !r.isZero() {
		return r
	}
	if err := s.fs.Mkdir(ctx, name); err != nil {
		return s.fail("MKD", name, err)
	}
	return reply{257, quote(name) + " created."}
}

func (s *session) rmd(ctx context.Context, arg string) reply {
	name, r := s.path(ctx, arg)
	if !r.isZero() {
		return r
	}
	if name == "." {
		return refused("The root directory stays.")
	}
	if err := s.fs.Rmdir(ctx, name); err != nil {
		return s.fail("RMD", name, err)
	}
	return reply{250, "Directory removed."}
}
