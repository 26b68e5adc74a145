package drive

import (
	"cmp"
	"errors"
	"fmt"
	"net/http"
	"net/url"

	"golang.org/x/oauth2"

	"ferry/remote"
	"ferry/remote/driver/internal/google"
	"ferry/remote/network"
)

// fail wraps err, unless it is nil, and turns what the client reports into errors of package
// remote.
func (r *Remote) fail(op, name string, err error) error {
	return remote.Fail(op, name, r.service.translate(err))
}

// translate turns what the client reports into an error of package remote. No URL stays in it:
// those of uploads are secrets.
func (s *service) translate(err error) error {
	if remote.WasRepeated(err) {
		return remote.Repeated(s.meaning(err))
	}
	return s.meaning(err)
}

func (s *service) meaning(err error) error {
	var refused *oauth2.RetrieveError
	if errors.As(err, &refused) {
		return fmt.Errorf("%s: the credentials are refused (%s)%s: %w", s.host, refused.ErrorCode, s.again(), remote.ErrPermission)
	}
	var answer *google.AnswerError
	if errors.As(err, &answer) {
		return s.translateAnswer(answer)
	}
	var request *url.Error
	if !errors.As(err, &request) {
		return err
	}
	return network.Plain(s.host, "the option endpoint", err)
}

func (s *service) translateAnswer(answer *google.AnswerError) error {
	reason := cmp.Or(answer.Reason, http.StatusText(answer.Code))
	remedy, means := meaningOf(answer)
	if answer.Code == http.StatusUnauthorized {
		remedy = s.again()
	}
	err := fmt.Errorf("%s answers %d %s%s", s.host, answer.Code, reason, remedy)
	switch {
	case means == errPasses:
		return err
	case means == errTooMany:
		return remote.Repeated(err)
	case means == nil:
		return remote.Final(err)
	}
	return fmt.Errorf("%w: %w", err, means)
}

// again says what to do when the service does not accept the credentials.
func (s *service) again() string {
	if s.options.Login == "" {
		return ", check the options for the service account"
	}
	return ", log in again: " + s.options.Login
}

var (
	errPasses  = errors.New("it may be over soon")
	errTooMany = errors.New("there are too many requests, as often as it was tried")
)

// meaningOf returns what helps against a refusal, and what it means, nil for what nobody knows.
func meaningOf(answer *google.AnswerError) (remedy string, means error) {
	switch {
	case answer.Code == http.StatusTooManyRequests, google.IsRateLimit(answer.Reason):
		return "", errTooMany
	case answer.Code == http.StatusForbidden:
		return forbidden(answer.Reason)
	case answer.Code < http.StatusBadRequest, answer.Code >= http.StatusInternalServerError && answer.Code != http.StatusNotImplemented:
		return "", errPasses
	}
	switch answer.Code {
	case http.StatusBadRequest:
		return "", remote.ErrInvalid
	case http.StatusUnauthorized:
		return "", remote.ErrPermission
	case http.StatusRequestTimeout, http.StatusNotFound, http.StatusGone: // an id was looked up just before: something goes on
		return "", errPasses
	case http.StatusConflict:
		return "", remote.ErrExist
	case http.StatusPreconditionFailed:
		return "", remote.ErrChanged
	case http.StatusRequestEntityTooLarge:
		return "", remote.ErrTooLarge
	case http.StatusNotImplemented:
		return "", remote.ErrUnsupported
	}
	return "", nil
}

// forbidden returns the same of 403, by its reason.
func forbidden(reason string) (remedy string, means error) {
	switch reason {
	case "storageQuotaExceeded":
		return ", the drive is full: empty its trash, or buy space", remote.ErrNoSpace
	case "quotaExceeded", "teamDriveFileLimitExceeded", "numChildrenInNonRootLimitExceeded", "activeItemCreationLimitExceeded", "myDriveHierarchyDepthLimitExceeded", "teamDriveHierarchyTooDeep":
		return "", remote.ErrQuota
	case "dailyLimitExceeded", "dailyLimitExceededUnreg", "uploadLimitExceeded", "downloadQuotaExceeded":
		return ", a limit of this day is reached: it ends tomorrow, or with another client_id", nil
	case "accessNotConfigured":
		return ", turn on the Drive API in the project of client_id", remote.ErrPermission
	case "cannotDownloadAbusiveFile":
		return ", the service takes the file for dangerous: the option acknowledge_abuse reads it all the same", remote.ErrPermission
	case "insufficientPermissions", "insufficientScopes":
		return ", the option scope does not allow it: set it and log in again", remote.ErrPermission
	case "exportSizeLimitExceeded":
		return ", the document is too long to be exported", remote.ErrPermission
	}
	return "", remote.ErrPermission
}

// isGone reports whether err says that there is no file of an id, as far as the account can see.
func isGone(err error) bool {
	var answer *google.AnswerError
	return errors.As(err, &answer) &&
		(answer.Code == http.StatusNotFound || answer.Code == http.StatusForbidden && !google.IsRateLimit(answer.Reason))
}
