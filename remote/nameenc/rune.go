package nameenc

// at returns the part of the scheme that counts at a place in a name.
func (s Scheme) at(first, last bool) Scheme {
	if !first {
		s &^= LeftSpace | LeftPeriod | LeftTilde | LeftCrLfHtVt
	}
	if !last {
		s &^= RightSpace | RightPeriod | RightCrLfHtVt
	}
	return s
}

// twin returns what r is replaced by, or 0.
func (s Scheme) twin(r rune) rune {
	switch {
	case s&replacedFor(r) == 0:
		return 0
	case r == 0x7f:
		return picture + 0x21
	case r <= ' ':
		return r + picture
	}
	return r + fullWidth
}

// original returns what is replaced by r, or 0.
func (s Scheme) original(r rune) rune {
	was := rune(0)
	switch {
	case r == picture+0x21:
		was = 0x7f
	case r > picture && r <= picture+' ':
		was = r - picture
	case r > fullWidth+' ' && r < fullWidth+0x7f:
		was = r - fullWidth
	}
	if s&replacedFor(was) == 0 {
		return 0
	}
	return was
}

// replacedFor returns the parts of a scheme that replace r.
func replacedFor(r rune) Scheme {
	switch r {
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
	case '[', ']':
		return SquareBracket
	case ';':
		return Semicolon
	case '!':
		return Exclamation
	case ' ':
		return LeftSpace | RightSpace
	case '.':
		return LeftPeriod | RightPeriod
	case '~':
		return LeftTilde
	}
	return replacedForControl(r)
}

func replacedForControl(r rune) Scheme {
	switch r {
	case '\r', '\n':
		return Ctl | CrLf | LeftCrLfHtVt | RightCrLfHtVt
	case '\t', '\v':
		return Ctl | LeftCrLfHtVt | RightCrLfHtVt
	case 0x7f:
		return Del
	}
	if r > 0 && r < ' ' {
		return Ctl
	}
	return 0
}
