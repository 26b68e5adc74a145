package acme

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/caddyserver/certmagic"
	"github.com/mholt/acmez/v3/acme"
	"github.com/miekg/dns"
)

// A Record is a TXT record that an administrator creates.
type Record struct {
	Name  string `json:"name"`
	Value string `json:"value"`
	Found bool   `json:"found"` // it is there
}

// String is the line of a zone file.
func (r Record) String() string {
	return fmt.Sprintf("%s. 300 IN TXT %q", r.Name, r.Value)
}

// persistSolver answers DNS-PERSIST-01 (draft-ietf-acme-dns-persist): the authority looks for a
// record that stays. It is an experiment: the draft may still change the value.
type persistSolver struct {
	m       *Manager
	account acme.Account
}

// Present looks for the record, and says which one is missing.
func (s *persistSolver) Present(ctx context.Context, c acme.Challenge) error {
	want, err := record(c, s.account)
	if err != nil {
		return err
	}
	found, until, err := s.m.find(ctx, want, c.IssuerDomainNames)
	if err != nil {
		return fmt.Errorf("looking for the record %s: %w", want.Name, err)
	}
	if !found {
		return &missingError{want}
	}
	if left := time.Until(until); !until.IsZero() && left < soonOver {
		s.m.o.Log.WarnContext(ctx, "the record ends soon (persistUntil): set a later time, or none", "record", want.Name, "until", until)
	}
	return nil
}

// soonOver is how long before its end a record is warned of.
const soonOver = 60 * 24 * time.Hour

// CleanUp leaves the record.
func (s *persistSolver) CleanUp(context.Context, acme.Challenge) error { return nil }

// record returns the one that answers c.
func record(c acme.Challenge, account acme.Account) (Record, error) {
	if len(c.IssuerDomainNames) == 0 {
		return Record{}, errors.New("the authority does not say by which name it looks for the record")
	}
	wildcard := strings.HasPrefix(c.Identifier.Value, "*.")
	c.Identifier.Value = strings.TrimPrefix(c.Identifier.Value, "*.")
	return Record{Name: c.DNSPersist01TXTRecordName(), Value: c.DNSPersist01TXTRecordValue(account, c.IssuerDomainNames[0], wildcard)}, nil
}

// find reports whether there is a record that does what want does, for any of the authority's
// names, and until when; the zero Time: for ever.
func (m *Manager) find(ctx context.Context, want Record, issuers []string) (found bool, until time.Time, err error) {
	values, err := m.lookupText(ctx, want.Name)
	_, rest, _ := strings.Cut(want.Value, ";")
	wanted := parameters(rest)
	for _, value := range values {
		issuer, rest, _ := strings.Cut(value, ";")
		have := parameters(rest)
		for _, i := range issuers {
			if !strings.EqualFold(strings.TrimSpace(issuer), i) || have["accounturi"] != wanted["accounturi"] ||
				wanted["policy"] != "" && !strings.EqualFold(have["policy"], wanted["policy"]) {
				continue
			}
			if seconds, err := strconv.ParseInt(have["persistuntil"], 10, 64); err == nil {
				until = time.Unix(seconds, 0)
			}
			return true, until, nil
		}
	}
	return false, until, err
}

// parameters are those of a value in the syntax of CAA records, by their names in lower case.
func parameters(s string) map[string]string {
	all := map[string]string{}
	for part := range strings.SplitSeq(s, ";") {
		if name, value, ok := strings.Cut(part, "="); ok {
			all[strings.ToLower(strings.TrimSpace(name))] = strings.TrimSpace(value)
		}
	}
	return all
}

// lookupText returns the TXT records of a name, none if it does not exist.
func (m *Manager) lookupText(ctx context.Context, name string) (values []string, err error) {
	query := new(dns.Msg).SetQuestion(dns.Fqdn(name), dns.TypeTXT)
	for _, server := range certmagic.RecursiveNameservers(m.o.Resolvers) {
		var answer *dns.Msg
		answer, err = exchange(ctx, query, server)
		if err != nil {
			continue
		}
		for _, rr := range answer.Answer {
			if txt, ok := rr.(*dns.TXT); ok {
				values = append(values, strings.Join(txt.Txt, ""))
			}
		}
		return values, nil
	}
	return nil, err
}

// exchange asks a server, by TCP if the answer is too long for a packet.
func exchange(ctx context.Context, query *dns.Msg, server string) (*dns.Msg, error) {
	answer, _, err := (&dns.Client{Timeout: 5 * time.Second}).ExchangeContext(ctx, query, server)
	if err == nil && answer.Truncated {
		answer, _, err = (&dns.Client{Net: "tcp", Timeout: 5 * time.Second}).ExchangeContext(ctx, query, server)
	}
	if err != nil {
		return nil, err
	}
	if answer.Rcode != dns.RcodeSuccess && answer.Rcode != dns.RcodeNameError {
		return nil, fmt.Errorf("%s answers %s", server, dns.RcodeToString[answer.Rcode])
	}
	return answer, nil
}

// Records returns the TXT records that DNS-PERSIST-01 needs, one for each name. It makes the
// account that they name, if there is none yet.
func (m *Manager) Records(ctx context.Context) ([]Record, error) {
	i := m.newIssuer("", nil)
	defer i.http.CloseIdleConnections()
	account, err := i.account(ctx)
	if err != nil {
		return nil, explain(fmt.Errorf("the account: %w", err))
	}
	dir, err := i.client.GetDirectory(ctx)
	if err != nil {
		return nil, explain(err)
	}
	if dir.Meta == nil || len(dir.Meta.CAAIdentities) == 0 {
		return nil, errors.New("the authority does not say by which name it looks for records: it does not know DNS-PERSIST-01, it seems")
	}
	var all []Record
	for _, name := range m.o.Names {
		c := acme.Challenge{Identifier: acme.Identifier{Type: "dns", Value: name}, IssuerDomainNames: dir.Meta.CAAIdentities}
		r, err := record(c, account)
		if err != nil {
			return nil, err
		}
		if r.Found, _, err = m.find(ctx, r, dir.Meta.CAAIdentities); err != nil {
			m.o.Log.WarnContext(ctx, "the record cannot be looked up", "record", r.Name, "error", err)
		}
		all = append(all, r)
	}
	return all, nil
}
