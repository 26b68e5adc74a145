package http_test

import (
	"errors"
	"fmt"
	nethttp "net/http"
	"slices"
	"strings"
	"testing"

	"ferry/remote"
	"ferry/remote/driver/http"
	"ferry/remote/remotetest"
)

// pageOf serves one page as the root.
func pageOf(t *testing.T, content string) string {
	t.Helper()
	return handle(t, func(w nethttp.ResponseWriter, req *nethttp.Request) {
		w.Header().Set("Content-Type", "text/html")
		if req.URL.Path != "/d/" {
			w.WriteHeader(nethttp.StatusNotFound)
			return
		}
		fmt.Fprint(w, "<html>"+content)
	})
}

func TestHostileNames(t *testing.T) {
	remotetest.RunHostile(t, func(t *testing.T, names []string) remote.Remote {
		content := ""
		for _, name := range append(slices.Clone(names), "ok") {
			href := strings.NewReplacer("/", "%2F", ".", "%2e", "\x00", "%00").Replace(name)
			content += `<a href="` + href + `">x</a>`
		}
		return open(t, http.Options{URL: pageOf(t, content) + "/d/", NoHead: true})
	}, func(name string) bool { return name == "" || name == "." || name == ".." })
}

func TestOmissions(t *testing.T) {
	for _, c := range []struct {
		what, page     string
		names, omitted []string
		malformed      bool
	}{
		{"an empty page", "<pre>\n</pre>", nil, nil, false},
		{"only the way up", `<a href="../">up</a>`, nil, nil, false},
		{"only ways to sort", `<a href="?C=N;O=D">Name</a><a href="/">Parent</a>`, nil, nil, false},
		{"a foot", `<a href="f">f</a><a href="https://example.com/">made by</a>`, []string{"f"}, nil, false},
		{"only other places", `<a href="/login">log in</a><a href="https://example.com/">help</a>`, nil, nil, true},
		{"no name", `<a href="f">f</a><a href="a%2Fb">g</a>`, []string{"f"}, []string{"a%2Fb: " + remote.OmittedName}, false},
		{"no name at all", `<a href="a%2Fb">g</a>`, nil, []string{"a%2Fb: " + remote.OmittedName}, false},
	} {
		r := open(t, http.Options{URL: pageOf(t, c.page) + "/d/", NoHead: true})
		names, omitted, bad := remotetest.ListOmitting(t.Context(), r, ".")
		r.Close()
		if !slices.Equal(names, c.names) || !slices.Equal(omitted, c.omitted) || errors.Is(bad, remote.ErrMalformed) != c.malformed || bad != nil && !c.malformed {
			t.Errorf("%s: %q, left out %q, %v", c.what, names, omitted, bad)
		}
	}
}
