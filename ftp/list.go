package ftp

import (
	"context"
	"errors"
	"io/fs"
	"iter"
	"path"
	"strings"
	"sync"
	"time"
)

// A selection is what the argument of LIST, NLST or STAT stands for: the entries of a directory,
// those that match a pattern, or one file.
type selection struct {
	entries iter.Seq2[fs.FileInfo, error]
	prefix  string // what NLST puts in front of a name so that it can be used as an argument
}

// choose resolves the argument of a listing. Option words in front are passed over and a pattern in
// the last element is matched, unless something is really called like that.
func (s *session) choose(ctx context.Context, arg string) (selection, error) {
	sel, err := s.chooseLiteral(ctx, arg)
	if err == nil || !isAbsent(err) {
		return sel, err
	}
	if rest, had := stripOptions(arg); had {
		if rest == "" {
			return s.chooseLiteral(ctx, "")
		}
		arg = rest
		if sel, err = s.chooseLiteral(ctx, arg); err == nil || !isAbsent(err) {
			return sel, err
		}
	}
	if dir, pattern := splitGlob(arg); hasGlob(pattern) {
		return s.chooseMatching(ctx, dir, pattern)
	}
	return selection{}, err
}

// isAbsent reports whether err means that nothing has that name, be it that nothing can have it.
func isAbsent(err error) bool {
	return errors.Is(err, fs.ErrNotExist) || errors.Is(err, ErrBadName) || errors.Is(err, ErrNotDir) ||
		errors.Is(err, ErrNameTooLong)
}

// chooseLiteral takes the argument by its word.
func (s *session) chooseLiteral(ctx context.Context, arg string) (selection, error) {
	name, err := s.resolve(ctx, arg)
	if err != nil {
		return selection{}, err
	}
	fi, err := s.fs.Stat(ctx, name)
	if err != nil {
		return selection{}, err
	}
	if fi.IsDir() {
		if arg != "" && !strings.HasSuffix(arg, "/") {
			arg += "/"
		}
		return selection{entries: s.entries(ctx, name), prefix: arg}, nil
	}
	dir, _ := splitGlob(arg)
	return selection{entries: func(yield func(fs.FileInfo, error) bool) { yield(fi, nil) }, prefix: dir}, nil
}

// entries is what name holds. It ends with the cause of ctx, however long a tree goes on that does
// not look at that.
func (s *session) entries(ctx context.Context, name string) iter.Seq2[fs.FileInfo, error] {
	return func(yield func(fs.FileInfo, error) bool) {
		for fi, err := range s.fs.List(ctx, name) {
			if err == nil && ctx.Err() != nil {
				fi, err = nil, context.Cause(ctx)
			}
			if !yield(fi, err) || err != nil {
				return
			}
		}
	}
}

// chooseMatching takes the entries of dir whose names match pattern; none is an empty listing.
func (s *session) chooseMatching(ctx context.Context, dir, pattern string) (selection, error) {
	name, err := s.resolve(ctx, dir)
	if err != nil {
		return selection{}, err
	}
	fi, err := s.fs.Stat(ctx, name)
	if err != nil {
		return selection{}, err
	}
	if !fi.IsDir() {
		return selection{}, ErrNotDir
	}
	compiled, err := compile(pattern)
	if err != nil {
		return selection{}, err
	}
	all := s.entries(ctx, name)
	matching := func(yield func(fs.FileInfo, error) bool) {
		for fi, err := range all {
			if err == nil && !compiled.match(fi.Name()) {
				continue
			}
			if !yield(fi, err) {
				return
			}
		}
	}
	return selection{entries: matching, prefix: dir}, nil
}

// list sends lines of ls -l (RFC 959, section 4.1.3).
func (s *session) list(ctx context.Context, arg string) reply {
	return s.sendListing(ctx, "LIST", arg, s.listLine())
}

// lineOf appends the line of one entry.
type lineOf func(b []byte, fi fs.FileInfo, sel *selection) []byte

func (s *session) listLine() lineOf {
	now, loc := time.Now(), s.srv.ListLocation
	if loc == nil {
		loc = time.UTC
	}
	return func(b []byte, fi fs.FileInfo, _ *selection) []byte { return appendList(b, fi, now, loc) }
}

// nlst sends names that can be used as arguments (RFC 1123, section 4.1.2.7): what stood in front
// of the last element of the argument stands in front of each of them.
func (s *session) nlst(ctx context.Context, arg string) reply {
	return s.sendListing(ctx, "NLST", arg, func(b []byte, fi fs.FileInfo, sel *selection) []byte {
		if !showable(fi.Name()) {
			return b
		}
		b = append(b, sel.prefix...)
		b = append(b, fi.Name()...)
		return append(b, '\r', '\n')
	})
}

