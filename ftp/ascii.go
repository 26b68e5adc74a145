package ftp

import (
	"bufio"
	"bytes"
	"errors"
	"io"
)

// TYPE A sends lines that end in CRLF (RFC 959, section 3.1.1.1). Stored lines end in LF.

const asciiBufferSize = 32 << 10

// asciiWriter writes text to w with CRLF at the end of each line. An existing CRLF is not changed.
type asciiWriter struct {
	w   io.Writer
	cr  bool // the last byte was CR
	buf []byte
}

func newASCIIWriter(w io.Writer) *asciiWriter { return &asciiWriter{w: w} }

// Write converts and writes p. After an error it returns the number of bytes of p before the piece
// that failed.
func (a *asciiWriter) Write(p []byte) (int, error) {
	written := 0
	for written < len(p) {
		piece := p[written:min(len(p), written+asciiBufferSize)]
		if _, err := a.w.Write(a.convert(piece)); err != nil {
			return written, err
		}
		written += len(piece)
	}
	return written, nil
}

// convert returns piece, which is not empty, converted.
func (a *asciiWriter) convert(piece []byte) []byte {
	before := a.cr
	a.cr = piece[len(piece)-1] == '\r'
	if bytes.IndexByte(piece, '\n') < 0 {
		return piece
	}
	if a.buf == nil {
		a.buf = make([]byte, 0, 2*asciiBufferSize)
	}
	out := a.buf[:0]
	for len(piece) > 0 {
		line, rest, hasEnd := bytes.Cut(piece, []byte{'\n'})
		out = append(out, line...)
		if hasEnd {
			if len(line) > 0 {
				before = line[len(line)-1] == '\r'
			}
			if !before {
				out = append(out, '\r')
			}
			out = append(out, '\n')
		}
		piece, before = rest, false
	}
	return out
}

// asciiReader reads text from r with each CRLF replaced by LF. A lone CR is kept.
type asciiReader struct {
	br *bufio.Reader
}

func newASCIIReader(r io.Reader) *asciiReader {
	return &asciiReader{br: bufio.NewReaderSize(r, asciiBufferSize)}
}

func (a *asciiReader) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	if _, err := a.br.Peek(1); err != nil {
		return 0, err
	}
	waiting, _ := a.br.Peek(a.br.Buffered())
	w, r := 0, 0
	for w < len(p) && r < len(waiting) {
		run := bytes.IndexByte(waiting[r:], '\r')
		switch {
		case run > 0:
			run = copy(p[w:], waiting[r:r+run])
		case run < 0:
			run = copy(p[w:], waiting[r:])
		case r+1 == len(waiting):
			if w == 0 {
				return a.readLastCR(p)
			}
			a.br.Discard(r)
			return w, nil
		case waiting[r+1] == '\n':
			r++
			continue
		default:
			p[w], run = '\r', 1
		}
		w, r = w+run, r+run
	}
	a.br.Discard(r)
	return w, nil
}

// readLastCR reads one byte when only a CR is buffered: the next byte decides whether it is half of
// a CRLF. At io.EOF the CR is text; with any other error it is not returned, since the next
// byte is unknown.
func (a *asciiReader) readLastCR(p []byte) (int, error) {
	next, err := a.br.Peek(2)
	if len(next) < 2 && !errors.Is(err, io.EOF) {
		return 0, err
	}
	p[0] = '\r'
	if len(next) == 2 && next[1] == '\n' {
		p[0] = '\n'
		a.br.Discard(1)
	}
	a.br.Discard(1)
	return 1, nil
}
