package acme

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
)

// CheckName refuses what no authority has a certificate for.
func CheckName(name string) error {
	host := strings.TrimPrefix(name, "*.")
	_, notAddress := netip.ParseAddr(strings.Trim(name, "[]"))
	switch {
	case name == "":
		return errors.New("there is no name: use that by which clients reach this server, as ftp.example.org")
	case notAddress == nil:
		return fmt.Errorf("%s is an address: certificates are for names: give the server one in the DNS, as ftp.example.org, "+
			"or use --tls self-signed", name)
	case local(host):
		return fmt.Errorf("%s means something else on each machine, so no authority vouches for it: use the name of this server "+
			"in the DNS, as ftp.example.org, or --tls self-signed", name)
	case strings.ContainsAny(name, ":/@"):
		return fmt.Errorf("%s is not a name: leave out scheme, port and path, as in ftp.example.org", name)
	case strings.ContainsFunc(host, func(r rune) bool { return r > 0x7f }):
		return fmt.Errorf("%s is not written in ASCII: use its form that begins with xn--", name)
	case len(name) > 253 || !slices.ContainsFunc(strings.Split(host, ""), letter) || slices.ContainsFunc(strings.Split(host, "."), badLabel):
		return fmt.Errorf("%s is not a name of the DNS: use one as ftp.example.org", name)
	}
	return nil
}

// local reports whether a name is not one of the public DNS.
func local(host string) bool {
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	last := host[strings.LastIndexByte(host, '.')+1:]
	return host == last || last == "localhost" || last == "local" || last == "localdomain" || last == "arpa"
}

func letter(s string) bool { return s[0]|0x20 >= 'a' && s[0]|0x20 <= 'z' }

// badLabel reports whether s cannot stand between two dots of the name of a host.
func badLabel(s string) bool {
	return s == "" || len(s) > 63 || s[0] == '-' || s[len(s)-1] == '-' ||
		strings.Trim(strings.ToLower(s), "abcdefghijklmnopqrstuvwxyz0123456789-") != ""
}

// checkNames checks all of them; byDNS says that their proof is a record.
func checkNames(names []string, byDNS bool) error {
	for i, name := range names {
		if err := CheckName(name); err != nil {
			return err
		}
		if slices.Contains(names[:i], name) {
			return fmt.Errorf("%s is named twice", name)
		}
		if strings.HasPrefix(name, "*.") && !byDNS {
			return fmt.Errorf("%s: a certificate for all names of a domain needs a proof in the DNS: see --acme-dns-program, "+
				"--acme-dns-rfc2136, --acme-dns-api and --acme-dns", name)
		}
	}
	return nil
}
