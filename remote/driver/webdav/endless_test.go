package webdav_test

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"ferry/remote"
	"ferry/remote/driver/webdav"
)

// What a server says of one file ends, or the listing does.
func TestAnswersWithoutEnd(t *testing.T) {
	if testing.Short() {
		t.Skip("it takes long")
	}
	for what, c := range map[string]struct{ before, again string }{
		"a name":                 {"<d:response><d:href>/dav/", "n"},
		"a property":             {"<d:response><d:href>/dav/f</d:href><d:propstat><d:prop><d:getetag>", "e"},
		"properties":             {"<d:response><d:href>/dav/f</d:href>", "<d:propstat/>"},
		"nested elements":        {"<d:response>", "<x>"},
		"an unknown element":     {"<x>", "y"},
		"unknown elements":       {"", "<x/>"},
		"a comment":              {"<!-- ", "c"},
		"the name of an element": {"<", "n"},
		"blanks behind it":       {responseOf("/dav/", "200 OK", "<d:collection/>") + "</d:multistatus>", " "},
	} {
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusMultiStatus)
			fmt.Fprint(w, `<?xml version="1.0"?><d:multistatus xmlns:d="DAV:">`+c.before)
			chunk := strings.Repeat(c.again, 1+(64<<10)/len(c.again))
			for range 256 { // 16 MiB
				if _, err := io.WriteString(w, chunk); err != nil {
					return
				}
			}
		}))
		r := open(t, webdav.Options{URL: s.URL + "/dav"})
		var err error
		for _, bad := range r.List(t.Context(), ".") {
			err = bad
		}
		if !errors.Is(err, remote.ErrMalformed) {
			t.Errorf("%s: %v", what, err)
		}
		if _, err := r.Stat(t.Context(), "f"); !errors.Is(err, remote.ErrMalformed) && what != "blanks behind it" {
			t.Errorf("Stat, %s: %v", what, err)
		}
		r.Close()
		s.Close()
	}
}
