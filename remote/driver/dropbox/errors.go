package dropbox

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"syscall"
	"time"

	"golang.org/x/oauth2"

	"ferry/remote"
	"ferry/remote/network"
)

// fail wraps err, unless it is nil, in terms of package remote.
func fail(op, name string, err error) error {
	return remote.Fail(op, name, translate(err))
}

// translate takes URLs off an error, which tell nothing that the rest does not, and says what it
// means.
func translate(err error) error {
	if remote.WasRepeated(err) {
		return remote.Repeated(meaning(err))
	}
	return meaning(err)
}

func meaning(err error) error {
	var denied *oauth2.RetrieveError
	if errors.As(err, &denied) {
		return fmt.Errorf("the login has ended (%s), log in again: %w", denied.ErrorCode, remote.ErrPermission)
	}
	var request *url.Error
	if errors.As(err, &request) {
		err = request.Err
	}
	if err == io.EOF {
		err = io.ErrUnexpectedEOF // the connection ended before the answer; it is not the end of a file
	}
	if unreachable(err) {
		return fmt.Errorf("the server of Dropbox cannot be reached, check the network and the option endpoint: %w", err)
	}
	return err
}

// unreachable reports whether there is no connection at all.
func unreachable(err error) bool {
	var dial *net.OpError
	return errors.As(err, &dial) && dial.Op == "dial"
}

// A refusal is an answer that refuses a request.
type refusal struct {
	route string
	code  int
	tags  string // why, from the general to the particular, with slashes between: path/conflict/file
	text  string // why, where there are no tags
	login string // the command that logs in again
	after time.Duration
	// offset is how much an upload session has, where a request continued it at another place.
	offset int64
}

func (e *refusal) Error() string {
	why := e.tags
	if why == "" {
		why = e.text
	}
	if why == "" {
		why = http.StatusText(e.code)
	}
	remedy := ""
	switch e.code {
	case http.StatusUnauthorized:
		remedy = ", log in again: " + e.login
	case http.StatusForbidden:
		remedy = ": the app lacks the permission, or the account"
	}
	return fmt.Sprintf("Dropbox answers %s with %d %s%s", e.route, e.code, why, remedy)
}

// Unwrap returns the error of package remote that it is, nil where there is none.
func (e *refusal) Unwrap() error {
	switch {
	case e.code == http.StatusConflict:
		return sentinel(e.tags)
	case e.code == http.StatusUnauthorized, e.code == http.StatusForbidden:
		return remote.ErrPermission
	case e.code == http.StatusRequestEntityTooLarge:
		return remote.ErrTooLarge
	case e.code == http.StatusBadRequest:
		return remote.ErrInvalid
	}
	if passes(e) || e.code >= http.StatusInternalServerError {
		return nil
	}
	return remote.Final(errAnswer)
}

var errAnswer = errors.New("an answer that is not known")

// has reports whether tags are among those of err, one behind the other.
func has(err error, tags string) bool {
	var e *refusal
	return errors.As(err, &e) && strings.Contains("/"+e.tags+"/", "/"+tags+"/")
}

