package onedrive

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"ferry/remote"
)

// fragmentTime is how long a fragment is sent again when it fails.
const fragmentTime = time.Minute

// begun is what the service says of a session.
type begun struct {
	UploadURL string   `json:"uploadUrl"`
	Expected  []string `json:"nextExpectedRanges"`
}

// sendFragment sends the chunk until the service has all of it, and returns the file after the last
// one, else nil. Where an answer is lost, the session is asked what it has.
func (s *session) sendFragment(ctx context.Context) (*item, error) {
	deadline := time.Now().Add(fragmentTime)
	for attempt := 0; len(s.chunk) > 0; attempt++ {
		stored, kept, err := s.sendOnce(ctx)
		if err == nil && stored != nil {
			return stored, nil
		}
		if err != nil {
			if !s.mayPass(err) || ctx.Err() != nil {
				return nil, err
			}
			wait := retryAfter("", attempt)
			if attempt+1 >= s.remote.api.tries || time.Until(deadline) < wait {
				return nil, remote.Repeated(err)
			}
			if err := remote.Sleep(ctx, wait); err != nil {
				return nil, err
			}
			var askErr error
			if kept, askErr = s.ask(ctx); askErr != nil {
				if errors.Is(askErr, errSessionGone) {
					return nil, errSessionGone
				}
				continue // the fragment itself shows whether the service can be reached again
			}
		}
		if kept < s.off || kept > s.off+int64(len(s.chunk)) {
			return nil, errors.New("the service has not kept what it confirmed of an upload, or more than it was sent")
		}
		s.chunk, s.off = s.chunk[kept-s.off:], kept
	}
	return nil, nil
}

// sendOnce sends the chunk. It returns the file, if the upload is done, else how much of it all the
// service has.
func (s *session) sendOnce(ctx context.Context) (stored *item, kept int64, err error) {
	end := s.off + int64(len(s.chunk))
	sending := ctx
	if end < s.size {
		sending = quiet(ctx)
	}
	answer, err := s.remote.api.send(sending, call{
		method: http.MethodPut,
		url:    s.url,
		header: map[string]string{
			"Content-Range": fmt.Sprintf("bytes %d-%d/%d", s.off, end-1, s.size),
			"Content-Type":  "application/octet-stream",
		},
		body: s.chunk,
		open: true,
	})
	if err != nil {
		return nil, 0, err
	}
	switch answer.StatusCode {
	case http.StatusOK, http.StatusCreated:
		defer answer.Body.Close()
		stored = new(item)
		return stored, 0, decode(answer, stored)
	case http.StatusAccepted:
		defer answer.Body.Close()
		var b begun
		if err := decode(answer, &b); err != nil {
			return nil, 0, err
		}
		kept, err := b.expected()
		return nil, kept, err
	}
	return nil, 0, refused(answer, s.remote.api.login)
}

// mayPass reports whether the session should be asked what it has after err.
func (s *session) mayPass(err error) bool {
	code := codeOf(err)
	switch {
	case errors.Is(err, remote.ErrNoSpace), remote.WasRepeated(err):
		return false
	case code >= http.StatusInternalServerError, code == http.StatusRequestedRangeNotSatisfiable, code == http.StatusNotFound,
		code == http.StatusRequestTimeout, code == http.StatusGone:
		return true
	}
	return code == 0 && !remote.Permanent(err)
}

// ask asks the session how much it has.
func (s *session) ask(ctx context.Context) (int64, error) {
	var b begun
	err := s.remote.api.do(ctx, call{method: http.MethodGet, url: s.url, open: true}, &b)
	if code := codeOf(err); code == http.StatusNotFound || code == http.StatusGone {
		return 0, errSessionGone
	}
	if err != nil {
		return 0, err
	}
	return b.expected()
}

// expected reads where the service wants an upload to go on.
func (b begun) expected() (int64, error) {
	if len(b.Expected) == 0 {
		return 0, errors.New("the service does not say what it has of an upload")
	}
	var first int64
	if _, err := fmt.Sscanf(b.Expected[0], "%d-", &first); err != nil || first < 0 {
		return 0, errors.New("the service does not say what it has of an upload")
	}
	return first, nil
}
