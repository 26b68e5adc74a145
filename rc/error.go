package rc

import (
	"errors"
	"fmt"
	"io/fs"
	"net/http"
)

// A statusError is an error with an HTTP status.
type statusError struct {
	status int
	err    error
}

func (e *statusError) Error() string { return e.err.Error() }

func (e *statusError) Unwrap() error { return e.err }

func withStatus(status int, format string, args ...any) error {
	return &statusError{status, fmt.Errorf(format, args...)}
}

// badParam is the error of a missing or invalid parameter.
func badParam(format string, args ...any) error {
	return withStatus(http.StatusBadRequest, format, args...)
}

// statusOf returns the HTTP status for the error of a call: not found is 404, any other failure
// 500.
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
