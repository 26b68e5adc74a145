package gcs

import (
	"cmp"
	"errors"
	"fmt"
	"net/http"

	"golang.org/x/oauth2"

	"ferry/remote"
	"ferry/remote/driver/internal/google"
	"ferry/remote/driver/internal/objects"
	"ferry/remote/network"
)

// translate turns what the client reports into an error of package remote. No URL stays in it:
// those of uploads are secrets.
func (s *store) translate(err error) error {
	if err == nil {
		return nil
	}
	if remote.WasRepeated(err) {
		return remote.Repeated(s.meaning(err))
	}
	return s.meaning(err)
}

func (s *store) meaning(err error) error {
	var refused *oauth2.RetrieveError
	if errors.As(err, &refused) {
		return fmt.Errorf("%s: the credentials are refused (%s), check their options: %w", s.host, refused.ErrorCode, remote.ErrPermission)
	}
	var answer *google.AnswerError
	if errors.As(err, &answer) {
		return s.translateAnswer(answer)
	}
	return network.Plain(s.host, "the option endpoint", err)
}

func (s *store) translateAnswer(answer *google.AnswerError) error {
	reason := cmp.Or(answer.Reason, http.StatusText(answer.Code))
	means := sentinel(answer.Code, reason)
	if means == nil {
		err := fmt.Errorf("%s answers %d %s", s.host, answer.Code, reason)
		passes := answer.Code == http.StatusForbidden || answer.Code == http.StatusGone || objects.MayPass(answer.Code)
		if passes { // too many requests, a session that has ended, and what may be over soon
			return err
		}
		return remote.Final(err)
	}
	remedy := ""
	if answer.Code == http.StatusUnauthorized {
		remedy = ", check the options for the credentials"
	}
	return fmt.Errorf("%s answers %d %s%s: %w", s.host, answer.Code, reason, remedy, means)
}

// sentinel returns what an answer means, or nil where trying again may help.
func sentinel(code int, reason string) error {
	if reason == "uploadTooLarge" {
		return remote.ErrTooLarge
	}
	switch code {
	case http.StatusBadRequest, http.StatusRequestedRangeNotSatisfiable:
		return remote.ErrInvalid
	case http.StatusRequestEntityTooLarge:
		return remote.ErrTooLarge
	case http.StatusUnauthorized:
		return remote.ErrPermission
	case http.StatusForbidden:
		if reason == "rateLimitExceeded" || reason == "userRateLimitExceeded" {
			return nil
		}
		if reason == "quotaExceeded" {
			return remote.ErrQuota
		}
		return remote.ErrPermission
	case http.StatusNotFound:
		return remote.ErrNotExist
	case http.StatusConflict:
		return remote.ErrExist
	case http.StatusPreconditionFailed:
		return remote.ErrChanged
	case http.StatusNotImplemented:
		return remote.ErrUnsupported
	}
	return nil
}
