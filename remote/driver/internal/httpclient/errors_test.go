package httpclient

import (
	"testing"

	"ferry/remote"
)

func TestWhichAnswersAreAboutTheObject(t *testing.T) {
	for status, about := range map[int]bool{
		413: true, 414: true,
		301: false, 302: false, 303: false, 307: false, 308: false, 400: false, 401: false, 403: false, 404: false, 405: false, 407: false,
		409: false, 410: false, 412: false, 415: false, 423: false, 429: false, 500: false, 501: false, 502: false, 503: false, 507: false, 511: false,
	} {
		if got := remote.RefusesObject(&StatusError{Method: "PUT", Code: status}); got != about {
			t.Errorf("status %d is about the object: %t", status, got)
		}
	}
}
