package acme

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"net/url"
	"path"
	"strings"
	"time"

	"github.com/caddyserver/certmagic"
)

// What is stored in Options.Dir: accounts/CA/ has account.json and account.key,
// certificates/CA/NAME/ what certmagic keeps of a certificate, and names/CA/NAME.json a state.

// state is what is known of a name besides its certificate.
type state struct {
	Tried    time.Time `json:"tried,omitzero"`    // the last attempt
	Error    string    `json:"error,omitempty"`   // of it
	Failures int       `json:"failures,omitzero"` // one after the other
	Next     time.Time `json:"next,omitzero"`     // no attempt before, after a failure
	Held     bool      `json:"held,omitzero"`     // the authority has said so

	// What the authority has advised about the certificate (ARI, RFC 9773).
	Serial  string    `json:"serial,omitempty"` // of it
	Advised time.Time `json:"advised,omitzero"` // when to renew it
	Ask     time.Time `json:"ask,omitzero"`     // when to ask again
}

// due returns when the certificate is to be renewed: when the authority has advised it, else when a
// third of its life is left, or half of a short one.
func (s state) due(leaf *x509.Certificate) time.Time {
	life := leaf.NotAfter.Sub(leaf.NotBefore)
	part := life / 3
	if life < 10*24*time.Hour {
		part = life / 2
	}
	at := leaf.NotAfter.Add(-part)
	if s.Serial == leaf.SerialNumber.Text(16) && !s.Advised.IsZero() {
		at = s.Advised
	}
	if last := leaf.NotAfter.Add(-life / 20); at.After(last) {
		at = last // whatever was advised
	}
	// A clock that is wrong, or an authority that always advises to renew, is no reason to ask it
	// all the time.
	if earliest := s.Tried.Add(min(restTime, life/4)); s.Error == "" && at.Before(earliest) {
		return earliest
	}
	return at
}

// restTime is the least time from one certificate to the next.
const restTime = 6 * time.Hour

// issuerKey is the directory of the authority whose directory is at ca.
func issuerKey(ca string) string {
	u, err := url.Parse(ca)
	if err != nil || u.Host == "" {
		return certmagic.StorageKeys.Safe(ca)
	}
	return certmagic.StorageKeys.Safe(strings.Trim(u.Host+"-"+strings.ReplaceAll(strings.Trim(u.Path, "/"), "/", "-"), "-"))
}

func (m *Manager) issuerKey() string { return issuerKey(m.o.CA) }

func (m *Manager) stateKey(name string) string {
	return path.Join("names", m.issuerKey(), certmagic.StorageKeys.Safe(name)+".json")
}

// loadState returns the state of a name. What cannot be read is not known.
func (m *Manager) loadState(name string) (s state) {
	text, err := m.storage.Load(context.Background(), m.stateKey(name))
	if err == nil && json.Unmarshal(text, &s) != nil {
		return state{}
	}
	return s
}

// saveState stores the state of a name. An error is logged: without the state a later process knows
// less, and no more.
func (m *Manager) saveState(ctx context.Context, name string, s state) {
	text, err := json.MarshalIndent(s, "", "  ")
	if err == nil {
		err = m.storage.Store(ctx, m.stateKey(name), append(text, '\n'))
	}
	if err != nil {
		m.o.Log.WarnContext(ctx, "what is known of a certificate cannot be written", "name", name, "error", err)
	}
}

// load returns the stored certificate of a name and the time when it was stored.
func (m *Manager) load(name string) (*tls.Certificate, time.Time, error) {
	ctx := context.Background()
	certKey := certmagic.StorageKeys.SiteCert(m.issuerKey(), name)
	info, err := m.storage.Stat(ctx, certKey)
	if err != nil {
		return nil, time.Time{}, err
	}
	chain, err := m.storage.Load(ctx, certKey)
	if err != nil {
		return nil, time.Time{}, err
	}
	key, err := m.storage.Load(ctx, certmagic.StorageKeys.SitePrivateKey(m.issuerKey(), name))
	if err != nil {
		return nil, time.Time{}, err
	}
	pair, err := tls.X509KeyPair(chain, key)
	if err != nil {
		return nil, time.Time{}, err
	}
	return &pair, info.Modified, nil
}

// newer returns the stored certificate of a name if it is not the one that was stored at stamp, as
// when another process has renewed it.
func (m *Manager) newer(name string, stamp time.Time) (*tls.Certificate, time.Time, bool) {
	info, err := m.storage.Stat(context.Background(), certmagic.StorageKeys.SiteCert(m.issuerKey(), name))
	if err != nil || info.Modified.Equal(stamp) {
		return nil, stamp, false
	}
	cert, at, err := m.load(name)
	return cert, at, err == nil // else it is being written
}
