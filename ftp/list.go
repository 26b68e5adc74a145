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

// A selection is what the argument of LIST, NLST or STAT selects: the entries of a directory, those
// that match a pattern, or one file.
type selection struct {
	entries iter.Seq2[fs.FileInfo, error]
	prefix  string // prefix of the names in NLST, so that they can be used as arguments
}

// choose resolves the argument of a listing. Leading options are ignored and a pattern in the last
// element is matched, unless a file with that literal name exists. What else the argument may be is
// found out by listing it.
func (s *session) choose(ctx context.Context, arg string) (*selection, error) {
	rest, had := stripOptions(arg)
	if had || isPattern(arg) {
		sel, err := s.chooseLiteral(ctx, arg)
		if err == nil || !isAbsent(err) {
			return sel, err
		}
	}
	if isPattern(rest) {
		return s.choosePattern(ctx, rest, had)
	}
	return s.chooseListed(ctx, rest)
}

// isPattern reports whether the last element of arg can be a pattern.
func isPattern(arg string) bool {
	_, pattern := splitGlob(arg)
	return hasGlob(pattern)
}

// choosePattern selects what matches the pattern arg. With options before it, a file may have its
// literal name.
func (s *session) choosePattern(ctx context.Context, arg string, hadOptions bool) (*selection, error) {
	if hadOptions {
		sel, err := s.chooseLiteral(ctx, arg)
		if err == nil || !isAbsent(err) {
			return sel, err
		}
	}
	dir, pattern := splitGlob(arg)
	return s.chooseMatching(ctx, dir, pattern)
}

// chooseLiteral takes the argument literally.
func (s *session) chooseLiteral(ctx context.Context, arg string) (*selection, error) {
	name, err := s.resolve(ctx, arg)
	if err != nil {
		return nil, err
	}
	fi, err := s.fs.Stat(ctx, name)
	if err != nil {
		return nil, err
	}
	if fi.IsDir() {
		return &selection{entries: s.entries(ctx, name), prefix: inDir(arg)}, nil
	}
	dir, _ := splitGlob(arg)
	return &selection{entries: func(yield func(fs.FileInfo, error) bool) { yield(fi, nil) }, prefix: dir}, nil
}

// chooseListed takes the argument literally, and for a directory until that turns out to be wrong.
func (s *session) chooseListed(ctx context.Context, arg string) (*selection, error) {
	name, err := s.resolve(ctx, arg)
	if err != nil {
		return nil, err
	}
	sel := &selection{prefix: inDir(arg)}
	sel.entries = s.entriesOr(ctx, name, func() error {
		sel.prefix, _ = splitGlob(arg)
		return nil
	})
	return sel, nil
}

// inDir returns the prefix of what is in the directory arg.
func inDir(arg string) string {
	if arg != "" && !strings.HasSuffix(arg, "/") {
		arg += "/"
	}
	return arg
}

// entriesOr yields the entries of name. A Stat before would take a storage that is far away as long
// as the first entries do; so there is one only if name cannot be listed. If it turns out to be a
// file, that is yielded, or the error of file.
func (s *session) entriesOr(ctx context.Context, name string, file func() error) iter.Seq2[fs.FileInfo, error] {
	return func(yield func(fs.FileInfo, error) bool) {
		began := false
		for fi, err := range s.entries(ctx, name) {
			if !began && err != nil && (isAbsent(err) || errors.Is(err, fs.ErrPermission)) {
				fi, err = s.fileOr(ctx, name, err, file)
			}
			began = true
			if !yield(fi, err) {
				return
			}
		}
	}
}

// fileOr describes name, which could not be listed because of err.
func (s *session) fileOr(ctx context.Context, name string, err error, file func() error) (fs.FileInfo, error) {
	fi, statErr := s.fs.Stat(ctx, name)
	switch {
	case statErr != nil:
		return nil, statErr
	case fi.IsDir():
		return nil, err
	}
	return fi, file()
}

// entries yields the entries of name. It ends with the cause of ctx, even if the tree ignores ctx.
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

// chooseMatching selects the entries of dir whose names match pattern; no match is an empty
// listing.
func (s *session) chooseMatching(ctx context.Context, dir, pattern string) (*selection, error) {
	name, err := s.resolve(ctx, dir)
	if err != nil {
		return nil, err
	}
	compiled, err := compile(pattern)
	if err != nil {
		return nil, err
	}
	all := s.entriesOr(ctx, name, func() error { return ErrNotDir })
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
	return &selection{entries: matching, prefix: dir}, nil
}

// list sends lines of ls -l (RFC 959, section 4.1.3).
func (s *session) list(ctx context.Context, arg string) reply {
	return s.sendListing(ctx, "LIST", arg, s.listLine())
}

// lineOf appends the line of one entry.
type lineOf func(b []byte, fi fs.FileInfo, sel *selection) []byte

func (s *session) listLine() lineOf {
	now, loc := time.Now(), s.srv.tuned().ListLocation
	if loc == nil {
		loc = time.UTC
	}
	return func(b []byte, fi fs.FileInfo, _ *selection) []byte { return appendList(b, fi, now, loc) }
}

// nlst sends names that can be used as arguments (RFC 1123, section 4.1.2.7): each name gets the
// part of the argument before its last element.
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

// sendListing answers LIST and NLST.
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
	return s.sendEntries(ctx, t, sel, line)
}

// sendEntries streams a listing. 150 is sent with the first entry, so that an unreadable directory
// is refused with its own code.
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
			defer out.abort()
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
		defer out.abort()
	}
	_, err := out.w.Write(b)
	return s.endSending(ctx, t, out, err)
}

const (
	listingText    = "Here comes the listing."
	listBufferSize = 64 << 10 // buffer of a listing
	firstListWrite = 4 << 10  // buffered before the first write, for a quick first byte
	maxListLine    = 4 << 10  // space for one more line; a longer one grows the buffer
)

var listBuffers = sync.Pool{New: func() any { return new([listBufferSize]byte) }}

// mlsd lists a directory in the machine-readable form (RFC 3659, section 7).
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
	set := s.facts
	sel := selection{entries: s.entriesOr(ctx, name, func() error { return errUseMLST })}
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

// mlst returns the facts of one entry over the control connection, in a line that begins with one
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

// permitted returns what this client may do with an entry.
func (s *session) permitted(name string, fi fs.FileInfo) Perm {
	if p, knows := s.fs.(Permitter); knows {
		return p.Permitted(name, fi)
	}
	return PermAll
}

// statPath lists over the control connection (RFC 959, section 4.1.3, STAT).
func (s *session) statPath(ctx context.Context, arg string) reply {
	ctx, t := s.begin(ctx, "STAT", s.cwd)
	defer s.finish(t)
	sel, err := s.choose(ctx, arg)
	if err != nil {
		return s.fail("STAT", arg, err)
	}
	line := s.listLine()
	b := []byte("213-Status follows:\r\n")
	began := false
	for fi, err := range sel.entries {
		if err != nil {
			r := s.fail("STAT", arg, err)
			if began {
				r.code = 213 // the reply began with 213 and must end with it
			}
			return r
		}
		b = line(b, fi, sel)
		if err := s.ctl.writeBytes(b); err != nil {
			return reply{}
		}
		b, began = b[:0], true
	}
	if err := s.ctl.writeBytes(b); err != nil {
		return reply{}
	}
	return reply{213, "End of status."}
}
