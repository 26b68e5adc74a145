package acme

import (
	"strings"
	"time"

	"github.com/caddyserver/certmagic"
	"github.com/libdns/libdns"
)

// A Provider changes records of a zone, as those of github.com/libdns do.
type Provider interface {
	libdns.RecordAppender
	libdns.RecordDeleter
}

// challengeTTL is how long others may remember a record that is needed for a minute.
const challengeTTL = time.Minute

// dnsSolver answers DNS-01: the authority looks for a record.
func dnsSolver(o Options) *certmagic.DNS01Solver {
	return &certmagic.DNS01Solver{DNSManager: certmagic.DNSManager{DNSProvider: o.DNS, TTL: challengeTTL, Resolvers: o.Resolvers}}
}

// textRecord is a TXT record by its whole name.
type textRecord struct {
	name  string // without a dot at its end
	value string
}

// textRecords are those of a zone.
func textRecords(zone string, records []libdns.Record) (all []textRecord) {
	for _, r := range records {
		rr := r.RR()
		all = append(all, textRecord{strings.TrimSuffix(libdns.AbsoluteName(rr.Name, zone), "."), rr.Data})
	}
	return all
}
