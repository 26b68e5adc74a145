package ftp

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"time"
)

// selfSignedLife is how long a certificate of SelfSigned lasts. Clients remember its fingerprint,
// and each renewal makes all of them ask their users again, so it is long.
const selfSignedLife = 10 * 365 * 24 * time.Hour

// SelfSigned returns a self-signed certificate. It is made once and kept in dir, in one file with
// its key that only the owner can read (certFile and keyFile are the same), and made again only
// when it has expired or cannot be read. hosts are the names and addresses it is for, "localhost"
// if there are none; an existing certificate stays as it is when they change. fingerprint is the
// SHA-256 of the certificate in the form that clients show, AB:CD:..., so that a user can compare.
func SelfSigned(dir string, hosts []string) (certFile, keyFile, fingerprint string, err error) {
	name := filepath.Join(dir, "self-signed.pem")
	if cert := validPair(name); cert != nil {
		return name, name, fingerprintOf(cert), nil
	}
	cert, text, err := generate(hosts, time.Now())
	if err == nil {
		err = writeSecret(name, text)
	}
	if err != nil {
		return "", "", "", fmt.Errorf("self-signed certificate: %w", err)
	}
	return name, name, fingerprintOf(cert), nil
}

// validPair returns the certificate in DER form from a file with certificate and key, or nil if
// none is valid now.
func validPair(name string) []byte {
	pair, err := tls.LoadX509KeyPair(name, name)
	if err != nil {
		return nil
	}
	now := time.Now()
	if now.Before(pair.Leaf.NotBefore) || now.After(pair.Leaf.NotAfter) {
		return nil
	}
	return pair.Leaf.Raw
}

// generate makes a certificate and returns it in DER form, and in PEM form with its key.
func generate(hosts []string, now time.Time) (cert, text []byte, err error) {
	if len(hosts) == 0 {
		hosts = []string{"localhost"}
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, nil, err
	}
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 127))
	if err != nil {
		return nil, nil, err
	}
	template := x509.Certificate{
		SerialNumber:          serial,
		Subject:               pkix.Name{CommonName: hosts[0]},
		NotBefore:             now.Add(-time.Hour), // clocks may differ
		NotAfter:              now.Add(selfSignedLife),
		KeyUsage:              x509.KeyUsageDigitalSignature,
		ExtKeyUsage:           []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		BasicConstraintsValid: true,
	}
	for _, host := range hosts {
		if ip := net.ParseIP(host); ip != nil {
			template.IPAddresses = append(template.IPAddresses, ip)
		} else {
			template.DNSNames = append(template.DNSNames, host)
		}
	}
	if cert, err = x509.CreateCertificate(rand.Reader, &template, &template, key.Public(), key); err != nil {
		return nil, nil, err
	}
	secret, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, nil, err
	}
	text = pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert})
	text = append(text, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: secret})...)
	return cert, text, nil
}

// writeSecret writes a file that only its owner can read, in one step.
func writeSecret(name string, text []byte) error {
	dir := filepath.Dir(name)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	f, err := os.CreateTemp(dir, ".self-signed-*") // 0600
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	_, err = f.Write(text)
	if err == nil {
		err = f.Sync()
	}
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if err != nil {
		return err
	}
	return os.Rename(f.Name(), name)
}

// fingerprintOf returns the SHA-256 of a certificate in DER form.
func fingerprintOf(cert []byte) string {
	sum := sha256.Sum256(cert)
	var b bytes.Buffer
	for i, octet := range sum {
		if i > 0 {
			b.WriteByte(':')
		}
		fmt.Fprintf(&b, "%02X", octet)
	}
	return b.String()
}
