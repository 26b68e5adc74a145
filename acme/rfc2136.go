package acme

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"net"
	"regexp"
	"strings"
	"time"

	"github.com/libdns/libdns"
	"github.com/miekg/dns"
)

// TSIG is a key that a server and its clients share (RFC 8945).
type TSIG struct {
	Algorithm string // as "hmac-sha256"
	Name      string
	secret    string // in base64
}

// ParseTSIG reads a key in the form of nsupdate -y (hmac-sha256:name:secret) or as tsig-keygen
// writes it (key "name" { algorithm hmac-sha256; secret "..."; };). No error shows the secret.
func ParseTSIG(s string) (TSIG, error) {
	s = strings.TrimSpace(s)
	var k TSIG
	if strings.Contains(s, "{") {
		k = TSIG{first(keyAlgorithm, s), first(keyName, s), first(keySecret, s)}
	} else if parts := strings.Split(s, ":"); len(parts) == 3 {
		k = TSIG{parts[0], parts[1], parts[2]}
	}
	k.Algorithm = strings.ToLower(strings.TrimSuffix(k.Algorithm, "."))
	switch {
	case k.Algorithm == "" || k.Name == "" || k.secret == "":
		return TSIG{}, errors.New("it is not a TSIG key: use algorithm:name:secret, or what tsig-keygen writes")
	case !hmacs[k.Algorithm]:
		return TSIG{}, fmt.Errorf("the algorithm %q is not known: use hmac-sha256, or hmac-sha224, hmac-sha384 or hmac-sha512", k.Algorithm)
	}
	if _, err := base64.StdEncoding.DecodeString(k.secret); err != nil {
		return TSIG{}, errors.New("the secret of the TSIG key is not base64")
	}
	return k, nil
}

var (
	keyName      = regexp.MustCompile(`\bkey\s+"?([^\s"{]+)"?\s*\{`)
	keyAlgorithm = regexp.MustCompile(`\balgorithm\s+"?([^\s";]+)"?\s*;`)
	keySecret    = regexp.MustCompile(`\bsecret\s+"([^"]+)"\s*;`)
	hmacs        = map[string]bool{"hmac-sha1": true, "hmac-sha224": true, "hmac-sha256": true, "hmac-sha384": true, "hmac-sha512": true}
)

func first(re *regexp.Regexp, s string) string {
	if m := re.FindStringSubmatch(s); m != nil {
		return m[1]
	}
	return ""
}

// String shows the name of the key, and no secret.
func (k TSIG) String() string { return k.Algorithm + ":" + k.Name + ":***" }

// GoString hides the secret from %#v.
func (k TSIG) GoString() string { return k.String() }

// NewUpdater returns a Provider that changes the records of a server by RFC 2136. The server is
// HOST or HOST:PORT.
func NewUpdater(server string, key TSIG) Provider {
	if _, _, err := net.SplitHostPort(server); err != nil {
		server = net.JoinHostPort(strings.Trim(server, "[]"), "53")
	}
	return &updater{server, key}
}

type updater struct {
	server string
	key    TSIG
}

const (
	updateTime = 10 * time.Second
	tsigFudge  = 300 // seconds that clocks may differ
)

// AppendRecords implements Provider.
func (u *updater) AppendRecords(ctx context.Context, zone string, records []libdns.Record) ([]libdns.Record, error) {
	return records, u.update(ctx, zone, func(m *dns.Msg) { m.Insert(updates(zone, records)) })
}

// DeleteRecords implements Provider.
func (u *updater) DeleteRecords(ctx context.Context, zone string, records []libdns.Record) ([]libdns.Record, error) {
	return records, u.update(ctx, zone, func(m *dns.Msg) { m.Remove(updates(zone, records)) })
}

func (u *updater) update(ctx context.Context, zone string, change func(*dns.Msg)) error {
	m := new(dns.Msg).SetUpdate(dns.Fqdn(zone))
	change(m)
	// By TCP: who answers is who was asked.
	client := &dns.Client{Net: "tcp", Timeout: updateTime}
	if u.key.Name != "" {
		name := dns.Fqdn(strings.ToLower(u.key.Name))
		client.TsigSecret = map[string]string{name: u.key.secret}
		m.SetTsig(name, dns.Fqdn(u.key.Algorithm), tsigFudge, time.Now().Unix())
	}
	answer, _, err := client.ExchangeContext(ctx, m, u.server)
	if answer != nil && answer.Rcode != dns.RcodeSuccess {
		return fmt.Errorf("the DNS server %s refuses a change of %s: %s%s", u.server, zone, dns.RcodeToString[answer.Rcode], updateRemedy(answer.Rcode))
	}
	if err != nil {
		return fmt.Errorf("the DNS server %s: %w", u.server, err)
	}
	return nil
}

func updateRemedy(code int) string {
	switch code {
	case dns.RcodeNotAuth, dns.RcodeBadKey, dns.RcodeBadTime:
		return ": see that name, algorithm and secret of the key are those of the server, and that both clocks are right"
	case dns.RcodeRefused:
		return ": allow the key to change TXT records there (BIND: update-policy)"
	case dns.RcodeNotZone:
		return ": it is not the primary server of that zone"
	}
	return ""
}

func updates(zone string, records []libdns.Record) (all []dns.RR) {
	for _, r := range textRecords(zone, records) {
		all = append(all, &dns.TXT{
			Hdr: dns.RR_Header{Name: dns.Fqdn(r.name), Rrtype: dns.TypeTXT, Class: dns.ClassINET, Ttl: uint32(challengeTTL / time.Second)},
			Txt: []string{r.value}, // 43 bytes; a string may have 255
		})
	}
	return all
}
