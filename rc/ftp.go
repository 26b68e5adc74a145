package rc

import (
	"context"
	"net/http"
	"time"
)

// Sessions are the clients of an FTP server. Its methods may be called concurrently.
type Sessions interface {
	// Sessions returns them, oldest first.
	Sessions() []Session
	// Kick ends one, aborting its transfer. It reports whether there was one.
	Kick(id uint64) bool
}

// A Session is a snapshot of one client.
type Session struct {
	ID      uint64
	Remote  string // address and port
	TLS     bool
	User    string // "" before the login
	Client  string // as it identified itself
	Since   time.Time
	Command string // the transfer command that runs; "" = none
	Path    string // its file
	Began   time.Time
	Bytes   int64 // transferred so far
}

// FTPCalls are the calls about the clients of an FTP server. rclone has no such calls.
func FTPCalls(s Sessions) []Call {
	return []Call{
		{Path: "ftp/sessions", Title: "List the FTP sessions.", Reads: true,
			Run: func(context.Context, Params) (Params, error) { return sessions(s), nil },
			Help: "Returns:\n\n- sessions - each with id, remote, tls, user, client, since, and for its running transfer command, path, began, bytes, " +
				"rate (bytes per second)"},
		{Path: "ftp/kick", Title: "End an FTP session.",
			Run:  func(_ context.Context, in Params) (Params, error) { return kick(s, in) },
			Help: "Its transfer is aborted: an upload is not published.\n\nParameters:\n\n- id - of a session in ftp/sessions"},
	}
}

func sessions(s Sessions) Params {
	now, all := time.Now(), []Params{}
	for _, c := range s.Sessions() {
		out := Params{
			"id": c.ID, "remote": c.Remote, "tls": c.TLS, "user": c.User, "client": c.Client, "since": c.Since,
			"command": c.Command, "path": c.Path, "bytes": c.Bytes, "rate": 0.0,
		}
		if c.Command != "" {
			out["began"] = c.Began
			out["rate"] = Transfer{Bytes: c.Bytes, Began: c.Began}.speed(now)
		}
		all = append(all, out)
	}
	return Params{"sessions": all}
}

func kick(s Sessions, in Params) (Params, error) {
	id, err := in.Int64("id")
	if err != nil {
		return nil, err
	}
	if id < 0 || !s.Kick(uint64(id)) {
		return nil, withStatus(http.StatusNotFound, "session %d not found", id)
	}
	return nil, nil
}
