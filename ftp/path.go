package ftp

import (
	"context"
	"errors"
	"io/fs"
	"strings"
)

// errBadPath refuses a name that does not fit in a command line or a listing (RFC 959, section
// 5.3.2: a pathname holds neither CR nor LF).
var errBadPath = errors.New("a name must not contain CR, LF or NUL")

// path resolves an argument to a name of the FS, or returns the reply to a bad one.
func (s *session) path(ctx context.Context, arg string) (string, reply) {
	name, err := s.resolve(ctx, arg)
	if err != nil {
		s.seeError(err)
		r, _ := errorReply(err)
		return "", r
	}
	return name, reply{}
}

// resolve returns the name of the FS for arg, and notes it for the Observer.
func (s *session) resolve(ctx context.Context, arg string) (string, error) {
	name, err := s.nameOf(ctx, arg)
	if err == nil {
		s.seePath(name)
	}
	return name, err
}

// nameOf returns the name of the FS for arg. A first element ~ is the home directory, and ~user
// that of another user, which does not exist; unless the current directory has an entry of that
// name.
func (s *session) nameOf(ctx context.Context, arg string) (string, error) {
	first, rest, _ := strings.Cut(arg, "/")
	login, isHome := strings.CutPrefix(first, "~")
	if !isHome || login != "" && !isLogin(login) {
		return resolve(s.cwd, arg)
	}
	here, err := resolve(s.cwd, first)
	if err != nil {
		return "", err
	}
	switch _, err := s.fs.Stat(ctx, here); {
	case !isAbsent(err):
		return resolve(s.cwd, arg)
	case login == "":
		return resolve(".", rest)
	}
	return "", &homeError{first}
}

// isAbsent reports whether err means that the name does not exist, or cannot exist.
func isAbsent(err error) bool {
	return errors.Is(err, fs.ErrNotExist) || errors.Is(err, ErrBadName) || errors.Is(err, ErrNotDir) ||
		errors.Is(err, ErrNameTooLong)
}

// isLogin reports whether shells take name for a login after ~: letters, digits, _ and -, a letter
// or _ first. Office programs make files like ~$letter.docx and ~WRL0001.tmp, which are not.
func isLogin(name string) bool {
	for i := range len(name) {
		switch c := name[i]; {
		case c == '_', 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z':
		case i > 0 && (c == '-' || '0' <= c && c <= '9'):
		default:
			return false
		}
	}
	return name != ""
}

// A homeError refuses the home directory of another user.
type homeError struct{ name string }

func (e *homeError) Error() string { return "nothing is called " + e.name }

// resolve turns arg, a path as the client typed it, into a name of the FS: relative to cwd unless
// it begins with a slash. ".." stops at the root, empty and "." elements are dropped, and an empty
// arg is cwd. Everything else is kept byte for byte: spaces at either end, backslashes, bytes that
// are not UTF-8.
//
// cwd has the shape that io/fs.ValidPath demands, and so has the result, but neither needs to be
// UTF-8.
func resolve(cwd, arg string) (string, error) {
	if !showable(arg) {
		return "", errBadPath
	}
	if arg == "" {
		return cwd, nil
	}
	if cwd == "." && isClean(arg) {
		return arg, nil
	}
	b := make([]byte, 0, len(cwd)+1+len(arg))
	if arg[0] != '/' && cwd != "." {
		b = append(b, cwd...)
	}
	for element := range strings.SplitSeq(arg, "/") {
		switch element {
		case "", ".":
		case "..":
			b = b[:max(0, strings.LastIndexByte(string(b), '/'))]
		default:
			if len(b) > 0 {
				b = append(b, '/')
			}
			b = append(b, element...)
		}
	}
	if len(b) == 0 {
		return ".", nil
	}
	return string(b), nil
}

// isClean reports whether arg is a name of the FS already: resolving it against the root would not
// change it.
func isClean(arg string) bool {
	for element := range strings.SplitSeq(arg, "/") {
		if element == "" || element == "." || element == ".." {
			return false
		}
	}
	return true
}

func (e *homeError) Hint() string {
	return "Nothing is called " + e.name + " here, and other logins have no directory; to make a name of it send ./" + e.name
}

func (e *homeError) Unwrap() error { return fs.ErrNotExist }
