package ftp

import (
	"context"
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/hex"
	"errors"
	"hash"
	"hash/crc32"
	"io"
	"math"
	"strconv"
	"strings"
	"sync"
)

// A hashAlgorithm is an algorithm of HASH, or of a command like XMD5.
type hashAlgorithm struct {
	name string // to clients: in FEAT, OPTS HASH and the reply to HASH
	key  string // to a Hasher
	new  func() hash.Hash
}

// hashAlgorithms are all algorithms. A session begins with the first.
var hashAlgorithms = [...]hashAlgorithm{
	{"SHA-256", "sha256", sha256.New},
	{"SHA-1", "sha1", sha1.New},
	{"SHA-512", "sha512", sha512.New},
	{"MD5", "md5", md5.New},
	{"CRC32", "crc32", func() hash.Hash { return crc32.NewIEEE() }},
}

// findHash returns the algorithm with that name or key, in any case, or nil.
func findHash(word string) *hashAlgorithm {
	for i := range hashAlgorithms {
		if a := &hashAlgorithms[i]; strings.EqualFold(word, a.name) || word == a.key {
			return a
		}
	}
	return nil
}

// featHash returns the line of FEAT, the selected algorithm starred (draft-bryan-ftpext-hash-02,
// section 3.1).
func featHash(selected *hashAlgorithm) string {
	var b strings.Builder
	b.WriteString("HASH ")
	for i := range hashAlgorithms {
		if i > 0 {
			b.WriteByte(';')
		}
		b.WriteString(hashAlgorithms[i].name)
		if &hashAlgorithms[i] == selected {
			b.WriteByte('*')
		}
	}
	return b.String()
}

// parseOptsHASH returns the algorithm that OPTS HASH selects: with an empty arg the current one.
// The reply is 200 and its name, or 501 (draft-bryan-ftpext-hash-02, section 3.2).
func parseOptsHASH(arg string, current *hashAlgorithm) (*hashAlgorithm, error) {
	if arg == "" {
		return current, nil
	}
	for i := range hashAlgorithms {
		if strings.EqualFold(arg, hashAlgorithms[i].name) {
			return &hashAlgorithms[i], nil
		}
	}
	return nil, errSyntax
}

// formatHash returns the text of the 213 reply to HASH for n bytes from start on
// (draft-bryan-ftpext-hash-02, section 3). The end point is the last byte; of no bytes it is the
// start.
func formatHash(a *hashAlgorithm, start, n int64, sum []byte, path string) string {
	b := make([]byte, 0, 64+2*len(sum)+len(path))
	b = append(b, a.name...)
	b = append(b, ' ')
	b = strconv.AppendInt(b, start, 10)
	b = append(b, '-')
	b = strconv.AppendInt(b, start+max(n-1, 0), 10)
	b = append(b, ' ')
	b = hex.AppendEncode(b, sum)
	b = append(b, ' ')
	return string(append(b, path...))
}

// parseRange reads the argument of RANG, the first and the last byte (draft-bryan-ftp-range-08,
// section 3), and returns where the range starts and how long it is. "1 0" resets it: n = -1, the
// whole file. After an error the session has no range either.
func parseRange(arg string) (start, n int64, err error) {
	first, last, _ := strings.Cut(arg, " ")
	start, okStart := parseDecimal(first, math.MaxInt64)
	end, okEnd := parseDecimal(last, math.MaxInt64)
	switch {
	case !okStart || !okEnd:
		return 0, -1, errSyntax
	case start == 1 && end == 0:
		return 0, -1, nil
	case start > end:
		return 0, -1, errSyntax
	case start == 0 && end == math.MaxInt64:
		return 0, end, nil // one byte short of a range that no file fills
	}
	return start, end - start + 1, nil
}

// parseXHash reads the argument of XCRC, XMD5 and their like. They were never specified; in use are
// a bare path and, as "path" start end, a path between double quotes, each quote inside it doubled,
// with the part of the file to read: from byte start up to but not including byte end. Without
// them, start is 0 and end -1, the end of the file; with one number, that is the end. Everything
// else is a path as a whole.
func parseXHash(arg string) (path string, start, end int64, err error) {
	path, rest, isQuoted := cutQuoted(arg)
	first, second, hasTwo := strings.Cut(strings.TrimPrefix(rest, " "), " ")
	switch {
	case arg == "" || isQuoted && path == "":
		return "", 0, -1, errSyntax
	case isQuoted && rest == "":
		return path, 0, -1, nil
	case !isQuoted || rest[0] != ' ' || !isNumber(first) || hasTwo && !isNumber(second):
		return arg, 0, -1, nil
	}
	numbers := [2]string{"0", first}
	if hasTwo {
		numbers = [2]string{first, second}
	}
	start, okStart := parseDecimal(numbers[0], math.MaxInt64)
	end, okEnd := parseDecimal(numbers[1], math.MaxInt64)
	if !okStart || !okEnd || start > end {
		return "", 0, -1, errSyntax
	}
	return path, start, end, nil
}

func isNumber(s string) bool { return s != "" && isDigits(s) }

// cutQuoted cuts the text between double quotes off the front of s and undoubles the quotes in it.
func cutQuoted(s string) (text, rest string, isQuoted bool) {
	if s == "" || s[0] != '"' {
		return "", s, false
	}
	for i := 1; i < len(s); i++ {
		switch {
		case s[i] != '"':
		case i+1 < len(s) && s[i+1] == '"':
			i++
		default:
			return strings.ReplaceAll(s[1:i], `""`, `"`), s[i+1:], true
		}
	}
	return "", s, false
}

const digestBufferSize = 256 << 10

var digestBuffers = sync.Pool{New: func() any { return new([digestBufferSize]byte) }}

// digestReader writes n bytes of r to h, all if n < 0, and returns how many there were: fewer if r
// ends before. It returns the cause of ctx when ctx ends.
func digestReader(ctx context.Context, h hash.Hash, r io.Reader, n int64) (read int64, err error) {
	buf := digestBuffers.Get().(*[digestBufferSize]byte)
	defer digestBuffers.Put(buf)
	for n < 0 || read < n {
		if ctx.Err() != nil {
			return read, context.Cause(ctx)
		}
		p := buf[:]
		if n >= 0 {
			p = p[:min(n-read, digestBufferSize)]
		}
		got, err := r.Read(p)
		h.Write(p[:got])
		read += int64(got)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return read, err
		}
	}
	return read, nil
}
