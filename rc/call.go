package rc

import (
	"context"
	"fmt"
	"maps"
	"slices"
)

// A Call is one row of the table of calls.
type Call struct {
	Path   string // without a leading slash: vfs/forget
	Title  string // one line
	Help   string // parameters and results
	Access Access
	// Reads says that the call changes nothing and reveals no content, so that the password of
	// readers is enough. It need not be set where Access is Open.
	Reads bool
	// Run runs the call. It may modify in; nil results are an empty object. An error that is
	// fs.ErrNotExist is answered 404, one about a parameter 400, any other 500. ctx ends when the
	// result is not needed any more.
	Run func(ctx context.Context, in Params) (Params, error)
}

// Access is who may make a call on a server without passwords. With passwords, every call needs
// one; that of readers is enough for those that are Open or set Reads.
type Access uint8

const (
	// NeedsPassword is refused without one.
	NeedsPassword Access = iota
	// LocalOnly is open to this machine: loopback connections and unix sockets.
	LocalOnly
	// Open is open to anyone who can reach the server.
	Open
)

// newTable indexes calls by path. A path must be unique.
func newTable(calls []Call) (map[string]Call, error) {
	table := make(map[string]Call, len(calls))
	for _, c := range calls {
		if _, twice := table[c.Path]; twice {
			return nil, fmt.Errorf("rc: two calls have the path %s", c.Path)
		}
		table[c.Path] = c
	}
	return table, nil
}

// ownCalls are rc/*, which are about the protocol itself.
func (s *Server) ownCalls() []Call {
	echo := func(_ context.Context, in Params) (Params, error) { return in, nil }
	return []Call{
		{Path: "rc/noop", Title: "Echo the input.", Access: Open, Run: echo,
			Help: "Returns its parameters, to see how they arrive."},
		{Path: "rc/noopauth", Title: "Echo the input, with a password.", Reads: true, Run: echo,
			Help: "Returns its parameters. It needs a password."},
		{Path: "rc/error", Title: "Return an error.", Access: Open, Run: fail,
			Help: "Fails with an error that shows its parameters."},
		{Path: "rc/list", Title: "List the calls.", Access: Open, Run: s.list,
			Help: "Returns:\n\n- commands - the calls there are"},
	}
}

func fail(_ context.Context, in Params) (Params, error) {
	return nil, fmt.Errorf("arbitrary error on input %v", map[string]any(in))
}

func (s *Server) list(context.Context, Params) (Params, error) {
	commands := []Params{}
	for _, path := range slices.Sorted(maps.Keys(s.calls)) {
		c := s.calls[path]
		commands = append(commands, Params{
			"Path": c.Path, "Title": c.Title, "Help": c.Help, "NoAuth": c.Access == Open,
			"NeedsRequest": false, "NeedsResponse": false,
		})
	}
	return Params{"commands": commands}, nil
}
