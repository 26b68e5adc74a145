package gcs_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"

	"ferry/remote"
	"ferry/remote/driver/gcs"
	"ferry/remote/remotetest"
)

// A listed is what the service says of an object.
type listed struct {
	Name    string `json:"name"`
	Size    string `json:"size"`
	Updated string `json:"updated"`
}

// A listPage is what it answers to the question for a directory.
type listPage struct {
	Items    []listed `json:"items"`
	Prefixes []string `json:"prefixes"`
	Next     string   `json:"nextPageToken,omitempty"`
}

func (p *listPage) add(name string) {
	p.Items = append(p.Items, listed{name, "1", "2026-01-02T03:04:05Z"})
}

// openLiar opens a bucket in which there is nothing but what page tells of the objects behind from.
func openLiar(t *testing.T, page func(from int) listPage) remote.Remote {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !r.URL.Query().Has("prefix") {
			w.WriteHeader(http.StatusNotFound)
			return
		}
		from := 0
		_, _ = fmt.Sscan(r.URL.Query().Get("pageToken"), &from)
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(page(from)) // the client may have gone
	}))
	t.Cleanup(s.Close)
	o := gcs.Options{Anonymous: true, Endpoint: s.URL}
	o.Network.MaxEntries = remotetest.EndlessEntries
	return open(t, "bucket", o)
}

func TestHostileNames(t *testing.T) {
	for _, asDir := range []bool{false, true} {
		remotetest.RunHostile(t, func(t *testing.T, names []string) remote.Remote {
			var p listPage
			p.add("ok")
			for _, name := range names {
				if asDir {
					p.Prefixes = append(p.Prefixes, name+"/")
				} else {
					p.add(name)
				}
			}
			return openLiar(t, func(int) listPage { return p })
		}, func(name string) bool { return name == "" })
	}
}

func TestListsWithoutEnd(t *testing.T) {
	endless := func(t *testing.T, name func(i int) string) remote.Remote {
		return openLiar(t, func(from int) listPage {
			p := listPage{Next: fmt.Sprint(from + 100)}
			for i := from; name != nil && i < from+100; i++ {
				p.add(name(i))
			}
			return p
		})
	}
	remotetest.RunEndless(t, endless)
	remotetest.RunEndlessPages(t, func(t *testing.T) remote.Remote { return endless(t, nil) })
}
