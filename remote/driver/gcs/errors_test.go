package gcs

import (
	"testing"

	"golang.org/x/oauth2"

	"ferry/remote"
	"ferry/remote/driver/internal/google"
)

func TestWhichAnswersAreAboutTheObject(t *testing.T) {
	s := &store{host: "h"}
	for status, about := range map[int]bool{413: true, 301: false, 302: false, 400: false, 401: false, 403: false, 404: false, 409: false, 412: false, 429: false, 500: false, 501: false, 503: false, 511: false} {
		if got := remote.RefusesObject(s.translate(&google.AnswerError{Code: status})); got != about {
			t.Errorf("status %d is about the object: %t", status, got)
		}
	}
	if remote.RefusesObject(s.translate(&oauth2.RetrieveError{ErrorCode: "invalid_grant"})) {
		t.Error("refused credentials are about the object")
	}
}
