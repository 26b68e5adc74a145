package ftp

import (
	"bytes"
	"crypto/tls"
	"errors"
	"io"
	"testing"
	"time"

	"ferry/ftp/internal/sock"
)

// The records of a large block leave in one call, whatever they are read from, and arrive as they
// were; the ticket that was held back goes with the first.
func TestRecordsLeaveTogether(t *testing.T) {
	content := randomBytes(2*blockSize + 2*maxRecord + 5)
	sources := map[string]io.Reader{
		"file":      tempFile(t, content),
		"reader":    struct{ io.Reader }{bytes.NewReader(content)},
		"writer to": bytes.NewReader(content),
	}
	for name, source := range sources {
		t.Run(name, func(t *testing.T) {
			c, roots := testTLS(t, ResumeOffer)
			wallet := &wallet{}
			d, w, conn := witnessed(t, c, &tls.Config{RootCAs: roots, ServerName: "localhost", ClientSessionCache: wallet})
			shaken := len(w.flights)
			got := make(chan []byte)
			go func() {
				b, err := io.ReadAll(conn)
				if err != nil {
					t.Error(err)
				}
				conn.Close()
				got <- b
			}()
			n, err := d.ReadFrom(source)
			if err != nil || n != int64(len(content)) || d.count() != n {
				t.Errorf("%d bytes of %d sent, %d counted: %v", n, len(content), d.count(), err)
			}
			if err := d.finish(); err != nil {
				t.Error(err)
			}
			if !bytes.Equal(<-got, content) || wallet.session == nil {
				t.Errorf("other bytes arrived, or no ticket: %v", wallet.session)
			}
			var counts []int
			for _, f := range w.flights[shaken:] {
				counts = append(counts, len(records(f)))
			}
			if most := 4; len(counts) > most {
				t.Errorf("written in %d calls of %v records, want at most %d", len(counts), counts, most)
			}
		})
	}
}

// narrow is a connection that fails once, after some bytes.
type narrow struct {
	*sock.Conn
	left int
}

var errBroken = errors.New("broken")

func (n *narrow) Write(p []byte) (int, error) {
	m := min(len(p), n.left)
	n.left -= m
	if m < len(p) {
		n.left = 1 << 20
		return m, errBroken
	}
	return n.Conn.Write(p)
}

// What a broken connection did not take is not counted, and the end is not a proper one.
func TestRecordsOfABrokenConnection(t *testing.T) {
	eachTLS(t, func(t *testing.T, c channel) {
		for _, left := range []int{0, 1, maxRecord, blockSize / 2, blockSize + maxRecord} {
			d, client := c.connect(t, time.Minute)
			go drain(client)
			d.tap.conn = &narrow{d.tap.conn.(*sock.Conn), left}
			n, err := d.Write(make([]byte, 3*blockSize))
			if !errors.Is(err, errBroken) || d.count() != int64(n) {
				t.Errorf("%d bytes taken: %d written, %d counted: %v", left, n, d.count(), err)
			}
			if n > left || n < left-2*maxRecord {
				t.Errorf("%d bytes of records taken: %d written", left, n)
			}
			if err := d.finish(); err == nil {
				t.Errorf("%d bytes taken: a proper end", left)
			}
		}
	})
}
