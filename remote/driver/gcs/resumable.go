package gcs

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"syscall"
	"time"

	"ferry/remote"
)

const (
	// chunkTime is how long a chunk is sent again when it fails.
	chunkTime = 32 * time.Second
	// firstPause is the longest time before the second attempt; before each further one it is twice
	// as long.
	firstPause = 100 * time.Millisecond
)

// A resumable is an upload in chunks. Each is sent until the service has taken it.
type resumable struct {
	service     *service
	url         string // a secret: who knows it may write
	contentType string

	buffer []byte // the chunk: what the service has not confirmed
	off    int64  // of the chunk
	sum    uint32 // CRC32C of everything up to the end of the chunk
	ends   bool   // nothing follows the chunk
}

// startResumable begins an upload of what o describes; query tells where it goes.
func (s *service) startResumable(ctx context.Context, path string, query url.Values, o *object) (*resumable, error) {
	described, err := json.Marshal(o)
	if err != nil {
		return nil, err
	}
	r, err := s.uploadRequest(ctx, path, "resumable", query, bytes.NewReader(described))
	if err != nil {
		return nil, err
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("X-Upload-Content-Type", o.ContentType)
	answer, err := s.send(r)
	if err != nil {
		return nil, err
	}
	if err := decode(answer, nil); err != nil {
		return nil, err
	}
	place, err := answer.Location()
	if err != nil {
		return nil, errors.New("an upload was begun, but the answer does not say where it goes on")
	}
	return &resumable{service: s, url: place.String(), contentType: o.ContentType}, nil
}

// sendAll sends first and then what body gives, chunk by chunk, and returns the object.
func (u *resumable) sendAll(ctx context.Context, first []byte, body io.Reader, memory *memory) (*object, error) {
	chunk := first
	u.take(chunk, false)
	for {
		sent := memory.upload.Sent()
		o, err := u.sendChunk(ctx)
		if err != nil { // the request may still read it
			sent()
			return nil, err
		}
		memory.Recycle(chunk)
		sent()
		if o != nil {
			return o, nil
		}
		room, err := memory.chunk(ctx)
		if err != nil {
			return nil, err
		}
		chunk, err = fill(room, body)
		if err != nil && err != io.EOF {
			return nil, err
		}
		u.take(chunk, err == io.EOF)
	}
}

// take makes b the chunk.
func (u *resumable) take(b []byte, ends bool) {
	u.buffer, u.ends = b, ends
	u.sum = crc32.Update(u.sum, castagnoli(), b)
}

// fill reads until b is full, and returns what it has read; io.EOF says that nothing follows it.
func fill(b []byte, r io.Reader) ([]byte, error) {
	n, err := io.ReadFull(r, b)
	if err == io.ErrUnexpectedEOF {
		err = io.EOF
	}
	return b[:n], err
}

// sendChunk sends the chunk until the service has all of it, and returns the object after the last
// one, else nil. An attempt that gets nothing across counts as a try.
func (u *resumable) sendChunk(ctx context.Context) (*object, error) {
	deadline := time.Now().Add(chunkTime)
	pause, tries := firstPause, u.service.tries
	for {
		kept, o, err := u.attempt(ctx)
		switch {
		case err == nil && o != nil:
			return o, nil
		case err == nil:
			if err := u.confirm(kept); err != nil {
				return nil, err
			}
			if len(u.buffer) == 0 && !u.ends {
				return nil, nil
			}
			if kept > 0 {
				pause, tries, deadline = firstPause, u.service.tries, time.Now().Add(chunkTime)
				continue // with the rest, which it did not take
			}
			err = errors.New("the service does not take what is sent")
		case !passes(err) || ctx.Err() != nil:
			return nil, err
		}
		wait := time.Duration(rand.Int64N(int64(pause)) + 1)
		if tries--; tries <= 0 || time.Until(deadline) < wait {
			return nil, remote.Repeated(err)
		}
		pause *= 2
		select {
		case <-ctx.Done():
			return nil, err
		case <-time.After(wait):
		}
	}
}

// confirm takes away from the chunk the first n bytes, which the service has.
func (u *resumable) confirm(n int64) error {
	if n < 0 || n > int64(len(u.buffer)) {
		return errors.New("the service has not kept what it confirmed, or more than it was sent")
	}
	u.buffer = u.buffer[n:]
	u.off += n
	return nil
}

// attempt sends the chunk once. It returns the object, if the upload is done, else how much of the
// chunk the service has.
func (u *resumable) attempt(ctx context.Context) (kept int64, o *object, err error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodPut, u.url, bytes.NewReader(u.buffer))
	if err != nil {
		return 0, nil, err
	}
	end := u.off + int64(len(u.buffer))
	span, total := "*", "*"
	if len(u.buffer) > 0 {
		span = fmt.Sprintf("%d-%d", u.off, end-1)
	}
	if u.ends {
		total = strconv.FormatInt(end, 10)
		r.Header.Set("X-Goog-Hash", "crc32c="+encodeSum(u.sum))
	}
	r.Header.Set("Content-Range", "bytes "+span+"/"+total)
	r.Header.Set("Content-Type", u.contentType)
	answer, err := u.service.send(r)
	if err != nil {
		return 0, nil, err
	}
	if answer.StatusCode != http.StatusPermanentRedirect { // which here says: go on
		o = new(object)
		return 0, o, decode(answer, o)
	}
	defer answer.Body.Close()
	_, _ = io.Copy(io.Discard, io.LimitReader(answer.Body, 1<<20)) // the connection serves the next request
	has, err := confirmed(answer.Header.Get("Range"))
	return has - u.off, nil, err
}

// confirmed returns how many bytes of an upload the service has, by the header of its answer.
func confirmed(span string) (int64, error) {
	if span == "" {
		return 0, nil
	}
	last, ok := strings.CutPrefix(span, "bytes=0-")
	n, err := strconv.ParseInt(last, 10, 64)
	if !ok || err != nil {
		return 0, errors.New("the service does not say what it has of an upload")
	}
	return n + 1, nil
}

// passes reports whether the same request may succeed a little later.
func passes(err error) bool {
	var answer *answerError
	if errors.As(err, &answer) {
		return answer.code >= http.StatusInternalServerError || answer.code == http.StatusTooManyRequests ||
			answer.code == http.StatusRequestTimeout
	}
	for _, broken := range []error{io.EOF, io.ErrUnexpectedEOF, net.ErrClosed, syscall.ECONNREFUSED, syscall.ECONNRESET, syscall.EPIPE} {
		if errors.Is(err, broken) {
			return true
		}
	}
	var slow net.Error
	return errors.As(err, &slow) && slow.Timeout()
}
