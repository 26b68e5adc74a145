package s3

import (
	"bytes"
	"cmp"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"
	"github.com/minio/minio-go/v7/pkg/s3utils"
)

// unsignedPayload stands for the checksum of a content that the signature does not cover.
const unsignedPayload = "UNSIGNED-PAYLOAD"

// expressSuffix ends the names of buckets of S3 Express, which have sessions.
const expressSuffix = "--x-s3"

// putWhole stores a file in one request.
func (r *Remote) putWhole(ctx context.Context, c *minio.Core, at place, content []byte, o minio.PutObjectOptions) (minio.UploadInfo, error) {
	md5sum, sha256sum := r.digests(content)
	o.DisableContentSha256 = true // the digest is there already
	if c == r.again && r.signs(at.Bucket) {
		c = r.unsigned
	}
	ctx = context.WithValue(ctx, wholeKey{}, whole{content, cmp.Or(sha256sum, unsignedPayload)})
	return c.PutObject(ctx, at.Bucket, at.Name, bytes.NewReader(content), int64(len(content)), md5sum, sha256sum, o)
}

// A whole is the content of an object, and its SHA-256 as the signature has it.
type whole struct {
	content []byte
	sum     string
}

// wholeKey is that of a whole in the values of a context.
type wholeKey struct{}

// inMemory gives requests the content in their context as a body. It is what they have already, but
// in a form that the transport knows to be in memory: so it sends header and content together, and
// again on another connection where nothing was sent.
type inMemory struct {
	http.RoundTripper
	signer *daySigner // of the requests, which are not signed yet; nil = they are
}

// RoundTrip implements http.RoundTripper.
func (m inMemory) RoundTrip(q *http.Request) (*http.Response, error) {
	w, ok := q.Context().Value(wholeKey{}).(whole)
	if !ok || q.Method != http.MethodPut || q.ContentLength != int64(len(w.content)) {
		return m.RoundTripper.RoundTrip(q)
	}
	q = q.WithContext(q.Context())
	if q.Body != nil {
		q.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(w.content)), nil }
		q.Body, _ = q.GetBody() // never fails
	}
	if m.signer != nil {
		q.Header = maps.Clone(q.Header)
		if err := m.signer.sign(q, w.sum); err != nil {
			return nil, err
		}
	}
	return m.RoundTripper.RoundTrip(q)
}

// signs reports whether requests that store objects in a bucket are signed by a daySigner: not
// those that want another signature or other keys, or of which only the library knows the region.
// Keys that are missing yet, or not good any more, are left to the library, which waits for new
// ones.
func (r *Remote) signs(bucket string) bool {
	if r.unsigned == nil || strings.HasSuffix(bucket, expressSuffix) || r.keys.IsExpired() {
		return false
	}
	keys, err := r.keys.GetWithContext(nil)
	return err == nil && keys.SignerType.IsV4() && keys.AccessKeyID != "" && keys.SecretAccessKey != ""
}

// A daySigner signs requests that store an object with AWS's signature of version 4. The library
// does the same in a third of the time that its whole request takes: it makes the key of the day
// anew each time, and all else of many small pieces.
type daySigner struct {
	keys   *credentials.Credentials
	region string
	today  atomic.Pointer[dayKey]
}

// A dayKey is made of a secret key, and good for a day.
type dayKey struct{ secret, day, key string }

const signAlgorithm = "AWS4-HMAC-SHA256"

// sign adds the signature to a request without a query. sum is the SHA-256 of its body, or
// unsignedPayload.
func (s *daySigner) sign(q *http.Request, sum string) error {
	keys, err := s.keys.GetWithContext(&credentials.CredContext{Client: http.DefaultClient, Context: q.Context()})
	if err != nil {
		return err
	}
	s.signAt(q, sum, keys, time.Now().UTC())
	return nil
}

func (s *daySigner) signAt(q *http.Request, sum string, keys credentials.Value, now time.Time) {
	stamp := now.Format("20060102T150405Z")
	day := stamp[:len("20060102")]
	q.Header["X-Amz-Date"] = []string{stamp}
	q.Header["X-Amz-Content-Sha256"] = []string{sum}
	if keys.SessionToken != "" {
		q.Header["X-Amz-Security-Token"] = []string{keys.SessionToken}
	}
	scope := day + "/" + s.region + "/s3/aws4_request"
	text := make([]byte, 0, 2<<10)
	text = append(text, q.Method...)
	text = append(text, '\n')
	text = append(text, s3utils.EncodePath(q.URL.Path)...)
	text = append(text, "\n\n"...)
	text, signed := appendHeaders(text, q)
	text = append(text, '\n')
	text = append(text, signed...)
	text = append(text, '\n')
	text = append(text, sum...)

	request := sha256.Sum256(text)
	text = append(text[:0], signAlgorithm+"\n"...)
	text = append(text, stamp...)
	text = append(text, '\n')
	text = append(text, scope...)
	text = append(text, '\n')
	text = hex.AppendEncode(text, request[:])
	mac := hmacOf(s.key(keys.SecretAccessKey, day), text)
	q.Header["Authorization"] = []string{signAlgorithm + " Credential=" + keys.AccessKeyID + "/" + scope +
		", SignedHeaders=" + signed + ", Signature=" + hex.EncodeToString(mac)}
}

// appendHeaders appends the lines of a request's header as they are signed, and returns their names
// too. What somebody on the way may change is left out.
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
func (s *daySigner) key(secret, day string) []byte {
	k := s.today.Load()
	if k == nil || k.secret != secret || k.day != day {
		key := []byte("AWS4" + secret)
		for _, part := range []string{day, s.region, "s3", "aws4_request"} {
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
