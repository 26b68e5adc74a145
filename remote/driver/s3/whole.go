package s3

import (
	"bytes"
	"cmp"
	"context"
	"io"
	"maps"
	"net/http"
	"strings"
	"time"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"
	"github.com/minio/minio-go/v7/pkg/s3utils"

	"ferry/remote/network/sigv4"
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

// A daySigner signs requests that store an object. The library does the same in a third of the time
// that its whole request takes: it makes the key of the day anew each time, and all else of many
// small pieces.
type daySigner struct {
	keys *credentials.Credentials
	sigv4.Signer
}

// sign adds the signature to a request without a query. sum is the SHA-256 of its body, or
// unsignedPayload.
func (s *daySigner) sign(q *http.Request, sum string) error {
	keys, err := s.keys.GetWithContext(&credentials.CredContext{Client: http.DefaultClient, Context: q.Context()})
	if err != nil {
		return err
	}
	s.signAt(q, sum, keys, time.Now())
	return nil
}

func (s *daySigner) signAt(q *http.Request, sum string, keys credentials.Value, now time.Time) {
	q.Header["X-Amz-Content-Sha256"] = []string{sum}
	s.Sign(q, s3utils.EncodePath(q.URL.Path), sum, sigv4.Keys{ID: keys.AccessKeyID, Secret: keys.SecretAccessKey, Token: keys.SessionToken}, now)
}
