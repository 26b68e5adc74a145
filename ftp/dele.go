package ftp

import "context"

func (s *session) dele(ctx context.Context, arg string) reply {
	name, r := s.path(ctx, arg)
	if !r.isZero() {
		return r
	}
	if err := s.fs.Remove(ctx, name); err != nil {
		return s.fail("DELE", name, err)
	}
	return reply{250, "File deleted."}
}
