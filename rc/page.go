package rc

import (
	"context"
	"net/http"
	"net/url"
	"strings"
)

// A Page is what a Server answers to GET and HEAD of a path, besides calls and by the same rules of
// access. The password of readers is enough unless Access is NeedsPassword. The Handler may ask
// AllowedTo.
type Page struct {
	Path   string // below BaseURL, without a slash in front; one that ends in a slash is all below it
	Access Access
	http.Handler
}

func (p Page) is(path string) bool {
	return path == p.Path || strings.HasSuffix(p.Path, "/") && strings.HasPrefix(path, p.Path)
}

// page answers with a Page. It reports whether there is one at path.
func (s *Server) page(w http.ResponseWriter, r *http.Request, path string) bool {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		return false
	}
	for _, p := range s.opt.Pages {
		if !p.is(path) {
			continue
		}
		who, ok := s.admit(w, r, path)
		switch {
		case !ok:
		case s.origin != nil && path != "" && fromElsewhere(r):
			s.refuse(w, path, Params{}, withStatus(http.StatusForbidden, "a page of another origin may not use %s (see --rc-allow-origin)", path))
		case !who.may(p.Access, p.Access != NeedsPassword):
			s.refuse(w, path, Params{}, withStatus(http.StatusForbidden, "%s is for programs on this machine, or with a password", path))
		default:
			h := w.Header()
			h.Set("X-Content-Type-Options", "nosniff")
			h.Set("Cache-Control", "no-store")
			inner := r.WithContext(context.WithValue(r.Context(), askingKey{}, asking{s, who}))
			inner.URL = &url.URL{Path: "/" + path, RawQuery: r.URL.RawQuery}
			p.ServeHTTP(w, inner)
		}
		return true
	}
	return false
}

// fromElsewhere reports whether a browser sends r for something in a page of another origin. Unlike
// the check of calls this is about what only reads.
func fromElsewhere(r *http.Request) bool {
	site := r.Header.Get("Sec-Fetch-Site")
	return site == "cross-site" || site == "same-site"
}

// An Inlet is an address that others post to who have no password of the remote control: its
// Handler knows them by itself, before it does anything else. It is asked whatever the method is.
type Inlet struct {
	Path string // below BaseURL, without a slash in front
	http.Handler
}

// inlet lets an Inlet answer. It reports whether there is one at path.
func (s *Server) inlet(w http.ResponseWriter, r *http.Request, path string) bool {
	for _, in := range s.opt.Inlets {
		if in.Path != path {
			continue
		}
		w.Header().Set("X-Content-Type-Options", "nosniff")
		w.Header().Set("Cache-Control", "no-store")
		in.ServeHTTP(w, r)
		return true
	}
	return false
}

type askingKey struct{}

// asking is a caller of a Server.
type asking struct {
	server *Server
	who    caller
}

// AllowedTo reports whether the sender of a request that a Page answers may make the call at path,
// or get the page there.
func AllowedTo(ctx context.Context, path string) bool {
	a, ok := ctx.Value(askingKey{}).(asking)
	if !ok {
		return false
	}
	if c, ok := a.server.calls[path]; ok {
		return a.who.may(c.Access, c.Reads)
	}
	for _, p := range a.server.opt.Pages {
		if p.is(path) {
			return a.who.may(p.Access, p.Access != NeedsPassword)
		}
	}
	return false
}
