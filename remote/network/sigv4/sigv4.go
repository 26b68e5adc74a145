// Package sigv4 signs requests by version 4 of Amazon's signatures, which other services take too.
package sigv4

import (
	"cmp"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"time"
)

// Keys are those of an account. Token is of a role, and may be "".
type Keys struct{ ID, Secret, Token string }

// A Signer signs requests for one service in one region. It keeps the key of the day, and may be
// used by several at a time.
type Signer struct {
	Region  string
	Service string // "s3"
	today   atomic.Pointer[dayKey]
}

// A dayKey is made of a secret key, and good for a day.
type dayKey struct{ secret, day, key string }

const algorithm = "AWS4-HMAC-SHA256"

// Sum is the checksum of a body as Sign wants it.
func Sum(body []byte) string {
	sum := sha256.Sum256(body)
	return hex.EncodeToString(sum[:])
}

// Sign adds the signature as of now to the header of q, which covers all that is there but what
// somebody on the way may change. path is that of q as the service encodes it, and the query must
// be sorted. sum is that of the body, or what the service takes in its place.
func (s *Signer) Sign(q *http.Request, path, sum string, k Keys, now time.Time) {
	stamp := now.UTC().Format("20060102T150405Z")
	day := stamp[:len("20060102")]
	q.Header["X-Amz-Date"] = []string{stamp}
	if k.Token != "" {
		q.Header["X-Amz-Security-Token"] = []string{k.Token}
	}
	scope := day + "/" + s.Region + "/" + s.Service + "/aws4_request"
	text := make([]byte, 0, 2<<10)
	text = append(text, q.Method...)
	text = append(text, '\n')
	text = append(text, path...)
	text = append(text, '\n')
	text = append(text, q.URL.RawQuery...)
	text = append(text, '\n')
	text, signed := appendHeaders(text, q)
	text = append(text, '\n')
	text = append(text, signed...)
	text = append(text, '\n')
	text = append(text, sum...)

	request := sha256.Sum256(text)
	text = append(text[:0], algorithm+"\n"...)
	text = append(text, stamp...)
	text = append(text, '\n')
	text = append(text, scope...)
	text = append(text, '\n')
	text = hex.AppendEncode(text, request[:])
	mac := hmacOf(s.key(k.Secret, day), text)
	q.Header["Authorization"] = []string{algorithm + " Credential=" + k.ID + "/" + scope +
		", SignedHeaders=" + signed + ", Signature=" + hex.EncodeToString(mac)}
}

// appendHeaders appends the lines of a request's header as they are signed, and returns their names
// too.
func appendHeaders(text []byte, q *http.Request) (lines []byte, signed string) {
	names := make([]string, 0, len(q.Header)+1)
	values := make(map[string][]string, len(q.Header)+1)
	for name, value := range q.Header {
		switch name {
		case "Accept-Encoding", "Authorization", "User-Agent":
			continue
		}
		name = strings.ToLower(name)
		names = append(names, name)
		values[name] = value
	}
	names = append(names, "host")
	values["host"] = []string{cmp.Or(q.Host, q.URL.Host)}
	slices.Sort(names)
	for _, name := range names {
		text = append(text, name...)
		for i, value := range values[name] {
			text = append(text, ":,"[min(i, 1)])
			text = append(text, strings.Join(strings.Fields(value), " ")...)
		}
		text = append(text, '\n')
	}
	return text, strings.Join(names, ";")
}

// key returns the key of a day.
func (s *Signer) key(secret, day string) []byte {
	k := s.today.Load()
	if k == nil || k.secret != secret || k.day != day {
		key := []byte("AWS4" + secret)
		for _, part := range []string{day, s.Region, s.Service, "aws4_request"} {
			key = hmacOf(key, []byte(part))
		}
		k = &dayKey{secret, day, string(key)}
		s.today.Store(k)
	}
	return []byte(k.key)
}

func hmacOf(key, text []byte) []byte {
	h := hmac.New(sha256.New, key)
	h.Write(text)
	return h.Sum(nil)
}
