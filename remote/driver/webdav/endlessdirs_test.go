package webdav_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"ferry/remote"
	"ferry/remote/driver/webdav"
	"ferry/remote/remotetest"
)

func TestDirectoriesWithoutEnd(t *testing.T) {
	remotetest.RunEndless(t, func(t *testing.T, name func(i int) string) remote.Remote {
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.WriteHeader(http.StatusMultiStatus)
			_, err := io.WriteString(w, `<?xml version="1.0"?><d:multistatus xmlns:d="DAV:">`+
				responseOf("/dav/", "200 OK", "<d:collection/>"))
			for i := 0; err == nil; i++ {
				_, err = io.WriteString(w, responseOf("/dav/"+name(i), "200 OK", ""))
			}
		}))
		t.Cleanup(s.Close)
		o := webdav.Options{URL: s.URL + "/dav"}
		o.Network.MaxEntries = remotetest.EndlessEntries
		return open(t, o)
	})
}