// sendListing answers LIST and NLST. Whether there is something to list is known before 150.
func (s *session) sendListing(ctx context.Context, verb, arg string, line lineOf) reply {
	if r := s.dataRefusal(); !r.isZero() {
		return r
	}
	s.takeRestart()
	ctx, t := s.begin(ctx, verb, s.cwd)
	defer s.finish(t)
	sel, err := s.choose(ctx, arg)
	if err != nil {
		return s.fail(verb, arg, err)
	}
	return s.sendEntries(ctx, t, &sel, line)
}

// sendEntries streams a listing. 150 comes with its first entry, so that a directory that cannot be
// read is refused with a code of its own.
func (s *session) sendEntries(ctx context.Context, t *transfer, sel *selection, line lineOf) reply {
	var (
		out   *outgoing
		r     reply
		array = listBuffers.Get().(*[listBufferSize]byte)
		b     = array[:0]
		limit = firstListWrite
	)
	defer listBuffers.Put(array)
	for fi, err := range sel.entries {
		if out == nil {
			if err != nil {
				return s.fail(t.verb, t.name, err)
			}
			if out, r = s.startSending(ctx, t, listingText); !r.isZero() {
				return r
			}
			defer out.abandon()
		}
		if err != nil {
			return s.endSending(ctx, t, out, &fileError{err})
		}
		if b = line(b, fi, sel); len(b) < limit {
			continue
		}
		if _, err := out.w.Write(b); err != nil {
			return s.endSending(ctx, t, out, err)
		}
		b, limit = b[:0], listBufferSize-maxListLine
	}
	if out == nil {
		if out, r = s.startSending(ctx, t, listingText); !r.isZero() {
			return r
		}
		defer out.abandon()
	}
	_, err := out.w.Write(b)
	return s.endSending(ctx, t, out, err)
}

const (
	listingText    = "Here comes the listing."
	listBufferSize = 64 << 10 // what a listing gathers before it writes
	firstListWrite = 4 << 10  // what it gathers the first time, for a quick first byte
	maxListLine    = 4 << 10  // room for one more line; a longer one makes the buffer grow
)

var listBuffers = sync.Pool{New: func() any { return new([listBufferSize]byte) }}

// mlsd lists a directory in the form made for programs (RFC 3659, section 7).
func (s *session) mlsd(ctx context.Context, arg string) reply {
	if r := s.dataRefusal(); !r.isZero() {
		return r
	}
	s.takeRestart()
	name, r := s.path(ctx, arg)
	if !r.isZero() {
		return r
	}
	ctx, t := s.begin(ctx, "MLSD", name)
	defer s.finish(t)
	fi, err := s.fs.Stat(ctx, name)
	if err != nil || !fi.IsDir() {
		if err == nil {
			return badArgument("Not a directory; use MLST.")
		}
		return s.fail("MLSD", name, err)
	}
	set := s.facts
	sel := selection{entries: s.entries(ctx, name)}
	return s.sendEntries(ctx, t, &sel, func(b []byte, fi fs.FileInfo, _ *selection) []byte {
		start := len(b)
		var perm Perm
		if set&factPerm != 0 {
			perm = s.permitted(path.Join(name, fi.Name()), fi)
		}
		b = appendFacts(b, set, fi, entryPath{name, fi.Name()}, fi.Name(), perm, kindEntry)
		if len(b) == start {
			return b
		}
		return append(b, '\r', '\n')
	})
}

// mlst gives the facts of one entry over the control connection, in a line that begins with one
// space.
func (s *session) mlst(ctx context.Context, arg string) reply {
	name, r := s.path(ctx, arg)
	if !r.isZero() {
		return r
	}
	fi, err := s.fs.Stat(ctx, name)
	if err != nil {
		return s.fail("MLST", name, err)
	}
	b := append([]byte(nil), "250-Facts:\r\n "...)
	b = appendFacts(b, s.facts, fi, entryPath{".", name}, absolute(name), s.permitted(name, fi), kindEntry)
	s.ctl.writeBytes(append(b, "\r\n"...))
	return reply{250, "End"}
}

// statPath lists over the control connection (RFC 959, section 4.1.3, STAT).
func (s *session) statPath(ctx context.Context, arg string) reply {
	ctx, t := s.begin(ctx, "STAT", s.cwd)
	defer s.finish(t)
	sel, err := s.choose(ctx, arg)
	if err != nil {
		return s.fail("STAT", arg, err)
	}
	if err := s.ctl.writeBytes([]byte("213-Status follows:\r\n")); err != nil {
		return reply{}
	}
	line := s.listLine()
	var b []byte
	for fi, err := range sel.entries {
		if err != nil {
			r := s.fail("STAT", arg, err)
			r.code = 213 // the reply has begun as 213 and can only end so
			return r
		}
		b = line(b[:0], fi, &sel)
		if err := s.ctl.writeBytes(b); err != nil {
			return reply{}
		}
	}
	return reply{213, "End of status."}
}
