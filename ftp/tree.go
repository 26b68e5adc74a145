package ftp

import (
	"context"
	"io/fs"
	"strconv"
	"strings"
)

// path turns an argument into a name of the FS, or into the reply that says why not.
func (s *session) path(ctx context.Context, arg string) (string, reply) {
	name, err := s.resolve(ctx, arg)
	if err != nil {
		r, _ := errorReply(err)
		return "", r
	}
	return name, reply{}
}

// resolve is the name of the FS that arg stands for. A first element ~ is the directory of the
// login, and ~user that of another one, which nobody has, unless something is called so in the
// current directory.
func (s *session) resolve(ctx context.Context, arg string) (string, error) {
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

// isLogin reports whether name is one that shells take for a login behind ~: letters, digits, _ and
// -, a letter or _ first. Office programs make files like ~$letter.docx and ~WRL0001.tmp, which are
// not.
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

// A homeError refuses the directory of another login.
type homeError struct{ name string }

func (e *homeError) Error() string { return "nothing is called " + e.name }
func (e *homeError) Hint() string {
	return "Nothing is called " + e.name + " here, and other logins have no directory; to make a name of it send ./" + e.name
}
func (e *homeError) Unwrap() error { return fs.ErrNotExist }

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

// rnfr notes what RNTO will rename. The name waits for it, whatever comes in between.
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
	if err := s.fs.Rename(ctx, from, to); err != nil {
		return s.fail("RNTO", to, err)
	}
	return reply{250, "Renamed."}
}

// size is the number of bytes that RETR would send (RFC 3659, section 4). Where TYPE A converts
// line ends nobody knows it without reading the file.
func (s *session) size(ctx context.Context, arg string) reply {
	name, r := s.path(ctx, arg)
	if !r.isZero() {
		return r
	}
	if s.ascii && s.srv.ConvertASCII {
		return refused("SIZE needs TYPE I here: in TYPE A line ends are converted.")
	}
	stat := s.fs.Stat
	if sizer, ok := s.fs.(Sizer); ok {
		stat = sizer.StatSize
	}
	fi, err := stat(ctx, name)
	switch {
	case err != nil:
		return s.fail("SIZE", name, err)
	case fi.IsDir():
		return s.fail("SIZE", name, ErrIsDir)
	case fi.Size() < 0:
		return refused("The storage does not know the size.")
	}
	return reply{213, strconv.FormatInt(fi.Size(), 10)}
}

// mdtm tells the modification time, or sets it when one stands in front of the name and no file is
// called so (RFC 3659, section 3; the second form is a habit of clients older than MFMT).
func (s *session) mdtm(ctx context.Context, arg string) reply {
	name, r := s.path(ctx, arg)
	if !r.isZero() {
		return r
	}
	fi, err := s.fs.Stat(ctx, name)
	if err == nil {
		if !hasTimeval(fi.ModTime()) {
			return refused("The storage does not know the time.")
		}
		return reply{213, string(appendTime(nil, fi.ModTime()))}
	}
	t, path, isSet := splitMDTM(arg)
	if !isSet || !isAbsent(err) {
		return s.fail("MDTM", name, err)
	}
	if r := s.setModTime(ctx, path, t); !r.isZero() {
		return r
	}
	return reply{213, "Modify=" + string(appendTime(nil, t)) + "; " + path}
}

// permitted is what this client may do with an entry.
func (s *session) permitted(name string, fi fs.FileInfo) Perm {
	if p, knows := s.fs.(Permitter); knows {
		return p.Permitted(name, fi)
	}
	return PermAll
}
