package nameenc

// A place says where in a name a character stands.
type place struct{ first, last bool }

// substitute returns what stands for r at a place of a name, if the remote cannot hold it there.
func (e Encoding) substitute(r rune, at place) (rune, bool) {
	if r == 0 || r < 0x80 && e&partsOf(r, at) != 0 {
		return lookalike(r), true
	}
	return 0, false
}

// original returns the character that r stands for at a place of a name, or -1.
func (e Encoding) original(r rune, at place) rune {
	o := rune(-1)
	switch {
	case r > pictures && r <= pictures+0x1F:
		o = r - pictures
	case r == space:
		o = ' '
	case r == deletion:
		o = 0x7F
	case r > fullWidth+' ' && r < fullWidth+0x7F:
		o = r - fullWidth
	default:
		return -1
	}
	if _, ok := e.substitute(o, at); !ok {
		return -1
	}
	return o
}

// lookalike returns the character that looks like r, which is one of ASCII.
func lookalike(r rune) rune {
	switch {
	case r < ' ':
		return pictures + r
	case r == ' ':
		return space
	case r == 0x7F:
		return deletion
	}
	return fullWidth + r
}

// partsOf returns the parts of an Encoding that concern the ASCII character r at a place.
func partsOf(r rune, at place) Encoding {
	parts := anywhere(r)
	if at.first {
		parts |= leftmost(r)
	}
	if at.last {
		parts |= rightmost(r)
	}
	return parts
}

func anywhere(r rune) Encoding {
	switch r {
	case '/':
		return Slash
	case '<', '>':
		return LtGt
	case '"':
		return DoubleQuote
	case '\'':
		return SingleQuote
	case '`':
		return BackQuote
	case '$':
		return Dollar
	case ':':
		return Colon
	case '?':
		return Question
	case '*':
		return Asterisk
	case '|':
		return Pipe
	case '#':
		return Hash
	case '%':
		return Percent
	case '\\':
		return BackSlash
	case '!':
		return Exclamation
	case '[', ']':
		return SquareBracket
	case ';':
		return Semicolon
	case '\r', '\n':
		return CrLf | Ctl
	case 0x7F:
		return Del
	}
	if r < ' ' {
		return Ctl
	}
	return 0
}

func leftmost(r rune) Encoding {
	switch r {
	case ' ':
		return LeftSpace
	case '.':
		return LeftPeriod
	case '~':
		return LeftTilde
	case '\r', '\n', '\t', '\v':
		return LeftCrLfHtVt
	}
	return 0
}

func rightmost(r rune) Encoding {
	switch r {
	case ' ':
		return RightSpace
	case '.':
		return RightPeriod
	case '\r', '\n', '\t', '\v':
		return RightCrLfHtVt
	}
	return 0
}
