package s3

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"iter"
	"mime"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"
	"github.com/minio/minio-go/v7/pkg/signer"

	"ferry/remote"
	"ferry/remote/network"
	"ferry/remote/notice"
)

const (
	watchPing = time.Second // how often the server is asked to show that it is there
	// Without a sign of it the connection counts as broken. There are versions that hold back all
	// they have to tell, signs included, until it is 4 KiB: then it comes up to four minutes late.
	watchSilence = 5 * time.Minute
	maxEvents    = 4 << 20 // bytes in what the server tells at once
)

// Watch implements remote.Watcher on MinIO, whose servers tell of events on a connection that stays
// open. It is ErrUnsupported on any other: Amazon's tell queues that are to be set up beside the
// bucket. A server that has too much to tell leaves some of it out, and does not say so.
func (r *Remote) Watch(ctx context.Context, _ time.Duration) iter.Seq2[remote.Change, error] {
	return func(yield func(remote.Change, error) bool) {
		taken := true
		err := r.listen(ctx, func(c remote.Change) bool {
			taken = yield(c, nil)
			return taken
		})
		if taken {
			yield(remote.Change{}, r.explain(ctx, "watch", ".", err))
		}
	}
}

// listen calls tell with every change until it returns false, or with the error that ends the
// connection.
func (r *Remote) listen(ctx context.Context, tell func(remote.Change) bool) error {
	if r.opt.host == defaultHost {
		return remote.ErrUnsupported
	}
	own, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	silence := time.AfterFunc(watchSilence, func() { cancel(errSilence) })
	defer silence.Stop()
	transport := r.transport.Clone()
	transport.ResponseHeaderTimeout = 0
	defer transport.CloseIdleConnections()
	events, err := r.events(own, transport)
	if err == nil {
		defer events.Close()
		err = r.read(heard{events, silence}, tell)
	}
	if err != nil && context.Cause(own) == errSilence {
		return errSilence
	}
	return err
}

// read calls tell with every change of which there is something to read until it returns false.
func (r *Remote) read(events io.Reader, tell func(remote.Change) bool) error {
	if !tell(remote.Everything()) {
		return nil
	}
	lines := bufio.NewScanner(events)
	lines.Buffer(nil, maxEvents)
	for lines.Scan() {
		line := bytes.TrimSpace(lines.Bytes())
		if len(line) == 0 {
			continue
		}
		told, err := notice.ParseStream(line)
		if err != nil {
			return fmt.Errorf("the server told of something that is no event: %w", err)
		}
		for i := range told {
			for _, c := range told[i].Changes(r) {
				if !tell(c) {
					return nil
				}
			}
		}
	}
	if err := lines.Err(); err != nil {
		return err
	}
	return errEventsEnd
}

// heard is what can be read of a server; each piece ends its silence.
type heard struct {
	io.Reader
	silence *time.Timer
}

func (h heard) Read(p []byte) (int, error) {
	n, err := h.Reader.Read(p)
	if n > 0 {
		h.silence.Reset(watchSilence)
	}
	return n, err
}

var (
	errSilence   = fmt.Errorf("the server has told nothing for %v, not even that it is there", watchSilence)
	errEventsEnd = errors.New("the server has ended the connection on which it tells of events")
)

// events opens the connection. When it returns, the server has begun to listen for itself.
func (r *Remote) events(ctx context.Context, transport *network.Transport) (io.ReadCloser, error) {
	q, err := r.eventsRequest(ctx)
	if err != nil {
		return nil, err
	}
	a, err := transport.RoundTrip(q)
	if err != nil {
		return nil, &url.Error{Op: q.Method, Err: err} // the form of all failures on the way
	}
	if a.StatusCode != http.StatusOK {
		defer a.Body.Close()
		return nil, refusedEvents(a)
	}
	if kind, _, _ := mime.ParseMediaType(a.Header.Get("Content-Type")); kind != "text/event-stream" {
		a.Body.Close()
		return nil, remote.ErrUnsupported // it has listed the bucket
	}
	return a.Body, nil
}

// eventsRequest makes the request, which looks like one to list the bucket, or all of them, to
// servers that do not know it.
func (r *Remote) eventsRequest(ctx context.Context) (*http.Request, error) {
	query := url.Values{
		"ping":     {fmt.Sprint(int(watchPing / time.Second))},
		"events":   {"s3:BucketCreated:*", "s3:BucketRemoved:*", "s3:ObjectCreated:*", "s3:ObjectRemoved:*"}, // sorted, as in what is signed
		"prefix":   {r.root.Prefix()},
		"suffix":   {""},
		"max-keys": {"1"},
	}
	if strings.ContainsAny(r.root.Name, `\*?`) { // which the server would refuse, or take for a pattern
		query.Set("prefix", "")
	}
	u := url.URL{Scheme: "http", Host: r.opt.host, Path: "/", RawQuery: query.Encode()}
	if r.opt.secure {
		u.Scheme = "https"
	}
	if bucket := r.root.Bucket; bucket != "" && r.lookup(bucket) == minio.BucketLookupDNS {
		u.Host = bucket + "." + u.Host
	} else if bucket != "" {
		u.Path = "/" + bucket + "/"
	}
	q, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return nil, err
	}
	return r.sign(q)
}

// sign signs a request without a body.
func (r *Remote) sign(q *http.Request) (*http.Request, error) {
	creds, err := r.once.GetCreds()
	if err != nil {
		return nil, err
	}
	region := r.opt.Region
	if region == "" {
		region = defaultRegion
	}
	switch {
	case creds.AccessKeyID == "" || creds.SecretAccessKey == "":
		return q, nil
	case creds.SignerType == credentials.SignatureV2:
		return signer.SignV2(*q, creds.AccessKeyID, creds.SecretAccessKey, q.URL.Host != r.opt.host), nil
	}
	empty := sha256.Sum256(nil)
	q.Header.Set("X-Amz-Content-Sha256", hex.EncodeToString(empty[:]))
	return signer.SignV4(*q, creds.AccessKeyID, creds.SecretAccessKey, creds.SessionToken, region), nil
}
