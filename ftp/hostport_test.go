package ftp

import (
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"testing"
)

func TestParsePORT(t *testing.T) {
	for _, tt := range []struct{ arg, want string }{
		{"127,0,0,1,4,210", "127.0.0.1:1234"},
		{"10,0,0,1,255,255", "10.0.0.1:65535"},
		{"010,000,000,001,004,001", "10.0.0.1:1025"},
		{"1,2,3,4,0,1", "1.2.3.4:1"},
		{"", ""},
		{"1,2", ""},
		{"1,2,3,4,5", ""},
		{"1,2,3,4,5,6,7", ""},
		{"1,2,3,4,5,6,", ""},
		{",1,2,3,4,5", ""},
		{"1,2,3,4,0,0", ""},
		{"256,2,3,4,5,6", ""},
		{"1,2,3,4,5,256", ""},
		{"1,2,3,4,5,-6", ""},
		{"1,2,3,4,5,+6", ""},
		{"1, 2,3,4,5,6", ""},
		{"0001,2,3,4,5,6", ""},
		{"1.2.3.4,5,6", ""},
		{"0x1,2,3,4,5,6", ""},
	} {
		got, err := parsePORT(tt.arg)
		checkAddrPort(t, "PORT "+tt.arg, got, err, tt.want, errSyntax)
	}
}

func TestParseEPRT(t *testing.T) {
	for _, tt := range []struct {
		arg, want string
		err       error
	}{
		{"|1|132.235.1.2|6275|", "132.235.1.2:6275", nil},
		{"|2|1080::8:800:200C:417A|5282|", "[1080::8:800:200c:417a]:5282", nil},
		{"!1!127.0.0.1!65535!", "127.0.0.1:65535", nil},
		{"~2~::1~21~", "[::1]:21", nil},
		{"|2|::ffff:127.0.0.1|2121|", "127.0.0.1:2121", nil},
		{"|3|x|1|", "", errNetworkProtocol},
		{"|0|127.0.0.1|6275|", "", errNetworkProtocol},
		{"|99999999999999999999|127.0.0.1|6275|", "", errNetworkProtocol},
		{"|1|::1|6275|", "", errSyntax},
		{"|2|127.0.0.1|6275|", "", errSyntax},
		{"|2|fe80::1%eth0|6275|", "", errSyntax},
		{"|1|127.0.0.1|0|", "", errSyntax},
		{"|1|127.0.0.1|65536|", "", errSyntax},
		{"|1|127.0.0.1|-1|", "", errSyntax},
		{"|1|127.0.0.1|6275", "", errSyntax},
		{"|1|127.0.0.1|6275|x|", "", errSyntax},
		{"|1|127.0.0.1|", "", errSyntax},
		{"||127.0.0.1|6275|", "", errSyntax},
		{"|IPv4|127.0.0.1|6275|", "", errSyntax},
		{"|1|localhost|6275|", "", errSyntax},
		{" 1 127.0.0.1 6275 ", "", errSyntax},
		{"|1|127.0.0.1!6275|", "", errSyntax},
		{"\x7f1\x7f127.0.0.1\x7f6275\x7f", "", errSyntax},
		{"1", "", errSyntax},
		{"||", "", errSyntax},
		{"", "", errSyntax},
	} {
		got, err := parseEPRT(tt.arg)
		checkAddrPort(t, "EPRT "+tt.arg, got, err, tt.want, tt.err)
	}
}

// checkAddrPort compares a parsed address; an empty want stands for the error.
func checkAddrPort(t *testing.T, what string, got netip.AddrPort, err error, want string, wantErr error) {
	t.Helper()
	if want == "" {
		if !errors.Is(err, wantErr) || got.IsValid() {
			t.Errorf("%s: %v, %v; want %v", what, got, err, wantErr)
		}
		return
	}
	if err != nil || got.String() != want {
		t.Errorf("%s: %v, %v; want %s", what, got, err, want)
	}
}

func TestParseEPSV(t *testing.T) {
	for _, tt := range []struct {
		arg    string
		family int
		all    bool
		err    error
	}{
		{"", familyAny, false, nil},
		{"1", familyIPv4, false, nil},
		{"2", familyIPv6, false, nil},
		{"ALL", familyAny, true, nil},
		{"all", familyAny, true, nil},
		{"3", familyAny, false, errNetworkProtocol},
		{"0", familyAny, false, errNetworkProtocol},
		{" 1", familyAny, false, errSyntax},
		{"one", familyAny, false, errSyntax},
	} {
		family, all, err := parseEPSV(tt.arg)
		if family != tt.family || all != tt.all || !errors.Is(err, tt.err) {
			t.Errorf("EPSV %s: %d, %t, %v; want %d, %t, %v", tt.arg, family, all, err, tt.family, tt.all, tt.err)
		}
	}
}

func TestPassiveReplies(t *testing.T) {
	for _, addr := range []string{"192.168.1.37:33151", "[::ffff:192.168.1.37]:33151"} {
		if got := format227(netip.MustParseAddrPort(addr)); got != "Entering Passive Mode (192,168,1,37,129,127)" {
			t.Errorf("format227(%s) = %q", addr, got)
		}
	}
	if got := format229(6446); got != "Entering Extended Passive Mode (|||6446|)" {
		t.Errorf("format229 = %q", got)
	}
}

func FuzzPORT(f *testing.F) {
	f.Add("127,0,0,1,4,210")
	f.Add("1,2,3,4,5,6,")
	f.Fuzz(func(t *testing.T, arg string) {
		ap, err := parsePORT(arg)
		if err != nil {
			return
		}
		if !ap.Addr().Is4() || ap.Port() == 0 {
			t.Fatalf("parsePORT(%q) = %v", arg, ap)
		}
		// What PASV would announce for it is the same address again.
		text := format227(ap)
		again, err := parsePORT(text[strings.IndexByte(text, '(')+1 : len(text)-1])
		if err != nil || again != ap {
			t.Fatalf("parsePORT(%q) = %v, but %q reads as %v, %v", arg, ap, text, again, err)
		}
	})
}

func FuzzEPRT(f *testing.F) {
	f.Add("|1|132.235.1.2|6275|")
	f.Add("|2|1080::8:800:200C:417A|5282|")
	f.Add("|2|::ffff:1.2.3.4|5282|")
	f.Fuzz(func(t *testing.T, arg string) {
		ap, err := parseEPRT(arg)
		if err != nil {
			return
		}
		if !ap.IsValid() || ap.Port() == 0 || ap.Addr().Is4In6() || ap.Addr().Zone() != "" {
			t.Fatalf("parseEPRT(%q) = %v", arg, ap)
		}
		family := familyIPv6
		if ap.Addr().Is4() {
			family = familyIPv4
		}
		canonical := fmt.Sprintf("|%d|%s|%d|", family, ap.Addr(), ap.Port())
		if again, err := parseEPRT(canonical); err != nil || again != ap {
			t.Fatalf("parseEPRT(%q) = %v, but %q reads as %v, %v", arg, ap, canonical, again, err)
		}
	})
}
