package google

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

// A Resumable is an upload in chunks. Each is sent until the service has taken it.
type Resumable struct {
	service     *Service
	url         string // a secret: who knows it may write
	contentType string

	// Sum makes the headers that the last chunk is sent with, of the CRC32C of all that was sent;
	// nil = there are none.
	Sum func(crc32c uint32) (header, value string)
	// Asks makes the upload ask what the service has, before a chunk is sent again.
	Asks bool
	// Publish is called before the chunk that ends the upload is sent, and what it returns when
	// that is over; nil = nothing is. Its error ends the upload.
	Publish func(ctx context.Context) (done func(), err error)

	// Confirmed is told how far the upload has come when the service has taken a chunk that is not
	// the last, and Rest what there was of the next one when the body failed; nil = nobody is.
	Confirmed func(at Place)
	Rest      func(chunk []byte)

	resumed bool   // what the service has was not asked yet
	buffer  []byte // the chunk: what the service has not confirmed
	off     int64  // of the chunk
	sum     uint32 // CRC32C of everything up to the end of the chunk
	ends    bool   // nothing follows the chunk
}

// StartResumable begins an upload by a call of an upload: what it sends describes the content, of
// the type contentType.
func (s *Service) StartResumable(ctx context.Context, c Call, contentType string) (*Resumable, error) {
	described, err := json.Marshal(c.Sends)
	if err != nil {
		return nil, err
	}
	r, err := s.uploadRequest(ctx, c, "resumable", bytes.NewReader(described))
	if err != nil {
		return nil, err
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("X-Upload-Content-Type", contentType)
	answer, err := s.Send(r)
	if err != nil {
		return nil, err
	}
	if err := Decode(answer, nil); err != nil {
		return nil, err
	}
	place, err := answer.Location()
	if err != nil {
		return nil, errors.New("an upload was begun, but the answer does not say where it goes on")
	}
	return &Resumable{service: s, url: place.String(), contentType: contentType}, nil
}

// A Place is how far an upload has come: another process can go on there.
type Place struct {
	URL         string `json:"url"` // a secret: who knows it may write
	ContentType string `json:"type"`
	Off         int64  `json:"off"`
	Sum         uint32 `json:"crc32c"` // of all up to there
}

// ContinueResumable goes on with an upload that another process began. The service may have some
// more of the chunk that follows.
func (s *Service) ContinueResumable(at Place) *Resumable {
	return &Resumable{service: s, url: at.URL, contentType: at.ContentType, off: at.Off, sum: at.Sum, resumed: true}
}

// Confirms asks how much the service has of an upload. One that it does not know any more, or that
// is over, is remote.ErrNotExist.
func (s *Service) Confirms(ctx context.Context, at Place) (int64, error) {
	u := &Resumable{service: s, url: at.URL, contentType: at.ContentType}
	has, done, err := u.attempt(ctx, true, nil)
	var answer *AnswerError
	if done && err == nil || errors.As(err, &answer) && answer.Code < http.StatusInternalServerError &&
		answer.Code != http.StatusTooManyRequests && answer.Code != http.StatusForbidden && answer.Code != http.StatusUnauthorized {
		return 0, remote.ErrNotExist
	}
	return has, err
}

// GiveUp tells the service that an upload is not continued any more.
func (s *Service) GiveUp(ctx context.Context, at Place) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodDelete, at.URL, nil)
	if err != nil {
		return err
	}
	answer, err := s.Send(r)
	if err != nil {
		return err
	}
	return answer.Body.Close() // it is answered by an error of the client
}

// SendAll sends first and then what body gives, chunk by chunk, and decodes the last answer into
// stored. first is a whole chunk, or all there is; then body is nil.
func (u *Resumable) SendAll(ctx context.Context, first []byte, body io.Reader, memory *Memory, stored any) error {
	chunk := first
	u.take(chunk, body == nil)
	for {
		sent := memory.Upload.Sent()
		done, err := u.sendChunk(ctx, stored)
		if err != nil { // the request may still read it
			sent()
			return err
		}
		memory.Recycle(chunk)
		sent()
		if done {
			return nil
		}
		if u.Confirmed != nil {
			u.Confirmed(Place{u.url, u.contentType, u.off, u.sum})
		}
		room, err := memory.Chunk(ctx)
		if err != nil {
			return err
		}
		chunk, err = Fill(room, body)
		if err != nil && err != io.EOF {
			if u.Rest != nil {
				u.Rest(chunk)
			}
			return err
		}
		u.take(chunk, err == io.EOF)
	}
}

