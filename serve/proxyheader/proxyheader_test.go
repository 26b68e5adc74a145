package proxyheader

import (
	"net"
	"net/netip"
	"strings"
	"testing"

	"github.com/pires/go-proxyproto"
)

func tcp(addr string) net.Addr { return net.TCPAddrFromAddrPort(netip.MustParseAddrPort(addr)) }

func TestHeaders(t *testing.T) {
	for _, tt := range [][2]string{
		{"192.0.2.7:1024", "198.51.100.1:21"},
		{"[2001:db8::7]:1024", "[2001:db8::1]:21"},
	} {
		for _, version := range []byte{1, 2} {
			text, err := proxyproto.HeaderProxyFromAddrs(version, tcp(tt[0]), tcp(tt[1])).Format()
			if err != nil {
				t.Fatal(err)
			}
			r := strings.NewReader(string(text) + "USER bob\r\n")
			client, server, err := Networks{}.ReadHeader(r)
			if err != nil || client.String() != tt[0] || server.String() != tt[1] {
				t.Errorf("version %d: %v %v %v", version, client, server, err)
			}
			if r.Len() != len("USER bob\r\n") {
				t.Errorf("version %d: %d bytes are left behind it", version, r.Len())
			}
		}
	}
	local := &proxyproto.Header{Version: 2, Command: proxyproto.LOCAL, TransportProtocol: proxyproto.UNSPEC}
	text, err := local.Format()
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{string(text), "PROXY UNKNOWN\r\n"} {
		if client, _, err := (Networks{}).ReadHeader(strings.NewReader(text)); err != nil || client.IsValid() {
			t.Errorf("%q: %v %v", text, client, err)
		}
	}
}

func TestWhatIsNoHeader(t *testing.T) {
	for _, text := range []string{
		"", "USER bob\r\n", "PASS x\r\n", "PROXX\r\n", "PROXY\r\n", "PROXY TCP4 192.0.2.7 198.51.100.1 1024\r\n", "PROXY TCP4 a b 1 2\r\n",
		"PROXY TCP4 " + strings.Repeat("1", 200) + "\r\n", "PROXY TCP4 192.0.2.7 198.51.100.1 1024 21", "\r\n\r\n\x00\r\nQUIT\n\x21\x11\xff\xff",
		"\r\n\r\n\x00\r\nQUIT\n\x21\x11\x00\x0c1234", "\r\n\r\nUSER bob\r\n  ", "\x16\x03\x01",
	} {
		if client, server, err := (Networks{}).ReadHeader(strings.NewReader(text)); err == nil {
			t.Errorf("%q: %v %v", text, client, server)
		}
	}
}

func TestInclude(t *testing.T) {
	n := Networks{netip.MustParsePrefix("10.0.0.0/8")}
	if !n.Include(netip.MustParseAddr("::ffff:10.1.1.1")) || n.Include(netip.MustParseAddr("192.0.2.1")) {
		t.Error("the networks are others")
	}
}

func FuzzHeader(f *testing.F) {
	f.Add([]byte("PROXY TCP4 192.0.2.7 198.51.100.1 1024 21\r\n"))
	f.Add([]byte("\r\n\r\n\x00\r\nQUIT\n\x21\x11\x00\x0c123456789012"))
	f.Fuzz(func(t *testing.T, text []byte) {
		client, _, err := Networks{}.ReadHeader(strings.NewReader(string(text)))
		if err != nil && client.IsValid() {
			t.Error("an address of a wrong header")
		}
	})
}
