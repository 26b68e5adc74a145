package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"

	"ferry/cmd/ferry/internal/logging"
	"ferry/cmd/ferry/internal/places"
	"ferry/events"
	"ferry/ftp"
)

// An identity is what this server shows to clients.
type identity struct {
	certs  *ftp.CertificateList
	acme   *acmeCerts  // those of certs that an authority gives by itself
	config *tls.Config // nil without TLS
}

// loadTLS returns the certificates of this server and what it does TLS with.
func (o *options) loadTLS(ctx context.Context, log *slog.Logger, stream *events.Stream) (i identity, err error) {
	certs, err := o.loadCertificates(ctx, log)
	if err != nil {
		return i, err
	}
	if i.acme, err = o.openACME(ctx, log, stream); err != nil {
		return i, err
	}
	i.certs = &ftp.CertificateList{}
	i.certs.Set(append(certs, i.acme.certificates()...))
	i.config, err = o.tlsConfig(i.certs)
	return i, err
}

// loadCertificates returns the certificates whose files the flags name, or that they ask to be
// made.
func (o *options) loadCertificates(ctx context.Context, log *slog.Logger) (certs ftp.Certificates, err error) {
	if len(o.Cert) == 0 && o.TLS == "off" {
		return nil, nil
	}
	certFiles, keyFiles := o.Cert, o.Key
	if len(certFiles) == 0 {
		dir, err := o.keyDir()
		if err != nil {
			return nil, fmt.Errorf("--tls self-signed: %w", err)
		}
		cert, key, fingerprint, err := ftp.SelfSigned(dir, o.certHosts())
		if err != nil {
			return nil, fmt.Errorf("--tls self-signed: %w (choose another --cache-dir)", err)
		}
		log.Log(ctx, logging.Notice, "using a self-signed certificate", "file", cert, "sha256", fingerprint)
		certFiles, keyFiles = []string{cert}, []string{key}
	}
	for i, file := range certFiles {
		pair, err := ftp.LoadCertificate(file, keyFiles[i])
		if err != nil {
			return nil, fmt.Errorf("--cert, --key: %w", err)
		}
		pair.Log = log
		certs = append(certs, pair)
	}
	o.logCertificates(ctx, log, certs)
	return certs, nil
}

// logCertificates says for which names the certificates are, if there are several.
func (o *options) logCertificates(ctx context.Context, log *slog.Logger, certs ftp.Certificates) {
	if len(certs) < 2 {
		return
	}
	for i, pair := range certs {
		names := pair.Names()
		if len(names) == 0 && i > 0 {
			log.WarnContext(ctx, "no client can ask for this certificate: it names no host (subjectAltName)", "file", o.Cert[i])
			continue
		}
		log.InfoContext(ctx, "certificate", "file", o.Cert[i], "names", strings.Join(names, ","))
	}
}

// keyDir returns the directory of the self-signed certificate, after a look at who may write there.
func (o *options) keyDir() (string, error) {
	dir, err := o.places.Key()
	if err == nil {
		err = o.places.Check(dir)
	}
	if err == nil {
		err = places.CheckKey(filepath.Join(dir, "self-signed.pem"))
	}
	return dir, err
}

// certHosts are the names that clients may know this server by.
func (o *options) certHosts() []string {
	hosts := []string{"localhost", "127.0.0.1", "::1"}
	if name, err := os.Hostname(); err == nil && name != "" {
		hosts = append(hosts, name)
	}
	for _, public := range o.PublicIP {
		hosts = append(hosts, public.Host)
	}
	for _, addr := range append(o.Addrs[:len(o.Addrs):len(o.Addrs)], o.ImplicitAddrs...) {
		if host, _, err := net.SplitHostPort(addr); err == nil && host != "" {
			hosts = append(hosts, host)
		}
	}
	seen := map[string]bool{"": true, "0.0.0.0": true, "::": true}
	unique := hosts[:0]
	for _, h := range hosts {
		if !seen[h] {
			seen[h] = true
			unique = append(unique, h)
		}
	}
	return unique
}

// tlsConfig returns what the server does TLS with, nil without a certificate.
func (o *options) tlsConfig(certs *ftp.CertificateList) (*tls.Config, error) {
	if len(certs.All()) == 0 {
		return nil, nil
	}
	cfg := &tls.Config{MinVersion: o.MinTLSVersion(), GetCertificate: certs.GetCertificate}
	if o.ClientCA == "" || o.ClientCert == "off" {
		return cfg, nil
	}
	var err error
	if cfg.ClientCAs, err = o.clientCAs(); err != nil {
		return nil, err
	}
	cfg.ClientAuth = tls.VerifyClientCertIfGiven
	if o.ClientCert == "required" {
		cfg.ClientAuth = tls.RequireAndVerifyClientCert
	}
	return cfg, nil
}

// clientCAs reads the certificates of --tls-client-ca.
func (o *options) clientCAs() (*x509.CertPool, error) {
	text, err := os.ReadFile(o.ClientCA)
	if err != nil {
		return nil, fmt.Errorf("--tls-client-ca: %w", err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(text) {
		return nil, fmt.Errorf("--tls-client-ca %s: there is no certificate in it: it is to be PEM, as openssl writes it", o.ClientCA)
	}
	return pool, nil
}

// dataResumption translates --tls-data-resume.
func (o *options) dataResumption() ftp.TLSResume {
	switch o.DataResume {
	case "off":
		return ftp.ResumeOff
	case "require":
		return ftp.ResumeRequire
	}
	return ftp.ResumeOffer
}
