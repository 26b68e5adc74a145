package ftp

import (
	"context"
	"crypto/tls"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// A KeyPair is a certificate and its key that may be replaced while the server runs: in files, or
// by Replace. Its GetCertificate goes into a tls.Config. Its methods may be called concurrently.
type KeyPair struct {
	// Log receives the reloads of Run; nil: nothing is logged. Set it before Run.
	Log *slog.Logger
	// Reloaded is called after each Reload that has found another certificate, or failed with err;
	// nil: nobody is told. Set it before Run.
	Reloaded func(err error)

	certFile, keyFile string // "" = it is in no files
	current           atomic.Pointer[tls.Certificate]

	mu    sync.Mutex
	stamp [2]fs.FileInfo // guarded by mu: the files when they were last read
}

// LoadCertificate reads a certificate chain and its private key in PEM form. One file may hold
// both; then the names are the same.
func LoadCertificate(certFile, keyFile string) (*KeyPair, error) {
	k := &KeyPair{certFile: certFile, keyFile: keyFile}
	if err := k.Reload(); err != nil {
		return nil, err
	}
	return k, nil
}

// HoldCertificate returns a KeyPair that is in no files. The certificate has its Leaf, as from
// tls.X509KeyPair.
func HoldCertificate(cert *tls.Certificate) *KeyPair {
	k := &KeyPair{}
	k.current.Store(cert)
	return k
}

// Replace has clients that connect from now on see cert, which has its Leaf. Sessions go on with
// the certificate that they have seen.
func (k *KeyPair) Replace(cert *tls.Certificate) { k.current.Store(cert) }

// GetCertificate is meant for the field of tls.Config with this name.
func (k *KeyPair) GetCertificate(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	return k.current.Load(), nil
}

// Names are the hosts and addresses that the certificate is for.
func (k *KeyPair) Names() []string {
	leaf := k.current.Load().Leaf
	names := slices.Clone(leaf.DNSNames)
	for _, ip := range leaf.IPAddresses {
		names = append(names, ip.String())
	}
	return names
}

// Expires is when the certificate ends.
func (k *KeyPair) Expires() time.Time { return k.current.Load().Leaf.NotAfter }

// Reload reads the files again. If they are not a valid pair, the current pair stays in use. One
// that is in no files stays.
func (k *KeyPair) Reload() error {
	if !k.HasFiles() {
		return nil
	}
	before := k.current.Load()
	err := k.read()
	if k.Reloaded != nil && (err != nil || !before.Leaf.Equal(k.current.Load().Leaf)) {
		k.Reloaded(err)
	}
	return err
}

func (k *KeyPair) read() error {
	k.mu.Lock()
	defer k.mu.Unlock()
	stamp, err := k.look()
	if err != nil {
		return fmt.Errorf("certificate: %w", err)
	}
	k.stamp = stamp
	pair, err := tls.LoadX509KeyPair(k.certFile, k.keyFile)
	if err != nil {
		return fmt.Errorf("certificate %s with key %s: %w", k.certFile, k.keyFile, err)
	}
	k.current.Store(&pair)
	return nil
}

// HasFiles reports whether it is read from files.
func (k *KeyPair) HasFiles() bool { return k.certFile != "" }

// reloadEvery is how often Run checks the files.
const reloadEvery = 5 * time.Second

// Run reloads the files when they change, until ctx ends, and then returns its cause. A change that
// leaves no valid pair is logged once and the current pair stays in use; this is normal between the
// replacement of the first and of the second file.
func (k *KeyPair) Run(ctx context.Context) error {
	log := k.Log
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	tick := time.NewTicker(reloadEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-tick.C:
		}
		if !k.HasFiles() || !k.changed() {
			continue
		}
		if err := k.Reload(); err != nil {
			log.LogAttrs(ctx, slog.LevelError, "keeping the old certificate", slog.Any("error", err))
		} else {
			log.LogAttrs(ctx, slog.LevelInfo, "certificate reloaded", slog.String("file", k.certFile))
		}
	}
}

// changed reports whether the files differ from those last read. A missing file, as during a
// replacement, is not a change.
func (k *KeyPair) changed() bool {
	now, err := k.look()
	if err != nil {
		return false
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	for i, was := range k.stamp {
		if !os.SameFile(was, now[i]) || !was.ModTime().Equal(now[i].ModTime()) || was.Size() != now[i].Size() {
			return true
		}
	}
	return false
}

func (k *KeyPair) look() (stamp [2]fs.FileInfo, err error) {
	for i, name := range [...]string{k.certFile, k.keyFile} {
		if stamp[i], err = os.Stat(name); err != nil {
			return stamp, err
		}
	}
	return stamp, nil
}
