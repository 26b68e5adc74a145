package test

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"path/filepath"
	"testing"
)

// What a clamd finds is not published, and the client is told its name. This one is not real: it
// speaks the protocol, and finds one word.
func TestChecksByClamd(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("unix", filepath.Join(t.TempDir(), "clamd.ctl"))
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			text, _ := readStream(bufio.NewReader(conn))
			verdict := "stream: OK\x00"
			if bytes.Contains(text, []byte("EICAR")) {
				verdict = "stream: Eicar-Signature FOUND\x00"
			}
			_, _ = io.WriteString(conn, verdict)
			conn.Close()
		}
	}()
	for _, mode := range []string{"off", "full"} {
		c := newChecked(t, nil, mode, [2]string{"", fmt.Sprintf("events = ['check']\nurl = 'clamd:%s'", l.Addr())})
		ftp := c.login("ann")
		c.send(ftp, "STOR f", "good", 226, "")
		c.send(ftp, "STOR f", string(content(1<<20, "x"))+"EICAR", 550, "it contains Eicar-Signature.")
		c.has("f", "good")
		c.nowhere("EICAR")
	}
}

// readStream returns what an INSTREAM has in it.
func readStream(r *bufio.Reader) (text []byte, err error) {
	if command, err := r.ReadString(0); err != nil || command != "zINSTREAM\x00" {
		return nil, fmt.Errorf("the command is %q, %w", command, err)
	}
	for {
		var n uint32
		if err := binary.Read(r, binary.BigEndian, &n); err != nil || n == 0 {
			return text, err
		}
		chunk := make([]byte, n)
		if _, err := io.ReadFull(r, chunk); err != nil {
			return text, err
		}
		text = append(text, chunk...)
	}
}
