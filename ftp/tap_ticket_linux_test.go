package ftp

import (
	"crypto/tls"
	"encoding/binary"
	"io"
	"slices"
	"testing"
)

// records are the lengths of the TLS records in p.
func records(p []byte) (lengths []int) {
	for len(p) >= recordHeader {
		n := int(binary.BigEndian.Uint16(p[3:]))
		lengths = append(lengths, n)
		p = p[min(len(p), recordHeader+n):]
	}
	return lengths
}

// clientPair is a certificate for a client.
func clientPair(t *testing.T) tls.Certificate {
	t.Helper()
	certFile, keyFile, _, err := SelfSigned(t.TempDir(), []string{"client"})
	if err != nil {
		t.Fatal(err)
	}
	pair, err := tls.LoadX509KeyPair(certFile, keyFile)
	if err != nil {
		t.Fatal(err)
	}
	return pair
}

// A ticket of TLS 1.3 goes along with what is sent next, never before: with the close_notify of an
// upload, with the content of a download.
func TestTicketsGoAlongWithWhatComesNext(t *testing.T) {
	made, roots := testTLS(t, ResumeOffer)
	asking := &tls.Config{GetCertificate: made.base.GetCertificate, ClientAuth: tls.RequestClientCert}
	pair := clientPair(t)
	long := pair
	for range 80 {
		long.Certificate = append(slices.Clip(long.Certificate), pair.Certificate[0])
	}
	for _, c := range []struct {
		name      string
		base      *tls.Config
		pair      []tls.Certificate
		handshake int // records that the server's side of it has
		ticket    int // records that a ticket has
	}{
		{"plain", made.base, nil, 6, 1},
		{"asked for a certificate", asking, nil, 7, 1},
		{"with a certificate", asking, []tls.Certificate{pair}, 7, 1},
		{"with a long chain", asking, []tls.Certificate{long}, 7, 2},
	} {
		for _, upload := range []bool{true, false} {
			t.Run(c.name, func(t *testing.T) {
				wallet := &wallet{}
				client := &tls.Config{RootCAs: roots, ServerName: "localhost", Certificates: c.pair, ClientSessionCache: wallet}
				d, w, conn := witnessed(t, newTLSContext(c.base, ResumeOffer), client)
				var want []int
				if upload {
					io.WriteString(conn, "content")
					conn.CloseWrite()
					d.copyTo(io.Discard)
					want = []int{c.handshake, c.ticket + 1}
				} else {
					io.WriteString(d, "content")
					want = []int{c.handshake, c.ticket + 1, 1}
				}
				d.finish()
				if _, err := io.ReadAll(conn); err != nil {
					t.Error(err)
				}
				conn.Close()
				var got []int
				for _, f := range w.flights {
					if len(f) > 0 {
						got = append(got, len(records(f)))
					}
				}
				if !slices.Equal(got, want) || wallet.session == nil {
					t.Errorf("upload %v: flights of %v records, want %v; a ticket came: %v", upload, got, want, wallet.session != nil)
				}
			})
		}
	}
}
