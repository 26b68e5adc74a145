package onedrive

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"

	"ferry/remote"
)

// An answerError is an answer that refuses a request. It satisfies errors.Is with the sentinels of
// package remote that it means.
type answerError struct {
	code   int
	reason string // the service's own word; "" where there is none
	host   string
	remedy string
}

// maxRefusal is how much of a refusal is read.
const maxRefusal = 64 << 10

// refused returns the error that answer is, and closes it. login is the command that logs in.
func refused(answer *http.Response, login string) error {
	defer answer.Body.Close()
	e := &answerError{code: answer.StatusCode, host: answer.Request.URL.Host}
	var says struct {
		Error struct {
			Code string `json:"code"`
		} `json:"error"`
	}
	body, err := io.ReadAll(io.LimitReader(answer.Body, maxRefusal))
	if err == nil && json.Unmarshal(body, &says) == nil { // what is no such JSON gives no reason
		e.reason = fmt.Sprintf("%.60s", says.Error.Code)
	}
	switch {
	case e.code == http.StatusUnauthorized:
		e.remedy = again(login)
	case e.code == http.StatusNotFound && e.reason != "itemNotFound":
		e.remedy = ", check the option drive_id, and endpoint if it is set"
	case e.code == http.StatusLocked:
		e.remedy = ", another program has it open"
	}
	if e.isFinal() {
		return remote.Final(e)
	}
	return e
}

// again says what to do when the service does not accept the login any more.
func again(login string) string { return ", log in again: " + login }

// isFinal reports whether an answer that means no sentinel would be the same once more.
func (e *answerError) isFinal() bool {
	switch e.code {
	case http.StatusRequestTimeout, http.StatusConflict, http.StatusGone, http.StatusLocked, http.StatusTooEarly,
		http.StatusTooManyRequests, http.StatusRequestedRangeNotSatisfiable, http.StatusNotFound, http.StatusForbidden,
		http.StatusNetworkAuthenticationRequired:
		return false
	}
	return e.code >= http.StatusBadRequest && e.code < http.StatusInternalServerError && e.sentinel() == nil
}

func (e *answerError) Error() string {
	reason := e.reason
	if reason == "" {
		reason = http.StatusText(e.code)
	}
	return fmt.Sprintf("%s answers %d %s%s", e.host, e.code, reason, e.remedy)
}

// Is says what the answer means.
func (e *answerError) Is(target error) bool {
	means := e.sentinel()
	return means != nil && target == means
}

// sentinel returns what an answer means, nil where it means nothing for good. Only the service
// itself knows that something does not exist, or is refused: others in between give no reason.
func (e *answerError) sentinel() error {
	switch {
	case e.code == http.StatusUnauthorized:
		return remote.ErrPermission
	case e.code == http.StatusInsufficientStorage, e.reason == "quotaLimitReached", e.reason == "insufficientStorage":
		return remote.ErrNoSpace
	case e.code == http.StatusRequestEntityTooLarge && e.reason != "":
		return remote.ErrTooLarge
	case e.reason == "":
		return nil
	}
	switch e.code {
	case http.StatusNotFound:
		if e.reason == "itemNotFound" {
			return remote.ErrNotExist
		}
	case http.StatusForbidden:
		return remote.ErrPermission
	case http.StatusConflict:
		if e.reason == "nameAlreadyExists" {
			return remote.ErrExist
		}
	case http.StatusPreconditionFailed:
		return remote.ErrChanged
	case http.StatusBadRequest:
		return remote.ErrInvalid
	case http.StatusMethodNotAllowed, http.StatusNotImplemented:
		return remote.ErrUnsupported
	}
	return nil
}

// codeOf returns the status of the answer that err is, 0 for any other error.
func codeOf(err error) int {
	var answer *answerError
	if errors.As(err, &answer) {
		return answer.code
	}
	return 0
}
