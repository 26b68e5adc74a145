package rc

import (
	"errors"
	"fmt"
	"io/fs"
	"net/http"
)

// A statusError has the HTTP status that answers it.
type statusError struct {
	status int
	err    error
}

func (e *statusError) Error() string { return e.err.Error() }

func (e *statusError) Unwrap() error { return e.err }

func withStatus(status int, format string, args ...any) error {
	return &statusError{status, fmt.Errorf(format, args...)}
}

// badParam is the error of a parameter that is missing or means nothing.
func badParam(format string, args ...any) error {
	return withStatus(http.StatusBadRequest, format, args...)
}

// statusOf returns the HTTP status for the error of a call: what a call does not find is 404, what
// it cannot do is 500.
func statusOf(err error) int {
	var s *statusError
	switch {
	case errors.As(err, &s):
		return s.status
	case errors.Is(err, fs.ErrNotExist):
		return http.StatusNotFound
	}
	return http.StatusInternalServerError
}