// sentinel returns what tags mean, nil where a repetition may help.
func sentinel(tags string) error {
	for _, row := range []struct {
		tag   string
		means error
	}{
		{"lookup_failed", nil}, // of an upload session: another one can be begun
		{"incorrect_offset", nil},
		{"content_hash_mismatch", nil},
		{"reset", nil},
		{"internal_error", nil},
		{"not_found", remote.ErrNotExist},
		{"not_file", remote.ErrIsDir},
		{"not_folder", remote.ErrNotDir},
		{"file_ancestor", remote.ErrNotDir},
		{"conflict/folder", remote.ErrIsDir},
		{"conflict", remote.ErrExist},
		{"malformed_path", remote.ErrBadName},
		{"disallowed_name", remote.ErrBadName},
		{"payload_too_large", remote.ErrTooLarge},
		{"too_large", remote.ErrTooLarge},
		{"cant_move_folder_into_itself", remote.ErrInvalid},
		{"duplicated_or_nested_paths", remote.ErrInvalid},
		{"upload_traffic_limit_reached", remote.ErrQuota},
		{"unsupported_file", remote.ErrPermission},
		{"unsupported_content_type", remote.ErrPermission},
		{"no_write_permission", remote.ErrPermission},
		{"restricted_content", remote.ErrPermission},
		{"access_restricted", remote.ErrPermission},
		{"operation_suppressed", remote.ErrPermission},
		{"locked", remote.ErrPermission},
		{"team_folder", remote.ErrPermission},
		{"too_many_files", remote.ErrPermission},
	} {
		if strings.Contains("/"+tags+"/", "/"+row.tag+"/") {
			return row.means
		}
	}
	switch {
	case strings.Contains(tags, "insufficient_"):
		return remote.ErrQuota
	case strings.Contains(tags, "cant_"):
		return remote.ErrPermission
	case strings.Contains(tags, tooManyWrites), strings.Contains(tags, tooManyTargets):
		return nil
	}
	return remote.Final(errAnswer)
}

const (
	tooManyWrites  = "too_many_write_operations"
	tooManyTargets = "too_many_shared_folder_targets"
)

// tooMany reports whether err says that there are too many requests, and how long to wait where it
// says that, too.
func tooMany(err error) (bool, time.Duration) {
	var e *refusal
	if !errors.As(err, &e) {
		return false, 0
	}
	return e.code == http.StatusTooManyRequests || has(err, tooManyWrites) || e.code == http.StatusServiceUnavailable && e.after > 0, e.after
}

// passes reports whether the same request may succeed a little later.
func passes(err error) bool {
	var e *refusal
	if errors.As(err, &e) {
		switch e.code {
		case http.StatusInternalServerError, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
			return true
		}
		return e.code == http.StatusTooManyRequests || e.code == http.StatusRequestTimeout ||
			has(err, "content_hash_mismatch")
	}
	for _, broken := range []error{io.EOF, io.ErrUnexpectedEOF, net.ErrClosed, syscall.ECONNREFUSED, syscall.ECONNRESET, syscall.EPIPE} {
		if errors.Is(err, broken) {
			return true
		}
	}
	var slow net.Error
	return errors.As(err, &slow) && slow.Timeout()
}

// check returns what an answer refuses, or nil. It does not close it.
func (s *service) check(got *http.Response, route string) error {
	if got.StatusCode >= 200 && got.StatusCode < 300 {
		return nil
	}
	e := &refusal{route: route, code: got.StatusCode, login: s.login}
	e.after, _ = network.RetryAfter(got.Header.Get("Retry-After"))
	body, err := io.ReadAll(io.LimitReader(got.Body, 1<<20))
	if err != nil {
		return e
	}
	var says struct {
		Error json.RawMessage `json:"error"`
	}
	if json.Unmarshal(body, &says) == nil && len(says.Error) > 0 {
		e.read(says.Error)
	} else if strings.HasPrefix(got.Header.Get("Content-Type"), "text/plain") {
		e.text, _, _ = strings.Cut(strings.ToValidUTF8(string(body[:min(len(body), 200)]), ""), "\n")
	}
	return e
}

// read reads the tags of an error: each names what holds the next one.
func (e *refusal) read(text json.RawMessage) {
	var tags []string
	for len(tags) < 10 {
		var node map[string]json.RawMessage
		if json.Unmarshal(text, &node) != nil {
			break
		}
		var tag string
		if json.Unmarshal(node[".tag"], &tag) == nil && tag != "" {
			tags = append(tags, tag)
		}
		_ = json.Unmarshal(node["correct_offset"], &e.offset)
		next, ok := node[tag]
		if !ok {
			next, ok = node["reason"]
		}
		if !ok {
			break
		}
		text = next
	}
	e.tags = strings.Join(tags, "/")
}

// offsetOf returns how much an upload session has, as err says.
func offsetOf(err error) int64 {
	var e *refusal
	if errors.As(err, &e) {
		return e.offset
	}
	return -1
}
