package call

import (
	"bufio"
	"context"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"os"
	"strings"
	"time"
)

// clamdScheme begins the address of a clamd: clamd:/run/clamav/clamd.ctl, the path of its socket,
// or clamd://HOST:PORT.
const clamdScheme = "clamd:"

// IsClamd reports whether s is the address of a clamd, which only checks contents.
func IsClamd(s string) bool { return strings.HasPrefix(s, clamdScheme) }

// parseClamd returns the network and the address of a clamd.
func parseClamd(s string) (network, address string, err error) {
	rest := strings.TrimPrefix(s, clamdScheme)
	address, remote := strings.CutPrefix(rest, "//")
	if remote {
		if host, port, err := net.SplitHostPort(address); err == nil && host != "" && port != "" {
			return "tcp", address, nil
		}
	} else if strings.HasPrefix(rest, "/") {
		return "unix", rest, nil
	}
	return "", "", errors.New("the address of a clamd is clamd:/PATH/OF/ITS/SOCKET or clamd://HOST:PORT")
}

// clamdChunk is how much clamd is sent at a time.
const clamdChunk = 256 << 10

// mostVerdict is how long an answer of clamd may be.
const mostVerdict = 4 << 10

// scan has a clamd look at the file of a message, by its command INSTREAM: chunks with their
// lengths in front, the last one empty.
func (c *Caller) scan(ctx context.Context, messages []Message) (Answer, error) {
	file := messages[0].File
	if file == nil {
		return Answer{}, failed("%s: it only checks contents", c)
	}
	conn, err := new(net.Dialer).DialContext(ctx, c.network, c.where)
	if err != nil {
		return Answer{}, failed("%s: %v", c, err)
	}
	defer conn.Close()
	stop := context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) })
	defer stop()
	sent := stream(conn, file)
	// It answers and closes when it has had enough, even if there is more to send.
	verdict, err := bufio.NewReader(io.LimitReader(conn, mostVerdict)).ReadString(0)
	verdict = strings.TrimRight(verdict, "\x00\n")
	if verdict == "" && sent != nil {
		err = sent
	}
	switch text, found := strings.CutSuffix(strings.TrimPrefix(verdict, "stream: "), " FOUND"); {
	case found:
		bad := failed("%s has found %s", c, text)
		bad.Refused, bad.Message = true, "The file is refused: it contains "+text+"."
		return Answer{}, bad
	case text == "OK":
		return Answer{}, nil
	case verdict == "":
		return Answer{}, failed("%s: %v", c, err)
	}
	return Answer{}, failed("%s answers %q", c, verdict)
}

// stream sends a file, from its beginning.
func stream(w io.Writer, file *os.File) error {
	if _, err := io.WriteString(w, "zINSTREAM\x00"); err != nil {
		return err
	}
	chunk := make([]byte, 4+clamdChunk)
	for off := int64(0); ; {
		n, err := file.ReadAt(chunk[4:], off)
		if err != nil && err != io.EOF {
			return err
		}
		off += int64(n)
		binary.BigEndian.PutUint32(chunk, uint32(n))
		if n > 0 {
			if _, err := w.Write(chunk[:4+n]); err != nil {
				return err
			}
		}
		if err == io.EOF {
			_, err = w.Write(make([]byte, 4))
			return err
		}
	}
}
