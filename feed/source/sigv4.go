package source

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"slices"
	"strings"
	"time"
)

// keys are those of an account at Amazon.
type keys struct{ id, secret, token string }

// sign signs a request for a service by version 4 of Amazon's signatures. All its headers are
// signed, and the host. The path is to be a plain one, and the query sorted.
func sign(q *http.Request, body []byte, k keys, region, service string, now time.Time) {
	at := now.UTC().Format("20060102T150405Z")
	q.Header.Set("X-Amz-Date", at)
	if k.token != "" {
		q.Header.Set("X-Amz-Security-Token", k.token)
	}
	named := map[string]string{"host": q.URL.Host}
	names := []string{"host"}
	for name, values := range q.Header {
		name = strings.ToLower(name)
		names = append(names, name)
		named[name] = strings.TrimSpace(strings.Join(values, ","))
	}
	slices.Sort(names)
	lines := []string{q.Method, q.URL.EscapedPath(), q.URL.RawQuery}
	for _, name := range names {
		lines = append(lines, name+":"+named[name])
	}
	lines = append(lines, "", strings.Join(names, ";"), hash(body))
	scope := strings.Join([]string{at[:8], region, service, "aws4_request"}, "/")
	text := strings.Join([]string{"AWS4-HMAC-SHA256", at, scope, hash([]byte(strings.Join(lines, "\n")))}, "\n")
	key := []byte("AWS4" + k.secret)
	for word := range strings.SplitSeq(scope, "/") {
		key = mac(key, word)
	}
	q.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential="+k.id+"/"+scope+", SignedHeaders="+strings.Join(names, ";")+
		", Signature="+hex.EncodeToString(mac(key, text)))
}

func hash(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

func mac(key []byte, text string) []byte {
	m := hmac.New(sha256.New, key)
	m.Write([]byte(text))
	return m.Sum(nil)
}
