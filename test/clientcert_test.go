package test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"os/exec"
	"testing"
	"time"
)

// TestCurlLogsInByCertificate has users whom a certificate alone, or with a password, lets in.
func TestCurlLogsInByCertificate(t *testing.T) {
	t.Parallel()
	needPrograms(t, "curl")
	o := newOffice(t)
	o.users("add", "cam", "remote="+o.file("srv"), "create_home=true", "client_cert=cn:cam")
	o.users("add", "both", "remote="+o.file("srv"), "create_home=true")
	o.write("file", "content")
	ca, caKey := o.certificate("ca", nil, nil)
	o.certificate("cam", ca, caKey)
	o.certificate("stranger", nil, nil)
	o.serve("--tls", "self-signed", "--tls-client-ca", o.file("ca.pem"))
	upload := func(login, cert, to string) error {
		args := []string{
			"--silent", "--show-error", "--max-time", "60", "--insecure", "--ssl-reqd", "--user", login, "-T", o.file("file"), "ftp://" + o.addr + "/" + to,
		}
		if cert != "" {
			args = append(args, "--cert", o.file(cert+".pem"), "--key", o.file(cert+".key"))
		}
		out, err := exec.Command("curl", args...).CombinedOutput()
		t.Logf("%s with certificate %q: %v %s", login, cert, err, out)
		return err
	}
	if err := upload("cam:", "cam", "one"); err != nil {
		t.Error("the certificate of the user does not let in")
	}
	o.holds("srv/one", "content")
	if err := upload("both:bothboth", "cam", "two"); err != nil {
		t.Error("a user with a password cannot use it with a certificate")
	}
	if err := upload("both:bothboth", "", "three"); err != nil {
		t.Error("a user with a password cannot use it without a certificate")
	}
	if upload("cam:", "", "four") == nil || upload("cam:camcam", "", "four") == nil {
		t.Error("no certificate lets in")
	}
	if upload("cam:", "stranger", "five") == nil {
		t.Error("a certificate that nobody has signed lets in")
	}
}

// certificate writes a certificate and its key, signed by a parent or by itself.
func (o *office) certificate(name string, parent *x509.Certificate, parentKey *ecdsa.PrivateKey) (*x509.Certificate, *ecdsa.PrivateKey) {
	o.t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		o.t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: name},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}, IsCA: parent == nil, BasicConstraintsValid: true,
	}
	if parent == nil {
		parent, parentKey = template, key
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, &key.PublicKey, parentKey)
	if err != nil {
		o.t.Fatal(err)
	}
	private, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		o.t.Fatal(err)
	}
	o.write(name+".pem", string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})))
	o.write(name+".key", string(pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: private})))
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		o.t.Fatal(err)
	}
	return cert, key
}
