package ftp

import (
	"context"
	"encoding/hex"
	"errors"
	"io/fs"
	"strings"
)

func (s *session) featHash() string { return featHash(s.hashWith) }

// optsHash selects the algorithm of HASH.
func (s *session) optsHash(options string) reply {
	a, err := parseOptsHASH(options, s.hashWith)
	if err != nil {
		return badArgument("Unknown algorithm; FEAT lists them.")
	}
	s.hashWith = a
	return ok(a.name)
}

// rang stores the range of the next HASH (draft-bryan-ftp-range, section 3).
func (s *session) rang(_ context.Context, arg string) reply {
	start, n, err := parseRange(arg)
	s.rangeStart, s.rangeLen = start, n
	if err != nil {
		return badArgument("Usage: RANG <first byte> <last byte>")
	}
	if n < 0 {
		return reply{350, "The range is the whole file."}
	}
	return reply{350, "The next HASH or RETR takes that range."}
}

// takeRange returns and clears the range set by RANG: a lasting one would truncate the files of a
// client that has forgotten it.
func (s *session) takeRange() (start, n int64) {
	start, n = s.rangeStart, s.rangeLen
	s.rangeStart, s.rangeLen = 0, -1
	return start, n
}

// hash returns the digest of a file, or of the range set by RANG (draft-bryan-ftpext-hash, section
// 3).
func (s *session) hash(ctx context.Context, arg string) reply {
	start, n := s.takeRange()
	name, r := s.path(ctx, arg)
	if !r.isZero() {
		return r
	}
	sum, n, r := s.digest(ctx, "HASH", name, s.hashWith, start, n)
	if !r.isZero() {
		return r
	}
	return reply{213, formatHash(s.hashWith, start, n, sum, arg)}
}

// xhash returns the handler of XCRC, XMD5 and the like. Their reply is 250 and the digest in upper
// case, which all clients of these commands accept.
func xhash(key string) func(*session, context.Context, string) reply {
	return func(s *session, ctx context.Context, arg string) reply {
		path, start, end, err := parseXHash(arg)
		if err != nil {
			return badArgument(`Usage: "<file>" [[<start>] <end>]`)
		}
		name, r := s.path(ctx, path)
		if !r.isZero() {
			return r
		}
		n := int64(-1)
		if end >= 0 {
			n = end - start
		}
		sum, _, r := s.digest(ctx, verbDigest, name, findHash(key), start, n)
		if !r.isZero() {
			return r
		}
		return reply{250, strings.ToUpper(hex.EncodeToString(sum))}
	}
}

// digest returns the digest of n bytes of name from start on (n < 0: to the end), and their number.
// It queries the storage first, and reads the file if the storage does not know the digest.
func (s *session) digest(ctx context.Context, verb, name string, a *hashAlgorithm, start, n int64) ([]byte, int64, reply) {
	ctx, t := s.begin(ctx, verb, name)
	defer s.finish(t)
	if h, can := s.fs.(Hasher); can && start == 0 && n < 0 {
		sum, err := h.Hash(ctx, name, a.key)
		if err == nil {
			if fi, statErr := s.fs.Stat(ctx, name); statErr == nil && fi.Size() >= 0 {
				return sum, fi.Size(), reply{}
			}
		} else if !errors.Is(err, errors.ErrUnsupported) {
			return nil, 0, s.fail(verb, name, err)
		}
	}
	body, err := s.fs.Open(ctx, name, start)
	if err != nil {
		return nil, 0, s.fail(verb, name, err)
	}
	defer body.Close()
	h := a.new()
	got, err := digestReader(ctx, h, body, n)
	switch {
	case err != nil:
		return nil, 0, s.fail(verb, name, err)
	case n >= 0 && got < n:
		return nil, 0, s.fail(verb, name, &fs.PathError{Op: "hash", Path: name, Err: errRangeTooLong})
	}
	return h.Sum(nil), got, reply{}
}

// errRangeTooLong is a range that does not lie within the file.
var errRangeTooLong error = rangeError{}

type rangeError struct{}

func (rangeError) Error() string        { return "the range ends beyond the file" }
func (rangeError) Hint() string         { return "The range ends beyond the end of the file." }
func (rangeError) Is(target error) bool { return target == fs.ErrInvalid }
