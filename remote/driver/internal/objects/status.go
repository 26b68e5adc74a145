package objects

import "net/http"

// MayPass reports whether an answer with a status that is an error may be another one the next
// time, because it was too much or too slow, or the server has a fault of its own. Any other one is
// about the request, and would come again.
func MayPass(status int) bool {
	switch status {
	case http.StatusRequestTimeout, http.StatusLocked, http.StatusTooEarly, http.StatusTooManyRequests, 499: // a proxy was left waiting
		return true
	}
	return status < http.StatusBadRequest || status >= http.StatusInternalServerError
}
