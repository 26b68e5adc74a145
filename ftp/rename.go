package ftp

import "context"

// rnfr stores what RNTO will rename. The name is kept across other commands.
func (s *session) rnfr(ctx context.Context, arg string) reply {
	s.renameFrom = ""
	name, r := s.path(ctx, arg)
	if !r.isZero() {
		return r
	}
	if name == "." {
		return refused("The root directory keeps its name.")
	}
	if _, err := s.fs.Stat(ctx, name); err != nil {
		return s.fail("RNFR", name, err)
	}
	s.renameFrom = name
	return reply{350, "Send RNTO with the new name."}
}

func (s *session) rnto(ctx context.Context, arg string) reply {
	from := s.renameFrom
	if from == "" {
		return badSequence("Send RNFR first.")
	}
	s.renameFrom = ""
	to, r := s.path(ctx, arg)
	if !r.isZero() {
		return r
	}
	s.seeRename(from, to)
	stored, err := Forward{s.fs}.RenameBeside(ctx, from, to)
	if err == nil && stored != "" {
		s.seeRename(from, stored)
	}
	if err != nil {
		return s.fail("RNTO", to, err)
	}
	return reply{250, "Renamed." + storedAs(stored, to)}
}
