package httpclient

import (
	"fmt"
	"net/http"

	"ferry/remote"
)

// A StatusError is an answer that is not what was asked for. It satisfies errors.Is with the
// sentinels of package remote that its status means whatever was asked; a status without such a
// meaning may be worth another try.
type StatusError struct {
	Method string
	Code   int
	Host   string
	// RetryAfter is how long the server asks to wait, as it says it; "" where it does not.
	RetryAfter string
}

// Refused returns the StatusError that resp is, and drains it.
func Refused(resp *http.Response) error {
	Drain(resp)
	return &StatusError{
		Method: resp.Request.Method, Code: resp.StatusCode, Host: resp.Request.URL.Host,
		RetryAfter: resp.Header.Get("Retry-After"),
	}
}

func (e *StatusError) Error() string {
	text := http.StatusText(e.Code)
	switch e.Code {
	case http.StatusUnauthorized:
		text += ", check the options for the user and the password or token"
	case http.StatusMovedPermanently, http.StatusFound, http.StatusTemporaryRedirect, http.StatusPermanentRedirect:
		text += ", check the option url"
	}
	return fmt.Sprintf("the server %s answers %s with %d (%s)", e.Host, e.Method, e.Code, text)
}

// Is says what the status means.
func (e *StatusError) Is(target error) bool {
	switch e.Code {
	case http.StatusNotFound, http.StatusGone:
		return target == remote.ErrNotExist
	case http.StatusUnauthorized, http.StatusForbidden, http.StatusProxyAuthRequired:
		return target == remote.ErrPermission
	case http.StatusRequestURITooLong:
		return target == remote.ErrBadName
	case http.StatusInsufficientStorage:
		return target == remote.ErrNoSpace
	case http.StatusMethodNotAllowed, http.StatusNotImplemented, http.StatusMovedPermanently, http.StatusFound,
		http.StatusSeeOther, http.StatusTemporaryRedirect, http.StatusPermanentRedirect:
		return target == remote.ErrUnsupported
	case http.StatusRequestEntityTooLarge:
		return target == remote.ErrTooLarge
	case http.StatusBadRequest, http.StatusUnsupportedMediaType:
		return target == remote.ErrInvalid
	}
	return false
}
