package azureblob_test

import (
	"net/http"
	"testing"

	"ferry/remote"
	"ferry/remote/driver/azureblob"
	"ferry/remote/remotetest"
	"ferry/remote/wrap/retry"
)

func TestWhatAnAnswerMeansAndCosts(t *testing.T) {
	remotetest.RunAnswers(t, []remotetest.Answer{
		{Status: 409, Code: "BlobArchived", Requests: 1, Kind: remote.ErrArchived},
		{Status: 409, Code: "BlobBeingRehydrated", Requests: 1, Kind: remote.ErrArchived},
		{Status: 413, Code: "RequestBodyTooLarge", Requests: 1, Kind: remote.ErrTooLarge},
		{Status: 409, Code: "BlockCountExceedsLimit", Requests: 1, Kind: remote.ErrTooLarge},
		{Status: 409, Code: "InvalidBlobType", Requests: 1, Kind: remote.ErrInvalid},
		{Status: 418, Code: "SomethingNew", Requests: 1},
		{Status: 405, Code: "UnsupportedHttpVerb", Requests: 1},
		{Status: 503, Code: "ServerBusy", Requests: 3},
		{Status: 500, Code: "OperationTimedOut", Requests: 3},
		{Status: 429, Requests: 3},
	}, func(w http.ResponseWriter, a remotetest.Answer) {
		w.Header().Set("x-ms-error-code", a.Code)
		w.WriteHeader(a.Status)
	}, func(r *http.Request) string {
		if r.URL.Query().Get("comp") == "list" && r.URL.Query().Has("prefix") {
			return `<EnumerationResults><Blobs></Blobs></EnumerationResults>`
		}
		return ""
	}, func(t *testing.T, url string) remote.Remote {
		o := azureblob.Options{Account: "a", Endpoint: url}
		o.Credentials.Key = secret
		o.Network.Attempts = 3
		return retry.New(open(t, "container", o), retry.Options{Attempts: 3})
	})
}
