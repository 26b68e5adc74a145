package ftp

import (
	"bufio"
	"compress/zlib"
	"errors"
	"io"
	"strings"
	"sync"
)

// In MODE Z a data connection carries one zlib stream, and ends with it
// (draft-preston-ftpext-deflate-04, section 3).

// modeZLevel is the compression level of a session that has not sent OPTS MODE Z. Some clients turn
// on MODE Z whenever it is offered, even on networks that are faster than the compressor: so it is
// a fast one.
const modeZLevel = 1

// errAfterStream is returned when the client sends more than its zlib stream.
var errAfterStream = errors.New("data behind the end of the compressed stream")

// parseOptsModeZ reads the argument of OPTS MODE: Z, and LEVEL with a number from 0 to 9, or ENGINE
// ZLIB or METHOD 8, the only ones supported. It returns the level; the current one if the argument
// has none.
func parseOptsModeZ(arg string, current int) (level int, err error) {
	words := strings.Fields(arg)
	if len(words)%2 != 1 || !strings.EqualFold(words[0], "Z") {
		return current, errSyntax
	}
	level = current
	for i := 1; i < len(words); i += 2 {
		switch key, value := strings.ToUpper(words[i]), words[i+1]; {
		case key == "LEVEL":
			n, ok := parseDecimal(value, zlib.BestCompression)
			if !ok {
				return current, errSyntax
			}
			level = int(n)
		case key == "ENGINE" && strings.EqualFold(value, "ZLIB"), key == "METHOD" && value == "8":
		default:
			return current, errSyntax
		}
	}
	return level, nil
}

// modeZWriter compresses what is written to it. Close ends the stream. release returns the
// compressor to the pool, after Close or, if the transfer has failed, instead of it; the writer is
// not used again.
type modeZWriter struct {
	*zlib.Writer
	level int
}

// compressors pools idle compressors by level: a level cannot be changed, and each takes about 800
// KB.
var compressors = [zlib.BestCompression + 1]sync.Pool{}

// newModeZWriter returns a writer that compresses to w. level comes from parseOptsModeZ.
func newModeZWriter(w io.Writer, level int) *modeZWriter {
	if z, isIdle := compressors[level].Get().(*zlib.Writer); isIdle {
		z.Reset(w)
		return &modeZWriter{z, level}
	}
	z, err := zlib.NewWriterLevel(w, level)
	if err != nil {
		panic(err) // a level that does not exist
	}
	return &modeZWriter{z, level}
}

func (w *modeZWriter) release() {
	if w.Writer == nil {
		return
	}
	w.Reset(io.Discard)
	compressors[w.level].Put(w.Writer)
	w.Writer = nil
}

// modeZReader decompresses a data connection. It returns io.EOF only if the stream was complete,
// its checksum right and nothing followed it; a stream that ends early, or is empty, is
// io.ErrUnexpectedEOF. release returns the decompressor to the pool; the reader is not used again.
type modeZReader struct {
	d       *decompressor
	started bool  // the head of the stream has been read
	err     error // result of all further Reads
}

type decompressor struct {
	br *bufio.Reader
	z  io.ReadCloser // nil before the first stream
}

var decompressors = sync.Pool{New: func() any { return &decompressor{br: bufio.NewReaderSize(nil, 32<<10)} }}

func newModeZReader(r io.Reader) *modeZReader {
	d := decompressors.Get().(*decompressor)
	d.br.Reset(r)
	return &modeZReader{d: d}
}

func (r *modeZReader) Read(p []byte) (int, error) {
	if !r.started {
		r.started, r.err = true, r.d.start()
	}
	if r.err != nil {
		return 0, r.err
	}
	n, err := r.d.z.Read(p)
	if err == io.EOF {
		err = r.d.end()
	}
	r.err = err
	return n, err
}

// start reads the head of the stream.
func (d *decompressor) start() (err error) {
	if d.z == nil {
		d.z, err = zlib.NewReader(d.br)
	} else {
		err = d.z.(zlib.Resetter).Reset(d.br, nil)
	}
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}

// end waits for the end of the connection, which must follow the end of the stream. Only then is it
// certain that the connection was not cut.
func (d *decompressor) end() error {
	_, err := d.br.ReadByte()
	if err == nil {
		return errAfterStream
	}
	return err
}

func (r *modeZReader) release() {
	if r.d == nil {
		return
	}
	r.d.br.Reset(nil)
	decompressors.Put(r.d)
	r.d, r.started, r.err = nil, true, io.ErrClosedPipe
}
