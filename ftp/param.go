package ftp

import (
	"context"
	"strings"
)

// typ sets the representation type (RFC 959, section 3.1.1). The format letter after A changes
// nothing: N and T mean the same for a server that prints nothing.
func (s *session) typ(_ context.Context, arg string) reply {
	switch strings.ToUpper(strings.TrimSpace(arg)) {
	case "A", "A N", "A T":
		s.ascii = true
		return ok("Type is ASCII.")
	case "I", "L 8", "L8":
		s.ascii = false
		return ok("Type is binary.")
	}
	return notSupported("Use TYPE A, TYPE I or TYPE L 8.")
}

// stru sets the file structure (RFC 959, section 3.1.2).
func (s *session) stru(_ context.Context, arg string) reply {
	switch strings.ToUpper(strings.TrimSpace(arg)) {
	case "F":
		return ok("Structure is file.")
	case "R", "P":
		return notSupported("Use STRU F.")
	}
	return badArgument("Usage: STRU F")
}

// mode sets the transmission mode (RFC 959, section 3.4).
func (s *session) mode(_ context.Context, arg string) reply {
	switch strings.ToUpper(strings.TrimSpace(arg)) {
	case "S":
		s.deflate = false
		return ok("Mode is stream.")
	case "Z":
		s.deflate = true
		return ok("Mode is deflate.")
	case "B", "C":
		return notSupported("Use MODE S or MODE Z.")
	}
	return badArgument("Usage: MODE S or MODE Z")
}

// allo stores the size of the next upload, and refuses one that does not fit (RFC 959, section
// 4.1.3). Some devices accept only 200 as success.
func (s *session) allo(ctx context.Context, arg string) reply {
	size, _, _ := strings.Cut(strings.TrimSpace(arg), " ")
	n, valid := parseDecimal(size, maxOffset)
	if !valid {
		return badArgument("Usage: ALLO <bytes>")
	}
	if sp, isSpacer := s.fs.(Spacer); isSpacer && n > 0 {
		if free, err := sp.Free(ctx, s.cwd); err == nil && free >= 0 && free < n {
			return reply{552, "Not enough space left for that many bytes."}
		}
	}
	s.allocate = n
	return ok("Noted.")
}

// maxOffset is the largest file offset.
const maxOffset = 1<<63 - 1

// rest stores where the next transfer begins. The offset is kept across other commands: PASV may
// come after REST as well as before it (RFC 3659, section 5).
func (s *session) rest(_ context.Context, arg string) reply {
	n, valid := parseDecimal(strings.TrimSpace(arg), maxOffset)
	if !valid {
		return badArgument("Usage: REST <offset in bytes>")
	}
	if n > 0 && s.ascii && s.srv.ConvertASCII {
		return notSupported("REST needs TYPE I here: in TYPE A line ends are converted.")
	}
	s.restart = n
	return reply{350, "The next transfer begins there."}
}

// takeRestart returns and clears the offset set by REST.
func (s *session) takeRestart() int64 {
	n := s.restart
	s.restart = 0
	return n
}

// takeAllocation returns and clears the size announced by ALLO; 0 = none.
func (s *session) takeAllocation() int64 {
	n := s.allocate
	s.allocate = 0
	return n
}

// opts sets options of other commands (RFC 2389, section 4).
func (s *session) opts(_ context.Context, arg string) reply {
	name, options, _ := strings.Cut(strings.TrimSpace(arg), " ")
	options = strings.TrimSpace(options)
	switch strings.ToUpper(name) {
	case "UTF8", "UTF-8":
		return optsUTF8(options)
	case "MLST", "MLSD":
		s.facts = parseOptsMLST(options)
		return ok(strings.TrimSpace("MLST OPTS " + s.facts.String()))
	case "HASH":
		return s.optsHash(options)
	case "MODE":
		return s.optsMode(options)
	}
	return badArgument("That command has no options here.")
}

// optsUTF8 accepts every spelling in use. Names are bytes here and UTF-8 by convention (RFC 2640,
// section 3), so there is nothing to switch; OFF is refused, because it would change nothing.
func optsUTF8(options string) reply {
	switch strings.ToUpper(options) {
	case "", "ON", "NLST":
		return ok("Names are UTF-8.")
	case "OFF":
		return notSupported("Names are always UTF-8.")
	}
	return badArgument("Usage: OPTS UTF8 ON")
}

// optsMode sets the level of MODE Z (draft-preston-ftpext-deflate, section 3.3).
func (s *session) optsMode(options string) reply {
	level, err := parseOptsModeZ(options, int(s.zlevel))
	if err != nil {
		return badArgument("Usage: OPTS MODE Z LEVEL <0-9>")
	}
	s.zlevel = int8(level)
	return ok("MODE Z options set.")
}

// lang supports one language (RFC 2640, section 4).
func (s *session) lang(_ context.Context, arg string) reply {
	tag := strings.ToUpper(strings.TrimSpace(arg))
	if tag == "" || tag == "EN" || strings.HasPrefix(tag, "EN-") {
		return ok("The language is English.")
	}
	return notSupported("Only English: LANG EN.")
}
