package rc

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// Options configure a Server. The zero value serves rc/* and job/* to this machine.
type Options struct {
	Calls []Call
	Log   *slog.Logger // nil: nothing is logged. Parameters and results never are.

	// Check returns what the password of a user is good for. With it every request needs one (RFC
	// 7617). nil: there are no passwords, and the Access of a call decides.
	Check func(user, password string) Rights
	// Throttle delays callers after wrong passwords, by address. nil: no delays.
	Throttle Throttle
	// Health answers GET livez and readyz; nil: always well. The Server closes it.
	Health *Health
	// Pages are what can be got besides.
	Pages []Page
	// Inlets are what others post to.
	Inlets []Inlet
	// NoAuth opens every call to anyone who can reach the server.
	NoAuth bool

	// AllowOrigin is the origin whose pages may call, such as https://admin.example.org; "*" is
	// every origin, "" none but the server's own.
	AllowOrigin string
	// Hosts are the names of this server for clients, besides localhost and addresses.
	Hosts []string
	// BaseURL is a path prefix of the calls, for a proxy that forwards it.
	BaseURL string
	// MaxConnections limits concurrent connections; more are closed at once. 0 = no limit.
	MaxConnections int
}

// A Server answers calls over HTTP. It is an http.Handler; Serve runs it in an http.Server. Its
// methods may be called concurrently.
type Server struct {
	opt    Options
	base   string // "/" or "/x/"
	calls  map[string]Call
	origin *http.CrossOriginProtection // nil: every origin is allowed
	jobs   *jobs
	log    *slog.Logger
}

// New returns a Server. It returns an error for two calls with one path, and for an invalid origin.
func New(o Options) (*Server, error) {
	s := &Server{opt: o, base: "/", jobs: newJobs(), log: o.Log, origin: http.NewCrossOriginProtection()}
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	if s.opt.Health == nil {
		s.opt.Health = NewHealth(nil, nil, s.log)
	}
	if dir := strings.Trim(o.BaseURL, "/"); dir != "" {
		s.base = "/" + dir + "/"
	}
	switch o.AllowOrigin {
	case "":
	case "*":
		s.origin = nil
	default:
		if err := s.origin.AddTrustedOrigin(o.AllowOrigin); err != nil {
			return nil, fmt.Errorf("rc: %w", err)
		}
	}
	var err error
	s.calls, err = newTable(slices.Concat(o.Calls, s.ownCalls(), s.jobCalls()))
	return s, err
}

// Close stops running calls and waits for those in the background. No call starts after it.
func (s *Server) Close() {
	s.jobs.close()
	s.opt.Health.Close()
}

// Call makes a call within this process, without a password.
func (s *Server) Call(ctx context.Context, path string, in Params) (Params, error) {
	c, ok := s.calls[path]
	if !ok {
		return nil, noSuchCall(path)
	}
	in = maps.Clone(in)
	how, err := takeControl(in, nil)
	if err != nil {
		return nil, err
	}
	_, out, err := s.start(ctx, c, in, how)
	return out, err
}

func noSuchCall(path string) error {
	return withStatus(http.StatusNotFound, "couldn't find method %q", path)
}

// start starts a job and waits for its result, unless it runs in the background.
func (s *Server) start(ctx context.Context, c Call, in Params, how control) (*job, Params, error) {
	if how.async {
		ctx = context.WithoutCancel(ctx) // it continues when the client has left
	}
	ctx, j, err := s.jobs.begin(ctx, how)
	if err != nil {
		return nil, nil, err
	}
	if how.async {
		s.jobs.inBackground(func() { s.jobs.run(ctx, j, c, in) })
		return j, Params{"jobid": j.id, "executeId": s.jobs.executeID}, nil
	}
	out, err := s.jobs.run(ctx, j, c, in)
	return j, out, err
}

// ServeHTTP answers one request.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	path, ok := strings.CutPrefix(r.URL.Path, s.base)
	if !ok {
		http.NotFound(w, r)
		return
	}
	if name, is := strings.CutPrefix(path, "debug/pprof/"); is && r.Method == http.MethodGet {
		s.profile(w, r, name)
		return
	}
	if s.opt.Health.answer(w, r, path) || s.inlet(w, r, path) || s.page(w, r, path) {
		return
	}
	s.allowOrigin(w.Header())
	switch r.Method {
	case http.MethodOptions:
		w.WriteHeader(http.StatusOK)
	case http.MethodPost:
		s.post(w, r, path)
	default:
		w.Header().Set("Allow", "POST, OPTIONS")
		s.refuse(w, path, nil, withStatus(http.StatusMethodNotAllowed, "method %q not allowed", r.Method))
	}
}

// post makes the call at path.
func (s *Server) post(w http.ResponseWriter, r *http.Request, path string) {
	who, ok := s.admit(w, r, path)
	if !ok {
		return
	}
	c, ok := s.calls[path]
	if !ok {
		s.refuse(w, path, Params{}, noSuchCall(path))
		return
	}
	if !who.may(c.Access, c.Reads) {
		s.refuse(w, path, Params{}, notAllowed(who, path))
		return
	}
	limit := int64(maxOpenBody)
	if who.trusted {
		limit = maxBody
	}
	in, err := readParams(w, r, limit)
	if err != nil {
		s.refuse(w, path, in, err)
		return
	}
	given := maps.Clone(in)
	how, err := takeControl(in, r.Header)
	if err != nil {
		s.refuse(w, path, given, err)
		return
	}
	j, out, err := s.start(r.Context(), c, in, how)
	if j != nil {
		w.Header().Set("X-Rclone-Jobid", strconv.FormatInt(j.id, 10))
	}
	if err != nil {
		s.refuse(w, path, given, err)
		return
	}
	status := http.StatusOK
	if how.prefer {
		w.Header().Set("Preference-Applied", "respond-async")
		status = http.StatusAccepted
	}
	s.log.LogAttrs(r.Context(), slog.LevelDebug, "remote control", slog.String("call", path), slog.String("client", r.RemoteAddr))
	if out == nil {
		out = Params{}
	}
	write(w, status, out)
}
