package s3

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"ferry/remote"
	"ferry/remote/remotetest"
)

// openEndless opens a bucket whose pages always have another one behind them.
func openEndless(t *testing.T, name func(i int) string) remote.Remote {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodHead {
			w.WriteHeader(http.StatusNotFound)
			return
		}
		from := 0
		_, _ = fmt.Sscan(r.URL.Query().Get("continuation-token"), &from)
		w.Header().Set("Content-Type", "application/xml")
		var page strings.Builder
		for i := from; name != nil && i < from+100; i++ {
			fmt.Fprintf(&page, `<Contents><Key>%s</Key><Size>1</Size><ETag>"x"</ETag><LastModified>2026-01-02T03:04:05.000Z</LastModified></Contents>`, name(i))
		}
		fmt.Fprintf(w, `<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Name>%s</Name><IsTruncated>true</IsTruncated>`+
			`<NextContinuationToken>%d</NextContinuationToken>%s</ListBucketResult>`, testBucket, from+100, &page)
		_, _ = io.Copy(io.Discard, r.Body)
	}))
	t.Cleanup(s.Close)
	o := testOptions(strings.TrimPrefix(s.URL, "http://"))
	o.Network.MaxEntries = remotetest.EndlessEntries
	return openAt(t, testBucket, o)
}

func TestListsWithoutEnd(t *testing.T) {
	remotetest.RunEndless(t, openEndless)
	remotetest.RunEndlessPages(t, func(t *testing.T) remote.Remote { return openEndless(t, nil) })
}
