package entra_test

import (
	"bytes"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"math/big"
	"os"
	"strings"
	"testing"
	"time"

	"ferry/remote/driver/azureblob/entra"
)

// newPair makes a key and a certificate, in PEM.
func newPair(t *testing.T) (key, certificate []byte) {
	t.Helper()
	k, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	c := x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "ferry"}, NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, &c, &c, &k.PublicKey, k)
	if err != nil {
		t.Fatal(err)
	}
	pkcs8, err := x509.MarshalPKCS8PrivateKey(k)
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: pkcs8}), pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
}

// checkAssertion checks a signed assertion by the certificate, and returns its header and claims.
func checkAssertion(t *testing.T, assertion string, leaf *x509.Certificate) (header, claims map[string]any) {
	t.Helper()
	parts := strings.Split(assertion, ".")
	if len(parts) != 3 {
		t.Fatalf("%q is no signed token", assertion)
	}
	var decoded [3][]byte
	for i, p := range parts {
		b, err := base64.RawURLEncoding.DecodeString(p)
		if err != nil {
			t.Fatal(err)
		}
		decoded[i] = b
	}
	digest := sha256.Sum256([]byte(parts[0] + "." + parts[1]))
	if err := rsa.VerifyPSS(leaf.PublicKey.(*rsa.PublicKey), crypto.SHA256, digest[:], decoded[2], nil); err != nil {
		t.Fatal(err)
	}
	for i, to := range []*map[string]any{&header, &claims} {
		if err := json.Unmarshal(decoded[i], to); err != nil {
			t.Fatal(err)
		}
	}
	return header, claims
}

func TestACertificateSigns(t *testing.T) {
	key, certificate := newPair(t)
	_, other := newPair(t)
	p12, err := os.ReadFile("testdata/pair.p12")
	if err != nil {
		t.Fatal(err)
	}
	for what, c := range map[string]struct {
		file     []byte
		password string
		chain    bool
	}{
		"key first":         {joined(key, certificate), "", false},
		"another one first": {joined(other, certificate, key), "", true},
		"PKCS12":            {p12, "sesame", false},
	} {
		t.Run(what, func(t *testing.T) {
			a := startAuthority(t)
			credential, err := entra.Certificate(a.Client(), somebody, c.file, c.password, c.chain)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := credential.Token(t.Context()); err != nil {
				t.Fatal(err)
			}
			leaf := leafOf(t, certificate)
			if what == "PKCS12" {
				leaf = storedLeaf(t)
			}
			header, claims := checkAssertion(t, a.form.Get("client_assertion"), leaf)
			print := sha256.Sum256(leaf.Raw)
			if header["alg"] != "PS256" || header["x5t#S256"] != base64.RawURLEncoding.EncodeToString(print[:]) {
				t.Errorf("header: %v", header)
			}
			all, _ := header["x5c"].([]any)
			if (len(all) > 0) != c.chain || c.chain && (len(all) != 2 || all[0] != base64.StdEncoding.EncodeToString(leaf.Raw)) {
				t.Errorf("%d certificates are sent", len(all))
			}
			if claims["aud"] != a.URL+a.path || claims["iss"] != "c" || claims["sub"] != "c" || claims["jti"] == "" {
				t.Errorf("claims: %v", claims)
			}
			if until := time.Until(time.Unix(int64(claims["exp"].(float64)), 0)); until < time.Minute || until > 10*time.Minute {
				t.Errorf("it is valid for %v", until)
			}
		})
	}
}

func joined(all ...[]byte) []byte { return bytes.Join(all, nil) }

func leafOf(t *testing.T, certificate []byte) *x509.Certificate {
	t.Helper()
	block, _ := pem.Decode(certificate)
	c, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// storedLeaf is the certificate of testdata/pair.p12.
func storedLeaf(t *testing.T) *x509.Certificate {
	t.Helper()
	content, err := os.ReadFile("testdata/pair.pem")
	if err != nil {
		t.Fatal(err)
	}
	return leafOf(t, content)
}

func TestCertificatesThatCannotBe(t *testing.T) {
	clean(t)
	key, certificate := newPair(t)
	_, other := newPair(t)
	for want, file := range map[string][]byte{
		"no RSA key":     certificate,
		"no certificate": joined(key, other),
		"neither PEM":    []byte("nothing of the kind"),
		"cannot be read": joined(key, []byte("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")),
	} {
		if _, err := entra.Certificate(nil, somebody, file, "", false); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", want, err)
		}
	}
}
