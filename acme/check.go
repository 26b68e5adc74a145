package acme

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"time"

	"github.com/caddyserver/certmagic"
	"github.com/libdns/libdns"
	"github.com/mholt/acmez/v3/acme"
	"go.uber.org/zap"
)

// A Finding is what Check has found out about one thing.
type Finding struct {
	Name string `json:"name,omitempty"` // of a certificate; "" = it is about all
	What string `json:"what"`           // what was tried
	Note string `json:"note,omitempty"` // what was seen
	Err  error  `json:"-"`              // with what to do; nil = it is fine
}

// Check tries what a certificate needs and asks for none: the authority, the ports, the names, and
// the records. It changes records only to see that it may, and takes the change back.
func (m *Manager) Check(ctx context.Context) []Finding {
	all := []Finding{m.checkAuthority(ctx)}
	if m.o.DNS == nil && !m.o.Persist {
		all = append(all, m.checkPorts(ctx)...)
	}
	for _, name := range m.o.Names {
		switch {
		case m.o.Persist:
			all = append(all, m.checkRecord(ctx, name))
		case m.o.DNS != nil:
			all = append(all, m.checkChange(ctx, name))
		default:
			all = append(all, m.checkAddress(ctx, name))
		}
	}
	return all
}

// checkAuthority looks whether it answers, and knows the challenges by what it says of itself.
func (m *Manager) checkAuthority(ctx context.Context) Finding {
	i := m.newIssuer("", nil)
	defer i.http.CloseIdleConnections()
	f := Finding{What: "authority " + m.o.CA}
	dir, err := i.client.GetDirectory(ctx)
	switch {
	case err != nil:
		f.Err = explain(err)
	case dir.Meta == nil:
	case dir.Meta.ExternalAccountRequired && m.o.External.ID == "":
		f.Err = errors.New("it wants an account that it has given out: get one there and give its number and key with --acme-eab")
	case dir.Meta.TermsOfService != "":
		f.Note = "its terms: " + dir.Meta.TermsOfService
	}
	return f
}

// checkPorts opens those of the challenges. It is fine if one of two can be had.
func (m *Manager) checkPorts(ctx context.Context) (all []Finding) {
	select {
	case m.turn <- struct{}{}: // else an attempt has them
		defer func() { <-m.turn }()
	case <-ctx.Done():
		return nil
	}
	for _, way := range [...]struct{ challenge, addr string }{
		{acme.ChallengeTypeHTTP01, m.o.HTTPAddr}, {acme.ChallengeTypeTLSALPN01, m.o.TLSALPNAddr},
	} {
		if way.addr == "" {
			continue
		}
		f := Finding{What: fmt.Sprintf("%s on %s", way.challenge, way.addr)}
		listeners, err := m.o.Listen(ctx, way.addr)
		for _, l := range listeners {
			l.Close()
		}
		if err != nil {
			f.Err = explain(&wayError{way.challenge, &listenError{way.addr, err}})
		}
		all = append(all, f)
	}
	return all
}

// checkAddress looks where a name leads.
func (m *Manager) checkAddress(ctx context.Context, name string) Finding {
	f := Finding{Name: name, What: "address"}
	resolver := net.DefaultResolver
	if len(m.o.Resolvers) > 0 {
		resolver = &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, network, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, network, m.o.Resolvers[0])
		}}
	}
	addrs, err := resolver.LookupNetIP(ctx, "ip", name)
	if err != nil {
		f.Err = fmt.Errorf("%w: create an A or AAAA record of the name", err)
		return f
	}
	var texts []string
	for _, a := range addrs {
		texts = append(texts, a.Unmap().String())
		if m.o.CA == LetsEncrypt && (a.IsPrivate() || a.IsLoopback() || a.IsLinkLocalUnicast()) {
			f.Err = fmt.Errorf("%s is an address that no authority of the Internet reaches: have the name lead to the public address, "+
				"or use a DNS challenge", a.Unmap())
		}
	}
	f.Note = strings.Join(texts, ", ")
	return f
}

// checkRecord looks for the record that stays.
func (m *Manager) checkRecord(ctx context.Context, name string) Finding {
	f := Finding{Name: name, What: "record that stays"}
	records, err := m.Records(ctx)
	if err != nil {
		f.Err = err
		return f
	}
	for i, r := range records {
		if m.o.Names[i] != name {
			continue
		}
		f.Note = r.String()
		if !r.Found {
			f.Err = &missingError{r}
		}
	}
	return f
}

// checkChange makes a record, and removes it.
func (m *Manager) checkChange(ctx context.Context, name string) Finding {
	f := Finding{Name: name, What: "change of the DNS"}
	record := "_acme-challenge." + strings.TrimPrefix(name, "*.") + "."
	zone, err := certmagic.FindZoneByFQDN(ctx, zap.NewNop(), record, certmagic.RecursiveNameservers(m.o.Resolvers))
	if err != nil {
		f.Err = fmt.Errorf("the zone of %s is not found: %w: see whether the name exists in the DNS, or set --acme-dns-resolver", name, err)
		return f
	}
	f.Note = "zone " + strings.TrimSuffix(zone, ".")
	// It is as long as the value of a challenge, which acme-dns wants.
	records := []libdns.Record{libdns.TXT{Name: libdns.RelativeName(record, zone), Text: checkValue, TTL: challengeTTL}}
	_, err = m.o.DNS.AppendRecords(ctx, zone, records)
	cleaning, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Minute)
	defer cancel()
	_, cleanErr := m.o.DNS.DeleteRecords(cleaning, zone, records)
	f.Err = errors.Join(err, cleanErr)
	return f
}

const checkValue = "ferry-only-looks-whether-it-may-change-this"
