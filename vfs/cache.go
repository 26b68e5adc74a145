package vfs

import (
	"log/slog"
	"time"

	"ferry/cache"
	"ferry/writeback"
)

// Cache says what is kept on the local disk, and what is promised of it. The zero value keeps
// nothing: everything is streamed, and an upload is answered when the remote has it.
type Cache struct {
	Store *cache.Store // stays the caller's to close; nil = nothing is kept
	Mode  writeback.Mode
	Ack   writeback.Ack

	// WriteBack is how long a file waits until it is sent.
	WriteBack time.Duration
	// Transfers is how many changes are carried out on the remote at a time; below 1 it is 1.
	Transfers int
}

// writeback returns what concerns what waits for the remote.
func (c *Cache) writeback(log *slog.Logger) writeback.Options {
	return writeback.Options{
		Store: c.Store, Mode: c.Mode, Ack: c.Ack, WriteBack: c.WriteBack, Transfers: c.Transfers, Log: log,
	}
}
