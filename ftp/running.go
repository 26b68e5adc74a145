package ftp

import (
	"context"
	"sync/atomic"
	"time"
)

// transfer is a command that may take long: it moves data or reads a file. While it runs, ABOR is
// answered, and after 150 also STAT and NOOP; other commands are queued.
type transfer struct {
	verb, name string
	stored     string // the name of the file, if it may not be name; else ""
	began      time.Time
	cancel     context.CancelCauseFunc
	done       func()                   // of Limits.Transfer; nil without
	timer      *time.Timer              // starts the watcher
	watched    chan struct{}            // closed when the watcher has ended
	opened     atomic.Bool              // 150 was sent: replies to other commands cannot be mistaken for it
	conn       atomic.Pointer[dataConn] // nil until it is open
	expected   atomic.Int64             // bytes that it will move; 0 = unknown
	counted    bool                     // guarded by Server.mu: the totals have its bytes

	endOfWait atomic.Pointer[func()] // ends the wait for a data connection; nil before 150
	gaveUp    atomic.Bool            // the wait for a data connection was given up

	whole bool // every byte has arrived and was verified; set while there is no watcher

	// Written by the watcher, read after it has ended.
	lost      bool        // the control connection ended
	waitTimer *time.Timer // ends the wait for a data connection
	aborted   bool        // ABOR came
}

func (t *transfer) bytes() int64 {
	if c := t.conn.Load(); c != nil {
		return c.count()
	}
	return 0
}

// receives reports whether t is an upload.
func (t *transfer) receives() bool { return t.verb == "STOR" || t.verb == "APPE" || t.verb == "STOU" }

// movesData reports whether t uses a data connection; other commands only take long.
func (t *transfer) movesData() bool {
	return t.verb != "HASH" && t.verb != verbDigest && t.verb != "STAT"
}

// verbDigest is the verb of XCRC, XMD5 and the like.
const verbDigest = "digest"

// listing reports whether t is a listing.
func (t *transfer) listing() bool { return t.verb == "LIST" || t.verb == "NLST" || t.verb == "MLSD" }

// giveUpWaiting ends the wait for a data connection after goneGrace: the client has gone, or the
// server is stopping.
func (t *transfer) giveUpWaiting() {
	if t.movesData() {
		t.waitTimer = time.AfterFunc(goneGrace, func() {
			t.gaveUp.Store(true)
			if end := t.endOfWait.Load(); end != nil {
				(*end)()
			}
		})
	}
}

// goneGrace is how long a data connection may come after the end of the control connection.
const goneGrace = time.Second

// setWait sets the function that ends the wait for a data connection that begins now. It is called
// at once if the wait was given up.
func (t *transfer) setWait(end func()) {
	t.endOfWait.Store(&end)
	if t.gaveUp.Load() {
		end()
	}
}

// endWait is called when the data connection is open.
func (t *transfer) endWait() { t.endOfWait.Store(nil) }
