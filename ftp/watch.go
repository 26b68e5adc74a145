package ftp

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"sync/atomic"
	"time"
)

// transfer is a command that may take long: it moves data or works through a file. While it runs,
// ABOR is answered, and STAT and NOOP behind 150; other commands wait.
type transfer struct {
	verb, name string
	began      time.Time
	cancel     context.CancelCauseFunc
	timer      *time.Timer              // starts the watcher
	watched    chan struct{}            // closed when the watcher has ended
	opened     atomic.Bool              // 150 has been said: replies to other commands cannot be taken for it
	conn       atomic.Pointer[dataConn] // nil until it is open

	waitsFor atomic.Pointer[func()] // ends the wait for a data connection; nil before 150
	hopeless atomic.Bool            // no data connection is waited for

	whole bool // every byte has come and is believed; set while nobody watches

	// Written by the watcher, read when it has ended.
	lost     bool        // the control connection ended
	patience *time.Timer // ends the wait for a data connection
	aborted  bool        // ABOR came
}

func (t *transfer) bytes() int64 {
	if c := t.conn.Load(); c != nil {
		return c.count()
	}
	return 0
}

// movesData tells transfers over a data connection from commands that only take long.
func (t *transfer) movesData() bool {
	return t.verb != "HASH" && t.verb != verbDigest && t.verb != "STAT"
}

// verbDigest stands for XCRC, XMD5 and their like.
const verbDigest = "digest"

const (
	// watchAfter is how long a transfer runs before its control connection is watched: most are
	// over by then and never pay for it.
	watchAfter = 20 * time.Millisecond
	// maxPending is how much memory the commands may take that wait behind a transfer. The ones
	// after it stay in the socket until the transfer ends.
	maxPending = 64 << 10
	// maxBehindUpload is the same for the end of an upload, which looks behind them for the end of
	// the connection.
	maxBehindUpload = 1 << 20
	// pendingOverhead is what a command that waits takes besides its line.
	pendingOverhead = 32
)

// begin starts a transfer: what it does is cut short by ABOR, by the loss of the control
// connection, and with the session. Every begin is followed by a finish.
func (s *session) begin(ctx context.Context, verb, name string) (context.Context, *transfer) {
	t := &transfer{verb: verb, name: name, began: time.Now()}
	ctx, t.cancel = context.WithCancelCause(ctx)
	s.mu.Lock()
	s.running = t
	s.mu.Unlock()
	s.watch(t)
	return ctx, t
}

func (s *session) finish(t *transfer) {
	s.unwatch(t)
	t.cancel(nil)
	if t.patience != nil {
		t.patience.Stop()
	}
	s.aborted = t.aborted
	s.mu.Lock()
	s.running = nil
	s.mu.Unlock()
}

// watch lets a watcher attend to the control connection when t still runs after a moment.
func (s *session) watch(t *transfer) {
	t.watched = make(chan struct{})
	t.timer = time.AfterFunc(watchAfter, func() {
		defer close(t.watched)
		s.attend(t)
	})
}

// unwatch takes the control connection back from the watcher. It may be called again.
func (s *session) unwatch(t *transfer) {
	if t.timer == nil {
		return
	}
	if !t.timer.Stop() {
		s.ctl.interrupt(stopWatch)
		<-t.watched
		s.ctl.resume(stopWatch)
	}
	t.timer = nil
}

// attend reads commands while t runs. An end of the control connection in good order is only noted:
// whether the transfer is to be believed is decided at its end.
func (s *session) attend(t *transfer) {
	for s.waiting < maxPending {
		line, err := s.ctl.readLine()
		switch {
		case err == nil:
			if s.attendTo(t, line) {
				return
			}
		case errors.Is(err, errLineTooLong):
			s.ctl.write(reply{500, "Line too long."})
		case errors.Is(err, os.ErrDeadlineExceeded) && s.ctl.stop.Load() == 0:
			// A session in a transfer is not idle.
		case errors.Is(err, errInterrupted):
			if s.ctl.stop.Load()&stopSession != 0 {
				t.loseHope()
			}
			return
		case errors.Is(err, io.EOF):
			t.lost = true
			t.loseHope()
			if !t.movesData() && !s.saidQuit() {
				t.cancel(errControlLost) // nobody is left to hear the answer
			}
			return
		default:
			t.lost = true
			if !t.whole {
				t.cancel(errControlLost)
			}
			return
		}
	}
}

// loseHope gives a data connection that has not come about little more time: its client has gone,
// or the server stops.
func (t *transfer) loseHope() {
	if t.movesData() {
		t.patience = time.AfterFunc(goneGrace, func() {
			t.hopeless.Store(true)
			if end := t.waitsFor.Load(); end != nil {
				(*end)()
			}
		})
	}
}

// waitFor notes what ends the wait for a data connection that begins now. It is called when there
// is no hope left.
func (t *transfer) waitFor(end func()) {
	t.waitsFor.Store(&end)
	if t.hopeless.Load() {
		end()
	}
}

// waitIsOver is called when there is a data connection: it is judged by what it brings.
func (t *transfer) waitIsOver() { t.waitsFor.Store(nil) }

// goneGrace is how long a data connection may come behind the end of the control connection.
const goneGrace = time.Second

// attendTo answers or queues one line and reports whether it was ABOR.
func (s *session) attendTo(t *transfer, line []byte) bool {
	verb, arg := parseCommand(line)
	atOnce := t.opened.Load() && len(s.pending) == 0
	switch {
	case string(verb) == "ABOR":
		t.aborted = true
		t.cancel(errAborted)
		return true
	case string(verb) == "NOOP" && atOnce:
		s.ctl.write(ok("The transfer is running."))
	case string(verb) == "STAT" && arg == "" && atOnce:
		s.writeStatus(t)
	default:
		s.queue(line)
	}
	return false
}

// queue lets a command wait for its turn.
func (s *session) queue(line []byte) {
	s.pending = append(s.pending, bytes.Clone(line))
	s.waiting += len(line) + pendingOverhead
}

// lastWords lets the commands wait that the client sends, up to QUIT or until nothing comes for
// that time, and returns errControlLost when the control connection has ended behind them: two
// connections that a killed client leaves behind end one after the other. How many commands there
// are does not matter: when they are so many that the end cannot be seen, it is errTooMuchAhead.
// What is to end the session waits, too.
func (s *session) lastWords(within time.Duration) error {
	stopped := s.ctl.stop.Swap(0)
	s.ctl.soon = time.Now().Add(within)
	defer func() {
		s.ctl.soon = time.Time{}
		s.ctl.stop.Or(stopped)
	}()
	for !s.saidQuit() {
		if s.waiting >= maxBehindUpload {
			return errTooMuchAhead
		}
		line, err := s.ctl.readLine()
		switch {
		case err == nil:
			s.queue(line)
			s.ctl.soon = time.Now().Add(within)
		case errors.Is(err, errLineTooLong):
			s.ctl.write(reply{500, "Line too long."})
		case errors.Is(err, errInterrupted):
			stopped |= s.ctl.stop.Swap(0)
		default:
			if errors.Is(err, os.ErrDeadlineExceeded) {
				return nil
			}
			return errControlLost
		}
	}
	return nil
}

// saidQuit reports whether the last command that waits is QUIT.
func (s *session) saidQuit() bool {
	if len(s.pending) == 0 {
		return false
	}
	verb, _ := parseCommand(bytes.Clone(s.pending[len(s.pending)-1]))
	return string(verb) == "QUIT"
}
