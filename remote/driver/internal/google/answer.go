package google

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"

	"ferry/remote"
)

// maxAnswer is how long an answer without a content may be. A page of a thousand objects has some
// megabytes.
const maxAnswer = 64 << 20

// Decode reads an answer into v, unless that is nil, and closes it.
func Decode(answer *http.Response, v any) error {
	defer answer.Body.Close()
	if err := Check(answer); err != nil {
		return err
	}
	body := io.LimitReader(answer.Body, maxAnswer)
	if v == nil || answer.StatusCode == http.StatusNoContent {
		_, err := io.Copy(io.Discard, body)
		return err
	}
	b, err := io.ReadAll(body)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(b, v); err != nil {
		return fmt.Errorf("%w: check the option endpoint", remote.ErrMalformed)
	}
	return nil
}

// An AnswerError is an answer that refuses a request.
type AnswerError struct {
	Code   int
	Reason string // the service's own word, where it gave one
}

func (e *AnswerError) Error() string {
	return strings.TrimSpace(fmt.Sprintf("%d %s", e.Code, e.Reason))
}

// HasCode reports whether err is an answer with that status.
func HasCode(err error, code int) bool {
	var answer *AnswerError
	return errors.As(err, &answer) && answer.Code == code
}

// Check returns what an answer refuses, an *AnswerError, or nil. It does not close it.
func Check(answer *http.Response) error {
	if answer.StatusCode >= http.StatusOK && answer.StatusCode < http.StatusMultipleChoices {
		return nil
	}
	return &AnswerError{Code: answer.StatusCode, Reason: reason(answer)}
}

// reason returns the word of the service for a refusal, "" where there is none. The answer can be
// read again afterwards.
func reason(answer *http.Response) string {
	var says struct {
		Error struct {
			Errors []struct {
				Reason string `json:"reason"`
			} `json:"errors"`
		} `json:"error"`
	}
	// What is not such a JSON, as from a proxy, gives no reason.
	body, err := io.ReadAll(io.LimitReader(answer.Body, 1<<20))
	answer.Body = &reread{bytes.NewReader(body), answer.Body}
	if err == nil && json.Unmarshal(body, &says) == nil && len(says.Error.Errors) > 0 {
		return says.Error.Errors[0].Reason
	}
	return ""
}

// A reread is the body of an answer that was read before.
type reread struct {
	io.Reader
	io.Closer
}
