package acme

import (
	"context"
	"crypto/x509"
	"errors"

	"github.com/caddyserver/certmagic"
	"go.uber.org/zap"
)

// order asks the authority for a certificate of a name and stores it. old is the one that it
// replaces, nil if there is none. Other processes with the same directory wait meanwhile.
func (m *Manager) order(ctx context.Context, name string, old *x509.Certificate) error {
	i := m.newIssuer(name, old)
	defer i.http.CloseIdleConnections()
	// The cache of certmagic is not used: it has to be there, and has a goroutine.
	var cfg *certmagic.Config
	quiet := zap.NewNop()
	cache := certmagic.NewCache(certmagic.CacheOptions{
		GetConfigForCert: func(certmagic.Certificate) (*certmagic.Config, error) { return cfg, nil },
		Logger:           quiet,
	})
	defer cache.Stop()
	cfg = certmagic.New(cache, certmagic.Config{
		Storage:    m.storage,
		Issuers:    []certmagic.Issuer{i},
		KeySource:  certmagic.StandardKeyGenerator{KeyType: certmagic.KeyType(m.o.KeyType)},
		DisableARI: true, // this package heeds it
		Logger:     quiet,
	})
	renew := old != nil
	if !renew {
		// A file that is no pair with the other was cut off as it was written.
		renew = m.storage.Exists(ctx, certmagic.StorageKeys.SiteCert(m.issuerKey(), name))
	}
	var err error
	if renew {
		err = cfg.RenewCertSync(ctx, name, true)
	} else {
		err = cfg.ObtainCertSync(ctx, name)
	}
	if errors.Is(err, errRenewed) {
		return nil
	}
	return err
}

// errRenewed says that another process has renewed the certificate while this one waited.
var errRenewed = errors.New("it is renewed already")
