package flags

import (
	"errors"
	"slices"
	"strings"

	"github.com/spf13/pflag"
)

// ACMEOptions are the values of the flags about certificates that an authority gives by itself.
type ACMEOptions struct {
	Names                 []string
	Email                 string
	CA                    string   // URL; "" = Let's Encrypt
	Roots                 []string // files
	EAB                   Secret   // number:key
	Profile               string
	KeyType               string
	HTTPAddr, TLSALPNAddr string // "" = off

	DNS        string   // off or persist
	Program    []string // with arguments
	RFC2136    string   // server
	TSIG       Secret
	TSIGFile   string
	API        string // URL of acme-dns
	APIAccount string // file
	Resolvers  []string
}

// Persist reports whether there is a record that stays.
func (a *ACMEOptions) Persist() bool { return a.DNS == dnsPersist }

const dnsPersist = "persist"

// Certificates returns the flags about certificates that an authority gives by itself.
func Certificates(o *Options) Group {
	a := &o.ACME
	return Group{"Certificates", []Flag{
		{"acme", "", hostNames(&a.Names), "Name of this server to get a certificate for from Let's Encrypt, and to renew it; whoever gives it agrees to the terms there. May be repeated; doc/certificates.md tells what it needs"},
		{"acme-email", "", text(&a.Email), "Address that the authority may write to"},
		{"acme-ca", "", text(&a.CA), "URL of the directory of another authority that speaks ACME"},
		{"acme-ca-root", "", paths(&a.Roots), "File of certificates (PEM) that the authority's own is checked with, instead of the system's. May be repeated"},
		{"acme-eab", "", secret(&a.EAB), "Number and key, with a colon between them, of an account that the authority has given out (external account binding); better set in the environment"},
		{"acme-profile", "", text(&a.Profile), "Kind of certificate, as the authority calls it, such as shortlived"},
		{"acme-key-type", "p256", choice(&a.KeyType, "p256", "rsa2048"), "Type of the keys; rsa2048 is for clients that are too old for others"},
		{"acme-http-addr", ":80", addrOrOff(&a.HTTPAddr), "Address to answer HTTP-01 at, while the authority asks; it comes to port 80 of the name. off is not at all"},
		{"acme-tls-alpn-addr", ":443", addrOrOff(&a.TLSALPNAddr), "Address to answer TLS-ALPN-01 at, while the authority asks; it comes to port 443 of the name. off is not at all"},
		{"acme-dns", "off", choice(&a.DNS, "off", dnsPersist), "Prove the names by one record in the DNS that stays (DNS-PERSIST-01, an experiment); ferry acme show prints it"},
		{"acme-dns-program", "", command(&a.Program), "Program, with arguments, that changes records for DNS-01; it is called with present or cleanup, the name and the value of a TXT record"},
		{"acme-dns-rfc2136", "", text(&a.RFC2136), "DNS server (HOST or HOST:PORT) to change records at for DNS-01 (RFC 2136)"},
		{"acme-dns-tsig", "", secret(&a.TSIG), "Key for --acme-dns-rfc2136, as hmac-sha256:name:secret; better set in the environment"},
		{"acme-dns-tsig-file", "", file(&a.TSIGFile), "File with that key, as tsig-keygen writes it"},
		{"acme-dns-api", "", text(&a.API), "URL of a server of acme-dns for DNS-01; _acme-challenge of each name is a CNAME to there"},
		{"acme-dns-account", "", file(&a.APIAccount), "File with the account there (what POST /register answers), or several by the names they are for"},
		{"acme-dns-resolver", "", addrs(&a.Resolvers), "DNS server (HOST:PORT) to look records up at, instead of those of the system. May be repeated"},
	}}
}

// hostNames is a list of names of this server, in lower case. An empty one adds none.
func hostNames(p *[]string) pflag.Value {
	parse := func(s string) ([]string, error) {
		list := slices.Clip(*p)
		for name := range strings.SplitSeq(s, ",") {
			if name = strings.TrimSuffix(strings.ToLower(strings.TrimSpace(name)), "."); name != "" {
				list = append(list, name)
			}
		}
		return list, nil
	}
	return &value[[]string]{p, "name", parse, func(l []string) string { return strings.Join(l, ",") }}
}

// addrOrOff is an address to listen on, or off, which is "".
func addrOrOff(p *string) pflag.Value {
	const off = "off"
	parse := func(s string) (string, error) {
		if strings.EqualFold(s, off) {
			return "", nil
		}
		return s, checkAddr(s)
	}
	return &value[string]{p, "host:port", parse, func(s string) string {
		if s == "" {
			return off
		}
		return s
	}}
}

var errNoACME = errors.New("needs --acme, the name of this server to get a certificate for")

// Check refuses what contradicts itself.
func (a *ACMEOptions) Check(given func(string) bool) error {
	ways := 0
	for _, is := range []bool{a.Persist(), len(a.Program) > 0, a.RFC2136 != "", a.API != ""} {
		if is {
			ways++
		}
	}
	switch {
	case len(a.Names) == 0:
		for _, row := range Certificates(&Options{}).Flags {
			if row.Name != "acme" && given(row.Name) {
				return Usagef("--%s %w", row.Name, errNoACME)
			}
		}
	case ways > 1:
		return Usagef("--acme-dns persist, --acme-dns-program, --acme-dns-rfc2136 and --acme-dns-api exclude each other: give one of them")
	case ways == 0 && a.HTTPAddr == "" && a.TLSALPNAddr == "":
		return Usagef("--acme-http-addr and --acme-tls-alpn-addr are off: give a way to prove the names, as --acme-dns-program")
	case a.CA != "" && !strings.HasPrefix(a.CA, "https://"):
		return Usagef("--acme-ca %q: use the URL of a directory, as https://ca.example.org/acme/acme/directory", a.CA)
	case a.EAB != "" && !strings.Contains(a.EAB.Reveal(), ":"):
		return Usagef("--acme-eab is to be number:key")
	case a.TSIG != "" && a.TSIGFile != "":
		return Usagef("--acme-dns-tsig and --acme-dns-tsig-file exclude each other: give one of them")
	case (a.TSIG != "" || a.TSIGFile != "") && a.RFC2136 == "":
		return Usagef("--acme-dns-tsig and --acme-dns-tsig-file need --acme-dns-rfc2136, the DNS server")
	case (a.API != "") != (a.APIAccount != ""):
		return Usagef("--acme-dns-api and --acme-dns-account belong together: give both")
	}
	return nil
}
