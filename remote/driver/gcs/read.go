package gcs

import (
	"context"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"net/http"
	"strconv"
	"strings"

	"ferry/remote"
	"ferry/remote/driver/internal/google"
	"ferry/remote/driver/internal/httpclient"
	"ferry/remote/driver/internal/objects"
)

// Open implements objects.Store. What is stored with gzip comes as it is: parts of what is unpacked
// would be wrong.
func (s *store) Open(ctx context.Context, k objects.Key, off, n int64) (objects.Content, error) {
	u := s.service.Base + objectPath(k.Bucket, k.Name) + "?alt=media"
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, u, nil)
	if err != nil {
		return objects.Content{}, s.translate(err)
	}
	r.Header.Set("Accept-Encoding", "gzip") // take it as it is stored
	if span := httpclient.Range(off, n); span != "" {
		r.Header.Set("Range", span)
	}
	answer, err := s.service.Send(r)
	if err != nil {
		return objects.Content{}, s.translate(err)
	}
	if answer.StatusCode == http.StatusRequestedRangeNotSatisfiable {
		answer.Body.Close()
		return objects.Content{ReadCloser: io.NopCloser(strings.NewReader(""))}, nil
	}
	if err := google.Check(answer); err != nil {
		answer.Body.Close()
		return objects.Content{}, s.translate(err)
	}
	if r.Header.Get("Range") != "" && answer.StatusCode != http.StatusPartialContent {
		answer.Body.Close()
		return objects.Content{}, fmt.Errorf("%s does not give parts of a file", s.host)
	}
	return objects.Content{ReadCloser: s.newReader(answer), Object: described(answer)}, nil
}

// described tells what the answer with a content says of the object.
func described(answer *http.Response) objects.Object {
	o := objects.Object{
		Size: answer.ContentLength, Version: answer.Header.Get("X-Goog-Generation"),
		Digest: remote.NewDigest(remote.CRC32C, wantedSum(answer.Header)),
	}
	if _, whole, ok := strings.Cut(answer.Header.Get("Content-Range"), "/"); ok {
		size, err := strconv.ParseInt(whole, 10, 64)
		if err != nil {
			o.Version = ""
		}
		o.Size = size
	}
	return o
}

// A reader translates the errors of reading, and checks the sum of a whole content.
type reader struct {
	store *store
	body  io.ReadCloser
	want  []byte // CRC32C; nil where it is not known, or not of this part
	sum   uint32
	table *crc32.Table
}

func (s *store) newReader(answer *http.Response) *reader {
	r := &reader{store: s, body: answer.Body, table: crc32.MakeTable(crc32.Castagnoli)}
	if answer.StatusCode == http.StatusOK {
		r.want = wantedSum(answer.Header)
	}
	return r
}

// wantedSum finds the CRC32C among the digests of an answer.
func wantedSum(h http.Header) []byte {
	for _, line := range h.Values("X-Goog-Hash") {
		for digest := range strings.SplitSeq(line, ",") {
			encoded, ok := strings.CutPrefix(strings.TrimSpace(digest), "crc32c=")
			if sum, err := base64.StdEncoding.DecodeString(encoded); ok && err == nil && len(sum) == crc32.Size {
				return sum
			}
		}
	}
	return nil
}

var errSum = errors.New("the content does not have the CRC32C that was promised")

func (r *reader) Read(p []byte) (int, error) {
	n, err := r.body.Read(p)
	if r.want != nil {
		r.sum = crc32.Update(r.sum, r.table, p[:n])
	}
	switch {
	case err == nil:
		return n, nil
	case err != io.EOF:
		return n, r.store.translate(err)
	case r.want != nil && binary.BigEndian.Uint32(r.want) != r.sum:
		return n, errSum
	}
	return n, io.EOF
}

func (r *reader) Close() error { return r.body.Close() }
