package rc

import (
	"fmt"
	"net/http"
	"runtime/pprof"
	"slices"
	"strconv"
)

// profile answers GET debug/pprof/name as net/http/pprof does, for go tool pprof: memory and
// goroutines of the process. It is open to this machine, elsewhere it needs the password. Without a
// name it lists the profiles.
func (s *Server) profile(w http.ResponseWriter, r *http.Request, name string) {
	path := "debug/pprof/" + name
	who, ok := s.admit(w, r, path)
	if !ok {
		return
	}
	if !who.may(LocalOnly, false) {
		s.refuse(w, path, Params{}, withStatus(http.StatusForbidden, "%s is for programs on this machine, or with a password", path))
		return
	}
	h := w.Header()
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cache-Control", "no-store")
	h.Set("Content-Type", "text/plain; charset=utf-8")
	if name == "" {
		var names []string
		for _, p := range pprof.Profiles() {
			names = append(names, p.Name())
		}
		slices.Sort(names)
		for _, n := range names {
			fmt.Fprintln(w, n)
		}
		return
	}
	p := pprof.Lookup(name)
	if p == nil {
		s.refuse(w, path, Params{}, withStatus(http.StatusNotFound, "there is no profile %q", name))
		return
	}
	detail, _ := strconv.Atoi(r.URL.Query().Get("debug")) // 0 is the machine-readable form
	if detail == 0 {
		h.Set("Content-Type", "application/octet-stream")
		h.Set("Content-Disposition", `attachment; filename="`+name+`"`)
	}
	_ = p.WriteTo(w, detail) // the client may have left
}
