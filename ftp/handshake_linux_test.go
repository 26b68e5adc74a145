package ftp

import (
	"bytes"
	"crypto/tls"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"testing"
	"time"

	"ferry/ftp/internal/sock"
)

// witness notes what a data connection does with its socket, in order.
type witness struct {
	*sock.Conn
	deeds   []string
	flights [][]byte // what was written, one for each call
}

func (w *witness) Read(p []byte) (int, error) {
	w.deeds = append(w.deeds, "read")
	return w.Conn.Read(p)
}

func (w *witness) Write(p []byte) (int, error) {
	w.deeds = append(w.deeds, "write")
	w.flights = append(w.flights, bytes.Clone(p))
	return w.Conn.Write(p)
}

func (w *witness) QuickAck() {
	w.deeds = append(w.deeds, "acknowledge")
	w.Conn.QuickAck()
}

// witnessed is a data connection with a client that has made its handshake.
func witnessed(t *testing.T, c *tlsContext, client *tls.Config) (*dataConn, *witness, *tls.Conn) {
	t.Helper()
	d, there := channel{local: loopbacks(t)[0]}.connect(t, time.Minute)
	w := &witness{Conn: d.tap.conn.(*sock.Conn)}
	d.tap.conn = w
	conn := tls.Client(there, client)
	shaken := make(chan error, 1)
	go func() { shaken <- conn.Handshake() }()
	if err := errors.Join(d.secure(t.Context(), c.data(1, d.tap.hold)), <-shaken); err != nil {
		t.Fatal(err)
	}
	return d, w, conn
}

// The first half of the client's side of a handshake is acknowledged before the second is waited
// for, and so are the pieces of a small upload.
func TestHandshakesAreAcknowledgedAtOnce(t *testing.T) {
	versions(t, func(t *testing.T, version uint16) {
		c, roots := testTLS(t, ResumeOffer)
		_, w, conn := witnessed(t, c, &tls.Config{RootCAs: roots, ServerName: "localhost", MaxVersion: version})
		defer conn.Close()
		for i, deed := range w.deeds {
			if deed == "read" && (i == 0 || w.deeds[i-1] != "acknowledge") {
				t.Errorf("%d: nothing is acknowledged before it is read: %q", i, w.deeds)
			}
		}
		if w.deeds[len(w.deeds)-1] != "acknowledge" {
			t.Errorf("the end is not acknowledged: %q", w.deeds)
		}
	})
}

// piecemeal writes each TLS record by itself.
type piecemeal struct{ *net.TCPConn }

func (p piecemeal) Write(b []byte) (written int, err error) {
	for len(b) > 0 && err == nil {
		n := min(len(b), recordHeader+int(binary.BigEndian.Uint16(b[3:])))
		n, err = p.TCPConn.Write(b[:n])
		written, b = written+n, b[n:]
	}
	return written, err
}

// A client that writes its records one by one with Nagle's algorithm on does not wait for a delayed
// acknowledgement, which takes 40 ms and more each time. The best of many is taken, as the machine
// may be busy.
func TestClientsWithNagleDoNotWait(t *testing.T) {
	versions(t, func(t *testing.T, version uint16) {
		c, roots := testTLS(t, ResumeOffer)
		best := time.Hour
		for range 20 {
			d, there := channel{local: loopbacks(t)[0]}.connect(t, time.Minute)
			tcp := there.(*net.TCPConn)
			tcp.SetNoDelay(false)
			conn := tls.Client(piecemeal{tcp}, &tls.Config{RootCAs: roots, ServerName: "localhost", MaxVersion: version})
			begun := time.Now()
			go func() {
				io.WriteString(conn, "content")
				conn.CloseWrite()
			}()
			if err := d.secure(t.Context(), c.data(1, d.tap.hold)); err != nil {
				t.Fatal(err)
			}
			if n, err := d.copyTo(io.Discard); n != int64(len("content")) || err != nil {
				t.Fatalf("%d bytes, %v", n, err)
			}
			best = min(best, time.Since(begun))
			d.finish()
			conn.Close()
		}
		if best >= 40*time.Millisecond {
			t.Errorf("the quickest of 20 took %v", best)
		}
	})
}
