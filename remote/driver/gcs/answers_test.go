package gcs_test

import (
	"fmt"
	"net/http"
	"testing"

	"ferry/remote"
	"ferry/remote/driver/gcs"
	"ferry/remote/remotetest"
	"ferry/remote/wrap/retry"
)

func TestWhatAnAnswerMeansAndCosts(t *testing.T) {
	remotetest.RunAnswers(t, []remotetest.Answer{
		{Status: 413, Code: "uploadTooLarge", Requests: 1, Kind: remote.ErrTooLarge},
		{Status: 400, Code: "uploadTooLarge", Requests: 1, Kind: remote.ErrTooLarge},
		{Status: 418, Code: "somethingNew", Requests: 1},
		{Status: 405, Code: "methodNotAllowed", Requests: 1},
		{Status: 411, Code: "lengthRequired", Requests: 1},
		{Status: 503, Code: "backendError", Requests: 3},
		{Status: 500, Code: "internalError", Requests: 3},
		{Status: 429, Code: "rateLimitExceeded", Requests: 3},
		{Status: 408, Code: "uploadBrokenConnection", Requests: 3},
	}, func(w http.ResponseWriter, a remotetest.Answer) {
		w.WriteHeader(a.Status)
		_, _ = fmt.Fprintf(w, `{"error":{"code":%d,"errors":[{"reason":%q}]}}`, a.Status, a.Code)
	}, func(r *http.Request) string {
		if r.URL.Query().Has("prefix") {
			return `{}`
		}
		return ""
	}, func(t *testing.T, url string) remote.Remote {
		o := gcs.Options{Anonymous: true, Endpoint: url}
		o.Network.Attempts = 3
		return retry.New(open(t, "container", o), retry.Options{Attempts: 3})
	})
}
