package ftp_test

import (
	"crypto/tls"
	"strings"
	"testing"

	"ferry/remote/driver/memory"
)

// Another protocol's client that was led here is sent away by the handshake (ALPACA), on both kinds
// of connection.
func TestOtherProtocolsAreRefusedByALPN(t *testing.T) {
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		for _, c := range []struct {
			offer         string
			control, data string // what is agreed on; "refused" where the handshake fails
		}{
			{"", "", ""},
			{"ftp", "ftp", "ftp"},
			{"x-filezilla-ftp,ftp", "ftp", "ftp"},
			{"ftp-data", "refused", "ftp-data"},
			{"http/1.1", "refused", "refused"},
			{"h2,http/1.1", "refused", "refused"},
			{"smtp", "refused", "refused"},
		} {
			t.Run(tls.VersionName(version)+" "+strings.ReplaceAll(c.offer, "/", ""), func(t *testing.T) {
				srv := newServer(t, memory.New(), nil)
				srv.TLS = &tls.Config{Certificates: []tls.Certificate{testCertificate(t)}}
				d := &dialogue{t: t, where: t.Name(), addr: serveOn(t, srv, "127.0.0.1:0")}
				d.connect()
				t.Cleanup(func() { d.hangUp() })
				cfg := &tls.Config{InsecureSkipVerify: true, MaxVersion: version}
				offering := cfg.Clone()
				if c.offer != "" {
					offering.NextProtos = strings.Split(c.offer, ",")
				}
				d.steps("> AUTH TLS", "<< 234")
				if got := agreed(tls.Client(d.raw, offering)); got != c.control {
					t.Errorf("control connection: %q, want %q", got, c.control)
				}
				d.steps("reconnect", "> AUTH TLS", "<< 234", "secure", "login", "> PBSZ 0", "<< 200", "> PROT P", "<< 200",
					"passive", "> LIST", "<< 150")
				data := tls.Client(d.dataConn(), offering)
				if got := agreed(data); got != c.data {
					t.Errorf("data connection: %q, want %q", got, c.data)
				}
				if c.data == "refused" {
					d.steps("<< 425")
				}
			})
		}
	}
}

// agreed is the protocol that a handshake has found.
func agreed(c *tls.Conn) string {
	err := c.Handshake()
	if err != nil {
		return "refused"
	}
	return c.ConnectionState().NegotiatedProtocol
}
