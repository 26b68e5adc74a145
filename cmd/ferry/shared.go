package main

import (
	"log/slog"
	"strings"
	"sync/atomic"

	"ferry/budget"
	"ferry/cache"
	"ferry/cmd/ferry/internal/rcbridge"
	"ferry/events"
	"ferry/hooks/settings"
	"ferry/remote"
	"ferry/writeback"
)

// shared is what all trees of a process have in common.
type shared struct {
	gate   *writeback.Gate     // --transfers
	budget *budget.Budget      // --max-buffer-memory
	space  *cache.Share        // --vfs-cache-max-size
	dial   *rcbridge.Bandwidth // turns --bwlimit while the process runs; nil where nothing does
	events *events.Stream      // nil = nobody listens
	feeds  *feeds              // --change-feed; nil = there are none
	peers  *peers              // --cluster; nil = there are no other nodes

	// hooks are those of the flags and their file when they were read again; nil = they were not.
	hooks atomic.Pointer[[]settings.Hook]
}

// newShared returns what the trees of o share. It is called when the flags are parsed.
func newShared(o *options) *shared {
	s := &shared{
		gate:   writeback.NewGate(int(o.Cache.Transfers)),
		budget: budget.New(int64(o.MaxBufferMemory)),
		space:  cache.NewShare(int64(o.Cache.MaxSize)),
	}
	if o.RC.On() || o.file != nil {
		s.dial = rcbridge.NewBandwidth(o.Chain.Bandwidth)
	}
	return s
}

// share has all trees share what they can. They tell stream of what happens, which may be nil.
func (o *options) share(stream *events.Stream, log *slog.Logger) (err error) {
	o.shared = newShared(o)
	o.shared.events = stream
	if o.shared.peers, err = o.openPeers(log); err != nil {
		return err
	}
	o.shared.feeds, err = o.openFeeds(log)
	return err
}

// ofAll returns what the trees share; where nobody has said so, a tree shares it with no other.
func (o *options) ofAll() *shared {
	if o.shared != nil {
		return o.shared
	}
	return newShared(o)
}

// serverOf names the server of a remote, which bears only so many transfers, whatever the trees are
// that they are for. Where only the place of the files is known, it is that.
func serverOf(info remote.Info) string {
	if host, _, found := strings.Cut(info.Place, "/"); found {
		return host
	}
	return info.Identity()
}
