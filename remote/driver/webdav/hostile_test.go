package webdav_test

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"

	"ferry/remote"
	"ferry/remote/driver/webdav"
	"ferry/remote/nameenc"
	"ferry/remote/remotetest"
)

// multistatus serves one answer to whatever is asked.
func answers(t *testing.T, responses string) string {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusMultiStatus)
		fmt.Fprint(w, `<?xml version="1.0"?><d:multistatus xmlns:d="DAV:">`+responses+`</d:multistatus>`)
	}))
	t.Cleanup(s.Close)
	return s.URL
}

func responseOf(href, status, resource string) string {
	return `<d:response><d:href>` + href + `</d:href><d:propstat><d:prop><d:resourcetype>` + resource +
		`</d:resourcetype><d:getcontentlength>5</d:getcontentlength></d:prop><d:status>HTTP/1.1 ` + status + `</d:status></d:propstat></d:response>`
}

func TestHostileNames(t *testing.T) {
	remotetest.RunHostile(t, func(t *testing.T, names []string) remote.Remote {
		all := responseOf("/dav/", "200 OK", "<d:collection/>")
		for _, name := range append(slices.Clone(names), "ok") {
			escaped := strings.NewReplacer("/", "%2F", ".", "%2e", "\x00", "%00").Replace(name)
			if name == "" { // that is the directory itself
				continue
			}
			all += responseOf("/dav/"+escaped, "200 OK", "")
		}
		return open(t, webdav.Options{URL: answers(t, all) + "/dav"})
	}, func(name string) bool { return name == "" })
}

// An encoding makes no names that are none.
func TestHostileEncodedNames(t *testing.T) {
	all := responseOf("/dav/", "200 OK", "<d:collection/>")
	for _, name := range []string{"．．", "．", "a／b", "ok"} {
		all += responseOf("/dav/"+url.PathEscape(name), "200 OK", "")
	}
	r := open(t, webdav.Options{URL: answers(t, all) + "/dav", Encoding: nameenc.Slash | nameenc.Dot})
	defer r.Close()
	for e, err := range r.List(t.Context(), ".") {
		if e.Name != "ok" || err != nil {
			t.Errorf("%q, %v", e.Name, err)
		}
	}
}

func TestOmissions(t *testing.T) {
	self := responseOf("/dav/", "200 OK", "<d:collection/>")
	for _, c := range []struct {
		what, answer string
		names        []string
		omitted      []string
		malformed    bool
	}{
		{"an empty directory", self, nil, nil, false},
		{"one that the server does not describe", self + responseOf("/dav/a", "403 Forbidden", "") + responseOf("/dav/b", "200 OK", ""),
			[]string{"b"}, []string{"/dav/a: the server does not describe it"}, false},
		{"one that is elsewhere", self + responseOf("/other/a", "200 OK", "") + responseOf("/dav/b", "200 OK", ""),
			[]string{"b"}, []string{"/other/a: it is not in the directory"}, false},
		{"all of them are elsewhere", self + responseOf("/other/a", "200 OK", "") + responseOf("/other/b", "200 OK", ""),
			nil, []string{"/other/a: it is not in the directory", "/other/b: it is not in the directory"}, true},
		{"none is described", self + responseOf("/dav/a", "403 Forbidden", ""),
			nil, []string{"/dav/a: the server does not describe it"}, true},
		{"the whole tree", self + responseOf("/dav/d/", "200 OK", "<d:collection/>") + responseOf("/dav/d/f", "200 OK", ""),
			[]string{"d"}, nil, false},
	} {
		r := open(t, webdav.Options{URL: answers(t, c.answer) + "/dav"})
		names, omitted, bad := remotetest.ListOmitting(t.Context(), r, ".")
		r.Close()
		if !slices.Equal(names, c.names) || !slices.Equal(omitted, c.omitted) || errors.Is(bad, remote.ErrMalformed) != c.malformed || bad != nil && !c.malformed {
			t.Errorf("%s: %q, left out %q, %v", c.what, names, omitted, bad)
		}
	}
}
