package main

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"syscall"
	"time"
)

// layoutLocal makes the tree that the servers serve:
//
//	big      the large file
//	small/   small files to download
//	many/    the large directory
//	few/     a small one
//	up/      uploads, emptied after each measurement; any user may write
func layoutLocal(_ context.Context, b *bench) error {
	if err := b.makeTop(); err != nil {
		return err
	}
	b.root = b.top
	err := errors.Join(
		os.Mkdir(filepath.Join(b.root, "small"), 0o755),
		os.Mkdir(filepath.Join(b.root, "up"), 0o777),
		os.Chmod(filepath.Join(b.root, "up"), 0o777), // whatever the umask is
	)
	if err != nil {
		return err
	}
	if err := writeBig(filepath.Join(b.root, "big"), b.scale.bigBytes); err != nil {
		return err
	}
	small := bytes.Repeat([]byte("ferry"), b.scale.smallBytes/5+1)[:b.scale.smallBytes]
	for i := range b.scale.smallFiles {
		if err := os.WriteFile(filepath.Join(b.root, smallName(i)), small, 0o644); err != nil {
			return err
		}
	}
	return errors.Join(b.writeEmpty("many", b.scale.listFiles), b.writeEmpty("few", b.scale.fewFiles))
}

// writeEmpty makes a directory of n empty files.
func (b *bench) writeEmpty(dir string, n int) error {
	dir = filepath.Join(b.root, dir)
	if err := os.Mkdir(dir, 0o755); err != nil {
		return err
	}
	for i := range n {
		if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf("file-%06d.dat", i)), nil, 0o644); err != nil {
			return err
		}
	}
	return nil
}

// makeTop makes the directory of this run, which everybody may enter.
func (b *bench) makeTop() error {
	dir := b.opt.dir
	if dir == "" {
		dir = roomiest(int64(max(b.scale.streams, 3)+2) * b.scale.bigBytes)
	}
	top, err := os.MkdirTemp(dir, "ferry-bench-")
	if err != nil {
		return err
	}
	if b.top, err = filepath.Abs(top); err != nil {
		return err
	}
	return os.Chmod(b.top, 0o755)
}

func smallName(i int) string { return fmt.Sprintf("small/file-%05d.dat", i) }

// roomiest is /dev/shm when it has room for size bytes: it measures servers rather than disks.
func roomiest(size int64) string {
	const shm = "/dev/shm"
	var fs syscall.Statfs_t
	if err := syscall.Statfs(shm, &fs); err != nil || int64(fs.Bavail)*fs.Bsize < size {
		return os.TempDir()
	}
	return shm
}

// writeBig fills a file with bytes that neither compress nor leave holes.
func writeBig(name string, size int64) error {
	f, err := os.Create(name)
	if err != nil {
		return err
	}
	defer f.Close()
	block := make([]byte, 1<<20)
	for done := int64(0); done < size; done += int64(len(block)) {
		if _, err := rand.Read(block); err != nil {
			return err
		}
		if _, err := f.Write(block[:min(int64(len(block)), size-done)]); err != nil {
			return err
		}
	}
	return f.Close()
}

// clearUploads empties up/.
func (b *bench) clearUploads() error {
	up := filepath.Join(b.root, "up")
	entries, err := os.ReadDir(up)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if err := os.RemoveAll(filepath.Join(up, e.Name())); err != nil {
			return err
		}
	}
	return nil
}

// cacheDir holds caches: on disk, unlike what is served.
func (b *bench) cacheDir() string { return filepath.Join(b.state, "cache") }

// usersFile is a file of users with hashes of what ferry makes by default, argon2id.
func (b *bench) usersFile() string { return filepath.Join(b.state, "users.toml") }

// writeCertificate makes a self-signed certificate (ECDSA P-256), writes it and its key to file,
// and returns a client configuration that trusts it and speaks TLS 1.3 only.
func writeCertificate(file string) (*tls.Config, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1),
		Subject:      pkix.Name{CommonName: "localhost"},
		IPAddresses:  []net.IP{net.IPv4(127, 0, 0, 1)},
		NotBefore:    time.Now().Add(-time.Hour),
		NotAfter:     time.Now().Add(24 * time.Hour),
		IsCA:         true, BasicConstraintsValid: true,
		KeyUsage:    x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	cert, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		return nil, err
	}
	secret, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, err
	}
	text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert})
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(text)
	text = append(text, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: secret})...)
	return &tls.Config{
		RootCAs: pool, ServerName: "127.0.0.1",
		MinVersion:         tls.VersionTLS13,
		ClientSessionCache: tls.NewLRUClientSessionCache(64),
	}, os.WriteFile(file, text, 0o600)
}
