package main

import (
	"ferry/cmd/ferry/internal/flags"
	"ferry/cmd/ferry/internal/metricsbridge"
	"ferry/cmd/ferry/internal/places"
	"ferry/cmd/ferry/internal/serverconfig"
	"ferry/cmd/ferry/internal/systemd"
)

// options are the values of all flags, and what follows from them.
type options struct {
	flags.Options
	places places.Dirs // by CacheDir
	user   userOptions // of a tree for one user; else zero
	shared *shared     // by all trees; nil = each has its own

	handover *handing // to other nodes; nil = there is none

	watched *metricsbridge.Bridge // tells others how the process is; nil = nobody
	sockets *systemd.Sockets      // of the service manager; nil = none

	what       string // is served, as resolve says
	userRemote string // of users who have none of their own; "" = there is none

	file    *serverconfig.File      // that of --server-config; nil = none
	origins map[string]flags.Origin // where each value comes from
}

// userOptions are what a user has instead of flags.
type userOptions struct {
	password string // "" = the remote has its own
	encoding string // "" = that of the remote
	create   bool   // make the root if it is not there
}

func (u userOptions) placeholders() map[string]string {
	if u.password == "" {
		return nil
	}
	return map[string]string{"{password}": u.password}
}
