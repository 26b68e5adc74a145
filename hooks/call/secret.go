package call

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// The form of Standard Webhooks: "whsec_" and base64.
const (
	secretPrefix = "whsec_"
	leastSecret  = 16 // bytes
)

// CheckSecret returns why s cannot sign: it is whsec_ and base64, as Standard Webhooks has it, or
// else its bytes are the secret. The error does not hold s.
func CheckSecret(s string) error {
	_, err := parseSecret(s)
	return err
}

func parseSecret(s string) ([]byte, error) {
	secret := []byte(s)
	if text, ok := strings.CutPrefix(s, secretPrefix); ok {
		var err error
		if secret, err = base64.StdEncoding.DecodeString(text); err != nil {
			return nil, errors.New("a secret that begins with whsec_ goes on in base64")
		}
	}
	if len(secret) < leastSecret {
		return nil, errors.New("a secret has at least 16 bytes: make one by echo whsec_$(openssl rand -base64 32)")
	}
	return secret, nil
}

// signatures returns what stands in webhook-signature, "" without a secret. body writes what is
// signed.
func (c *Caller) signatures(id string, at time.Time, body func(io.Writer) error) (string, error) {
	var all []string
	for _, secret := range c.secrets {
		mac := hmac.New(sha256.New, secret)
		mac.Write([]byte(id + "." + strconv.FormatInt(at.Unix(), 10) + "."))
		if err := body(mac); err != nil {
			return "", err
		}
		all = append(all, "v1,"+base64.StdEncoding.EncodeToString(mac.Sum(nil)))
	}
	return strings.Join(all, " "), nil
}

// sign adds the headers of Standard Webhooks.
func sign(req *http.Request, id string, now time.Time, signed string) {
	req.Header.Set("Webhook-Id", id)
	req.Header.Set("Webhook-Timestamp", strconv.FormatInt(now.Unix(), 10))
	if signed != "" {
		req.Header.Set("Webhook-Signature", signed)
	}
}
