package ftp

import (
	"errors"
	"net/netip"
	"strconv"
	"strings"
)

// errNetworkProtocol is returned for an address family that is neither IPv4 nor IPv6: 522 with the
// list "(1,2)" (RFC 2428, section 2).
var errNetworkProtocol = errors.New("network protocol not supported, use (1,2)")

// The address families of EPRT and EPSV (RFC 2428, section 2).
const (
	familyAny  = 0 // EPSV without an argument: that of the control connection
	familyIPv4 = 1
	familyIPv6 = 2
)

// parsePORT reads the h1,h2,h3,h4,p1,p2 of PORT (RFC 959, section 5.3.2). Port 0 is refused: it is
// not a valid port to listen on.
func parsePORT(arg string) (netip.AddrPort, error) {
	var field [6]byte
	for i := range field {
		s, rest, more := strings.Cut(arg, ",")
		n, ok := parseDecimal(s, 255)
		if !ok || len(s) > 3 || more != (i < len(field)-1) {
			return netip.AddrPort{}, errSyntax
		}
		field[i], arg = byte(n), rest
	}
	port := uint16(field[4])<<8 | uint16(field[5])
	if port == 0 {
		return netip.AddrPort{}, errSyntax
	}
	return netip.AddrPortFrom(netip.AddrFrom4([4]byte(field[:4])), port), nil
}

// parseEPRT reads the |family|address|port| of EPRT with any delimiter out of 33 to 126 (RFC 2428,
// section 2). An IPv4-mapped IPv6 address is returned as an IPv4 address, so that it compares equal
// to the address of a connection. Port 0 is refused.
func parseEPRT(arg string) (netip.AddrPort, error) {
	if len(arg) < 2 || arg[0] < 33 || arg[0] > 126 || arg[len(arg)-1] != arg[0] {
		return netip.AddrPort{}, errSyntax
	}
	field := strings.Split(arg[1:len(arg)-1], arg[:1])
	if len(field) != 3 {
		return netip.AddrPort{}, errSyntax
	}
	family, err := parseFamily(field[0])
	if err != nil {
		return netip.AddrPort{}, err
	}
	addr, err := netip.ParseAddr(field[1])
	if err != nil || addr.Zone() != "" || addr.Is4() != (family == familyIPv4) {
		return netip.AddrPort{}, errSyntax
	}
	port, ok := parseDecimal(field[2], 1<<16-1)
	if !ok || port == 0 {
		return netip.AddrPort{}, errSyntax
	}
	return netip.AddrPortFrom(addr.Unmap(), uint16(port)), nil
}

// parseEPSV reads the argument of EPSV: nothing, the requested family, or ALL (RFC 2428, sections 3
// and 4).
func parseEPSV(arg string) (family int, all bool, err error) {
	switch {
	case arg == "":
		return familyAny, false, nil
	case strings.EqualFold(arg, "ALL"):
		return familyAny, true, nil
	}
	family, err = parseFamily(arg)
	return family, false, err
}

// parseFamily distinguishes an unsupported address family from a syntax error.
func parseFamily(s string) (int, error) {
	switch {
	case s == "1":
		return familyIPv4, nil
	case s == "2":
		return familyIPv6, nil
	case s != "" && isDigits(s):
		return familyAny, errNetworkProtocol
	}
	return familyAny, errSyntax
}

// format227 returns the text of the reply to PASV. ap is IPv4, also in its mapped form.
func format227(ap netip.AddrPort) string {
	a := ap.Addr().As4()
	b := make([]byte, 0, 64)
	b = append(b, "Entering Passive Mode ("...)
	for _, v := range a {
		b = strconv.AppendUint(b, uint64(v), 10)
		b = append(b, ',')
	}
	b = strconv.AppendUint(b, uint64(ap.Port()>>8), 10)
	b = append(b, ',')
	b = strconv.AppendUint(b, uint64(ap.Port()&0xff), 10)
	return string(append(b, ')'))
}

// format229 returns the text of the reply to EPSV (RFC 2428, section 3).
func format229(port uint16) string {
	b := make([]byte, 0, 48)
	b = append(b, "Entering Extended Passive Mode (|||"...)
	b = strconv.AppendUint(b, uint64(port), 10)
	return string(append(b, "|)"...))
}
