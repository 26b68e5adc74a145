package driveserver

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"
)

// Robot is the address of the service account.
const Robot = "robot@project.iam.gserviceaccount.com"

// ServiceAccount makes the service account, and returns its key: JSON in one line.
func (s *Server) ServiceAccount(t testing.TB) string {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(map[string]string{
		"type": "service_account", "client_email": Robot, "private_key_id": "1", "token_uri": "http://" + s.Addr + "/token",
		"private_key": string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})),
	})
	if err != nil {
		t.Fatal(err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.robot = &key.PublicKey
	return string(text)
}

// Subjects returns on whose behalf the service account asked for each of its tokens, "" for its
// own.
func (s *Server) Subjects() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.subjects)
}

// claims are what an assertion says.
type claims struct {
	Issuer   string `json:"iss"`
	Audience string `json:"aud"`
	Scope    string `json:"scope"`
	Subject  string `json:"sub"`
	Expires  int64  `json:"exp"`
}

// grant gives the token for an assertion (RFC 7523) that the service account signed.
func (s *Server) grant(w http.ResponseWriter, r *http.Request) *refusal {
	s.mu.Lock()
	defer s.mu.Unlock()
	signed, signature := divide(r.PostFormValue("assertion"))
	_, payload, _ := strings.Cut(signed, ".")
	mark, err := base64.RawURLEncoding.DecodeString(signature)
	sum := sha256.Sum256([]byte(signed))
	if err != nil || s.robot == nil || r.PostFormValue("grant_type") != "urn:ietf:params:oauth:grant-type:jwt-bearer" ||
		rsa.VerifyPKCS1v15(s.robot, crypto.SHA256, sum[:], mark) != nil {
		return invalid("invalid_grant")
	}
	var c claims
	text, err := base64.RawURLEncoding.DecodeString(payload)
	if err != nil || json.Unmarshal(text, &c) != nil || c.Issuer != Robot || c.Audience != "http://"+s.Addr+"/token" ||
		c.Scope == "" || time.Now().Unix() >= c.Expires {
		return invalid("invalid_grant")
	}
	s.subjects = append(s.subjects, c.Subject)
	return send(w, map[string]any{"access_token": Token, "token_type": "Bearer", "expires_in": 3600})
}

// divide divides an assertion into what is signed and the signature.
func divide(s string) (signed, signature string) {
	i := strings.LastIndex(s, ".")
	return s[:max(i, 0)], s[i+1:]
}
