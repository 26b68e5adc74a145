package entra

import (
	"bytes"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"time"

	"golang.org/x/crypto/pkcs12"
)

// assertionTime is how long an assertion is valid. It is used at once.
const assertionTime = 10 * time.Minute

// A pair is a certificate with its key.
type pair struct {
	key  *rsa.PrivateKey
	leaf *x509.Certificate
	all  []*x509.Certificate // the leaf first
}

// parsePair reads what a file in PEM or PKCS12 has. No error shows any of it.
func parsePair(file []byte, password string) (*pair, error) {
	var blocks []*pem.Block
	if bytes.Contains(file, []byte("-----BEGIN ")) {
		for block, rest := pem.Decode(file); block != nil; block, rest = pem.Decode(rest) {
			blocks = append(blocks, block)
		}
	} else {
		var err error
		if blocks, err = pkcs12.ToPEM(file, password); err != nil {
			return nil, errors.New("the file is neither PEM nor PKCS12, or the password is wrong")
		}
	}
	p := &pair{}
	for _, block := range blocks {
		if block.Type == "CERTIFICATE" {
			c, err := x509.ParseCertificate(block.Bytes)
			if err != nil {
				return nil, errors.New("a certificate in the file cannot be read")
			}
			p.all = append(p.all, c)
		} else if key := parseKey(block.Bytes); key != nil {
			p.key = key
		}
	}
	if p.key == nil {
		return nil, errors.New("the file has no RSA key that is not encrypted")
	}
	for i, c := range p.all {
		if p.key.PublicKey.Equal(c.PublicKey) {
			p.leaf = c
			p.all[0], p.all[i] = p.all[i], p.all[0]
			return p, nil
		}
	}
	return nil, errors.New("the file has no certificate of its key")
}

func parseKey(der []byte) *rsa.PrivateKey {
	if key, err := x509.ParsePKCS1PrivateKey(der); err == nil {
		return key
	}
	key, err := x509.ParsePKCS8PrivateKey(der)
	if err != nil {
		return nil
	}
	rsaKey, _ := key.(*rsa.PrivateKey)
	return rsaKey
}

// assertion returns a token that the pair has signed: clientID says to audience who it is. Chain
// sends the certificates along.
func (p *pair) assertion(clientID, audience string, chain bool) (string, error) {
	now, print := time.Now(), sha256.Sum256(p.leaf.Raw)
	header := map[string]any{"alg": "PS256", "typ": "JWT", "x5t#S256": base64.RawURLEncoding.EncodeToString(print[:])}
	if chain {
		var all []string
		for _, c := range p.all {
			all = append(all, base64.StdEncoding.EncodeToString(c.Raw))
		}
		header["x5c"] = all
	}
	claims := map[string]any{
		"aud": audience, "iss": clientID, "sub": clientID, "jti": rand.Text(),
		"iat": now.Unix(), "nbf": now.Unix(), "exp": now.Add(assertionTime).Unix(),
	}
	content := encodeJSON(header) + "." + encodeJSON(claims)
	digest := sha256.Sum256([]byte(content))
	signature, err := rsa.SignPSS(rand.Reader, p.key, crypto.SHA256, digest[:], &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash})
	if err != nil {
		return "", errors.New("the key of the certificate cannot sign")
	}
	return content + "." + base64.RawURLEncoding.EncodeToString(signature), nil
}

// encodeJSON writes what can always be written.
func encodeJSON(v map[string]any) string {
	b, _ := json.Marshal(v) // strings and numbers
	return base64.RawURLEncoding.EncodeToString(b)
}
