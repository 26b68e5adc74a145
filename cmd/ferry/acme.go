package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"log/slog"
	"net"
	"os"
	"strings"

	"ferry/acme"
	"ferry/cmd/ferry/internal/flags"
	"ferry/cmd/ferry/internal/listen"
	"ferry/cmd/ferry/internal/systemd"
	"ferry/events"
	"ferry/ftp"
)

// acmeCerts are the certificates that an authority gives by itself. nil is none.
type acmeCerts struct {
	manager *acme.Manager
	pairs   map[string]*ftp.KeyPair // by name
	persist bool                    // they need a record that stays
	log     *slog.Logger
}

// openACME reads the stored certificates of --acme, nil without that.
func (o *options) openACME(ctx context.Context, log *slog.Logger, stream *events.Stream) (*acmeCerts, error) {
	if len(o.ACME.Names) == 0 {
		return nil, nil
	}
	settings, err := o.acmeOptions(log)
	if err != nil {
		return nil, err
	}
	settings.Events = stream
	m, err := acme.New(settings)
	if err != nil {
		return nil, fmt.Errorf("--acme: %w", err)
	}
	certs := &acmeCerts{m, map[string]*ftp.KeyPair{}, o.ACME.Persist(), log}
	for _, s := range m.Status() {
		certs.pairs[s.Name] = ftp.HoldCertificate(m.Certificate(s.Name))
		if s.StandIn {
			log.WarnContext(ctx, "there is no certificate yet: until it is there, clients are shown one that nobody vouches for", "name", s.Name)
			continue
		}
		log.InfoContext(ctx, "certificate", "name", s.Name, "expires", s.Expires, "issuer", s.Issuer)
	}
	return certs, nil
}

// acmeOptions translates the flags.
func (o *options) acmeOptions(log *slog.Logger) (acme.Options, error) {
	a := &o.ACME
	for _, name := range a.Names {
		if err := acme.CheckName(name); err != nil {
			return acme.Options{}, flags.Usagef("--acme: %w", err)
		}
	}
	dir, err := o.places.ACME()
	if err == nil {
		err = o.places.Check(dir)
	}
	if err != nil {
		return acme.Options{}, fmt.Errorf("--acme: %w", err)
	}
	id, key, _ := strings.Cut(a.EAB.Reveal(), ":")
	settings := acme.Options{
		Names: a.Names, Email: a.Email, CA: a.CA, Profile: a.Profile, KeyType: a.KeyType,
		External: acme.External{ID: id, Key: key},
		Dir:      dir, HTTPAddr: a.HTTPAddr, TLSALPNAddr: a.TLSALPNAddr, Listen: listenForChallenge,
		Persist: a.Persist(), Resolvers: a.Resolvers, Log: log,
	}
	if given := o.sockets.Take(systemd.ACMEHTTP); len(given) > 0 {
		settings.HTTPAddr = given[0].Addr().String()
		settings.Listen = func(ctx context.Context, addr string) ([]net.Listener, error) {
			if addr == settings.HTTPAddr {
				return systemd.Copies(given)
			}
			return listenForChallenge(ctx, addr)
		}
	}
	if settings.Roots, err = rootsOf(a.Roots); err != nil {
		return settings, err
	}
	settings.DNS, err = o.dnsProvider()
	return settings, err
}

// rootsOf reads certificates; nil without files.
func rootsOf(files []string) (*x509.CertPool, error) {
	if len(files) == 0 {
		return nil, nil
	}
	pool := x509.NewCertPool()
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			return nil, fmt.Errorf("--acme-ca-root: %w", err)
		}
		if !pool.AppendCertsFromPEM(text) {
			return nil, fmt.Errorf("--acme-ca-root %s: there is no certificate in it: it is to be PEM, as openssl writes it", file)
		}
	}
	return pool, nil
}

// dnsProvider returns what changes records, nil without.
func (o *options) dnsProvider() (acme.Provider, error) {
	a := &o.ACME
	switch {
	case len(a.Program) > 0:
		return acme.NewProgram(a.Program), nil
	case a.RFC2136 != "":
		text := a.TSIG.Reveal()
		if a.TSIGFile != "" {
			file, err := os.ReadFile(a.TSIGFile)
			if err != nil {
				return nil, fmt.Errorf("--acme-dns-tsig-file: %w", err)
			}
			text = string(file)
		}
		if text == "" {
			return acme.NewUpdater(a.RFC2136, acme.TSIG{}), nil
		}
		key, err := acme.ParseTSIG(text)
		if err != nil {
			return nil, fmt.Errorf("the key for --acme-dns-rfc2136: %w", err)
		}
		return acme.NewUpdater(a.RFC2136, key), nil
	case a.API != "":
		text, err := os.ReadFile(a.APIAccount)
		if err != nil {
			return nil, fmt.Errorf("--acme-dns-account: %w", err)
		}
		accounts, err := acme.ParseAccounts(text)
		if err != nil {
			return nil, fmt.Errorf("--acme-dns-account %s: %w", a.APIAccount, err)
		}
		return acme.NewACMEDNS(a.API, accounts), nil
	}
	return nil, nil
}

// listenForChallenge opens the port of a challenge.
func listenForChallenge(ctx context.Context, addr string) ([]net.Listener, error) {
	ls, err := listen.On(ctx, addr)
	if err != nil {
		return nil, listen.Remedy(err)
	}
	return ls, nil
}

// certificates are those that clients are shown.
func (c *acmeCerts) certificates() (all ftp.Certificates) {
	if c == nil {
		return nil
	}
	for _, name := range c.manager.Names() {
		all = append(all, c.pairs[name])
	}
	return all
}

// run gets and renews certificates until ctx ends.
func (c *acmeCerts) run(ctx context.Context) {
	if c == nil {
		return
	}
	if c.persist {
		c.tellRecords(ctx)
	}
	_ = c.manager.Run(ctx, func(name string, cert *tls.Certificate) { c.pairs[name].Replace(cert) }) // it is nil
}

// tellRecords logs the records that have to be created.
func (c *acmeCerts) tellRecords(ctx context.Context) {
	records, err := c.manager.Records(ctx)
	if err != nil {
		c.log.WarnContext(ctx, "which record has to be created cannot be told yet", "error", err)
		return
	}
	for _, r := range records {
		if !r.Found {
			c.log.WarnContext(ctx, "create this record for the certificate, once", "record", r.String())
		}
	}
}

// retry has certificates that could not be got asked for again.
func (c *acmeCerts) retry() {
	if c != nil {
		c.manager.Retry()
	}
}
