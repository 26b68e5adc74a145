package ftp

import (
	"bufio"
	"bytes"
	"io"
	"net"
	"strings"
)

// maxLine is the length of a listing line; longer ones hold no name that a file can have, and only
// their beginning is given.
const maxLine = 8 << 10

// lines is the data connection of a listing. Package ftp would collect what it reads from there, so
// it gets nothing to read: its Read hands each line to use, and whether it is whole, until there
// are no more or use returns false.
type lines struct {
	net.Conn
	r   *bufio.Reader
	use func(line string, whole bool) bool
}

func newLines(c net.Conn, use func(line string, whole bool) bool) *lines {
	return &lines{c, bufio.NewReaderSize(c, maxLine), use}
}

// Read returns io.EOF at the end of the listing.
func (l *lines) Read([]byte) (int, error) {
	for {
		line, err := l.r.ReadSlice('\n')
		whole := err != bufio.ErrBufferFull
		if !whole {
			line = bytes.Clone(line)
			err = l.skip()
		}
		switch {
		case err == io.EOF && len(line) > 0:
			return 0, io.ErrUnexpectedEOF // cut in the middle of a name
		case err != nil:
			return 0, err
		}
		if s := strings.TrimRight(string(line), "\r\n"); s != "" && !l.use(s, whole) {
			return 0, io.EOF
		}
	}
}

// skip reads to the end of a line.
func (l *lines) skip() error {
	for {
		_, err := l.r.ReadSlice('\n')
		if err != bufio.ErrBufferFull {
			return err
		}
	}
}
