package rc

import (
	"net/http"
	"strings"
)

// A Page is what a Server answers to GET and HEAD of a path, besides calls and by the same rules of
// access.
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
		case !who.may(p.Access):
			s.refuse(w, path, Params{}, withStatus(http.StatusForbidden, "%s is for programs on this machine, or with a password", path))
		default:
			h := w.Header()
			h.Set("X-Content-Type-Options", "nosniff")
			h.Set("Cache-Control", "no-store")
			p.ServeHTTP(w, r)
		}
		return true
	}
	return false
}
