package azureblob_test

import (
	"encoding/xml"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"ferry/remote"
	"ferry/remote/driver/azureblob"
	"ferry/remote/remotetest"
)

// blobNamed is what the service says of a blob, prefixNamed of what begins alike.
func blobNamed(name string) string {
	return "<Blob><Name>" + escaped(name) + "</Name><Properties><Content-Length>1</Content-Length><Etag>x</Etag>" +
		"<Last-Modified>Fri, 02 Jan 2026 03:04:05 GMT</Last-Modified></Properties></Blob>"
}

func prefixNamed(name string) string {
	return "<BlobPrefix><Name>" + escaped(name) + "</Name></BlobPrefix>"
}

func escaped(name string) string {
	var b strings.Builder
	_ = xml.EscapeText(&b, []byte(name)) // a Builder takes all
	return b.String()
}

// openLiar opens a container in which there is nothing but what page tells of the blobs behind
// from, and where the next page begins.
func openLiar(t *testing.T, page func(from int) (blobs, next string)) remote.Remote {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Query().Get("comp") != "list" {
			w.WriteHeader(http.StatusNotFound)
			return
		}
		from := 0
		_, _ = fmt.Sscan(r.URL.Query().Get("marker"), &from)
		blobs, next := page(from)
		w.Header().Set("Content-Type", "application/xml")
		fmt.Fprintf(w, "<EnumerationResults><Blobs>%s</Blobs><NextMarker>%s</NextMarker></EnumerationResults>", blobs, next)
	}))
	t.Cleanup(s.Close)
	o := azureblob.Options{Account: "a", Endpoint: s.URL}
	o.Credentials.Key = secret
	o.Network.MaxEntries = remotetest.EndlessEntries
	return open(t, "container", o)
}

func TestHostileNames(t *testing.T) {
	for _, asDir := range []bool{false, true} {
		none := func(name string) bool { return strings.ContainsRune(name, 0) } // XML has none
		remotetest.RunHostile(t, func(t *testing.T, names []string) remote.Remote {
			all := blobNamed("ok")
			for _, name := range names {
				switch {
				case none(name):
				case asDir:
					all += prefixNamed(name + "/")
				default:
					all += blobNamed(name)
				}
			}
			return openLiar(t, func(int) (string, string) { return all, "" })
		}, func(name string) bool { return name == "" || none(name) })
	}
}

func TestListsWithoutEnd(t *testing.T) {
	endless := func(t *testing.T, name func(i int) string) remote.Remote {
		return openLiar(t, func(from int) (blobs, next string) {
			for i := from; name != nil && i < from+100; i++ {
				blobs += blobNamed(name(i))
			}
			return blobs, fmt.Sprint(from + 100)
		})
	}
	remotetest.RunEndless(t, endless)
	remotetest.RunEndlessPages(t, func(t *testing.T) remote.Remote { return endless(t, nil) })
}