// take makes b the chunk.
func (u *Resumable) take(b []byte, ends bool) {
	u.buffer, u.ends = b, ends
	if u.Sum != nil {
		u.sum = crc32.Update(u.sum, crc32.MakeTable(crc32.Castagnoli), b)
	}
}

// Fill reads until b is full, and returns what it has read; io.EOF says that nothing follows it.
func Fill(b []byte, r io.Reader) ([]byte, error) {
	n, err := io.ReadFull(r, b)
	if err == io.ErrUnexpectedEOF {
		err = io.EOF
	}
	return b[:n], err
}

// sendChunk sends the chunk until the service has all of it, and reports whether the upload is
// done. An attempt that gets nothing across counts as a try.
func (u *Resumable) sendChunk(ctx context.Context, stored any) (done bool, err error) {
	if u.ends && u.Publish != nil {
		published, err := u.Publish(ctx)
		if err != nil {
			return false, err
		}
		defer published()
	}
	deadline := time.Now().Add(chunkTime)
	pause, tries := firstPause, u.service.Tries
	failed := false
	for {
		asked := failed && u.Asks || u.resumed
		kept, done, err := u.attempt(ctx, asked, stored)
		switch {
		case err == nil && done:
			return true, nil
		case err == nil:
			u.resumed = false
			if err := u.confirm(kept); err != nil {
				return false, err
			}
			if len(u.buffer) == 0 && !u.ends {
				return false, nil
			}
			if kept > 0 || asked {
				if kept > 0 {
					pause, tries, deadline = firstPause, u.service.Tries, time.Now().Add(chunkTime)
				}
				failed = false
				continue // with the rest, which it did not take
			}
			err = errors.New("the service does not take what is sent")
		case !passes(err) || ctx.Err() != nil:
			return false, err
		case u.service.Pace != nil && HasCode(err, http.StatusTooManyRequests):
			return false, err // it has been sent as often as it may
		}
		failed = true
		wait := time.Duration(rand.Int64N(int64(pause)) + 1)
		if tries--; tries <= 0 || time.Until(deadline) < wait {
			return false, remote.Repeated(err)
		}
		pause *= 2
		if remote.Sleep(ctx, wait) != nil {
			return false, err
		}
	}
}

// confirm takes away from the chunk the first n bytes, which the service has.
func (u *Resumable) confirm(n int64) error {
	if n < 0 || n > int64(len(u.buffer)) {
		return errors.New("the service has not kept what it confirmed, or more than it was sent")
	}
	u.buffer = u.buffer[n:]
	u.off += n
	return nil
}

// attempt sends the chunk once, or nothing where it only asks. It reports whether the upload is
// done, else how much of the chunk the service has.
func (u *Resumable) attempt(ctx context.Context, asks bool, stored any) (kept int64, done bool, err error) {
	chunk := u.buffer
	if asks {
		chunk = nil
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPut, u.url, bytes.NewReader(chunk))
	if err != nil {
		return 0, false, err
	}
	end := u.off + int64(len(chunk))
	span, total := "*", "*"
	if len(chunk) > 0 {
		span = fmt.Sprintf("%d-%d", u.off, end-1)
	}
	if u.ends && !asks {
		total = strconv.FormatInt(end, 10)
		if u.Sum != nil {
			r.Header.Set(u.Sum(u.sum))
		}
	}
	r.Header.Set("Content-Range", "bytes "+span+"/"+total)
	r.Header.Set("Content-Type", u.contentType)
	answer, err := u.service.Send(r)
	if err != nil {
		return 0, false, err
	}
	if answer.StatusCode != http.StatusPermanentRedirect { // which here says: go on
		return 0, true, Decode(answer, stored)
	}
	defer answer.Body.Close()
	_, _ = io.Copy(io.Discard, io.LimitReader(answer.Body, 1<<20)) // the connection serves the next request
	has, err := confirmed(answer.Header.Get("Range"))
	return has - u.off, false, err
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
	var answer *AnswerError
	if errors.As(err, &answer) {
		return answer.Code >= http.StatusInternalServerError || answer.Code == http.StatusTooManyRequests ||
			answer.Code == http.StatusRequestTimeout
	}
	for _, broken := range []error{io.EOF, io.ErrUnexpectedEOF, net.ErrClosed, syscall.ECONNREFUSED, syscall.ECONNRESET, syscall.EPIPE} {
		if errors.Is(err, broken) {
			return true
		}
	}
	var slow net.Error
	return errors.As(err, &slow) && slow.Timeout()
}
