package azureblob_test

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"ferry/remote"
	"ferry/remote/driver/azureblob"
	"ferry/remote/wrap/retry"
)

// openRefusing returns a remote with repetitions on a service that answers every request in one
// way, and counts them.
func openRefusing(t *testing.T, status int, code string, attempts int) (remote.Remote, *atomic.Int64) {
	t.Helper()
	var n atomic.Int64
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		if r.URL.Query().Get("comp") == "list" && r.URL.Query().Has("prefix") {
			_, _ = io.WriteString(w, `<EnumerationResults><Blobs></Blobs></EnumerationResults>`)
			return
		}
		n.Add(1)
		w.Header().Set("x-ms-error-code", code)
		w.WriteHeader(status)
	}))
	t.Cleanup(web.Close)
	o := azureblob.Options{Account: "a", Endpoint: web.URL}
	o.Credentials.Key = secret
	o.Network.Attempts = attempts
	r := open(t, "container", o)
	t.Cleanup(func() { _ = r.Close() })
	return retry.New(r, retry.Options{Attempts: attempts}), &n
}

func putOne(t *testing.T, r remote.Remote) error {
	_, err := r.Put(t.Context(), "f", strings.NewReader("x"), remote.PutOptions{Size: 1})
	return err
}

func TestWhatAnAnswerMeansAndCosts(t *testing.T) {
	for _, c := range []struct {
		status   int
		code     string
		requests int64
		kind     error
	}{
		{409, "BlobArchived", 1, remote.ErrArchived},
		{409, "BlobBeingRehydrated", 1, remote.ErrArchived},
		{413, "RequestBodyTooLarge", 1, remote.ErrTooLarge},
		{409, "BlockCountExceedsLimit", 1, remote.ErrTooLarge},
		{409, "InvalidBlobType", 1, remote.ErrInvalid},
		{418, "SomethingNew", 1, nil},
		{405, "UnsupportedHttpVerb", 1, nil},
		{503, "ServerBusy", 3, nil},
		{500, "OperationTimedOut", 3, nil},
		{429, "", 3, nil},
	} {
		t.Run(fmt.Sprint(c.status, c.code), func(t *testing.T) {
			r, n := openRefusing(t, c.status, c.code, 3)
			err := putOne(t, r)
			if err == nil || c.kind != nil && !errors.Is(err, c.kind) || remote.Permanent(err) != (c.requests == 1) {
				t.Errorf("error %v", err)
			}
			if n.Load() != c.requests {
				t.Errorf("%d requests, %v", n.Load(), err)
			}
		})
	}
}
