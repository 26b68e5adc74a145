package s3

import (
	"encoding/xml"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"ferry/remote"
	"ferry/remote/remotetest"
)

// A server may list anything in answer to a question for one directory.
func TestHostileNames(t *testing.T) {
	for _, asDir := range []bool{false, true} {
		remotetest.RunHostile(t, func(t *testing.T, names []string) remote.Remote {
			var page strings.Builder
			for _, name := range append([]string{"ok"}, names...) {
				if strings.ContainsRune(name, 0) { // XML has none
					continue
				}
				var key strings.Builder
				if err := xml.EscapeText(&key, []byte(name)); err != nil {
					t.Fatal(err)
				}
				if asDir && name != "ok" {
					fmt.Fprintf(&page, "<CommonPrefixes><Prefix>%s/</Prefix></CommonPrefixes>", &key)
					continue
				}
				fmt.Fprintf(&page, `<Contents><Key>%s</Key><Size>1</Size><ETag>"x"</ETag><LastModified>2026-01-02T03:04:05.000Z</LastModified></Contents>`, &key)
			}
			s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.Method == http.MethodHead {
					w.WriteHeader(http.StatusNotFound)
					return
				}
				w.Header().Set("Content-Type", "application/xml")
				fmt.Fprintf(w, `<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Name>%s</Name>%s</ListBucketResult>`, testBucket, &page)
			}))
			t.Cleanup(s.Close)
			return openAt(t, testBucket, testOptions(strings.TrimPrefix(s.URL, "http://")))
		}, func(name string) bool { return name == "" || strings.ContainsRune(name, 0) })
	}
}
