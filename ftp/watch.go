package ftp

import (
	"bytes"
	"errors"
	"io"
	"os"
	"time"
)

const (
	// watchAfter is how long a transfer runs before its control connection is watched: most have
	// ended by then and avoid the cost.
	watchAfter = 20 * time.Millisecond
	// maxPending is how much memory the commands queued during a transfer may take. Further ones
	// stay in the socket until the transfer ends.
	maxPending = 64 << 10
	// maxAfterUpload is the same for the end of an upload, which reads past them to find the end of
	// the connection.
	maxAfterUpload = 1 << 20
	// pendingOverhead is the memory of a queued command besides its line.
	pendingOverhead = 32
)

// watch starts the watcher of the control connection if t still runs after watchAfter.
func (s *session) watch(t *transfer) {
	t.watched = make(chan struct{})
	t.timer = time.AfterFunc(watchAfter, func() {
		defer close(t.watched)
		s.watchControl(t)
	})
}

// unwatch stops the watcher. It may be called again.
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

// watchControl reads commands while t runs. A proper end of the control connection is only
// recorded: verifyComplete decides at the end of the transfer.
func (s *session) watchControl(t *transfer) {
	for s.pendingBytes < maxPending {
		line, err := s.ctl.readLine()
		switch {
		case err == nil:
			if s.handleDuring(t, line) {
				return
			}
		case errors.Is(err, errLineTooLong):
			s.ctl.write(reply{500, "Line too long."})
		case errors.Is(err, os.ErrDeadlineExceeded) && s.ctl.stop.Load() == 0:
			// a session in a transfer is not idle
		case errors.Is(err, errInterrupted):
			if s.ctl.stop.Load()&stopSession != 0 {
				t.giveUpWaiting()
			}
			return
		case errors.Is(err, io.EOF):
			t.lost = true
			t.giveUpWaiting()
			if !t.movesData() && !s.endsWithQuit() {
				t.cancel(errControlLost) // nobody would receive the answer
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

// handleDuring answers or queues a line that came during t, and reports whether it was ABOR.
func (s *session) handleDuring(t *transfer, line []byte) bool {
	verb, arg := parseCommand(line)
	atOnce := t.opened.Load() && len(s.pending) == 0
	switch {
	case string(verb) == "ABOR":
		t.aborted = true
		t.cancel(errAborted)
		return true
	case string(verb) == "NOOP" && atOnce:
		r := ok("The transfer is running.")
		s.tellDuring("NOOP", r)
		s.ctl.write(r)
	case string(verb) == "STAT" && arg == "" && atOnce:
		s.tellDuring("STAT", reply{211, ""})
		s.writeStatus(t)
	default:
		s.queue(line)
	}
	return false
}

// queue appends a command to the pending ones.
func (s *session) queue(line []byte) {
	s.pending = append(s.pending, bytes.Clone(line))
	s.pendingBytes += len(line) + pendingOverhead
}

// drainControl queues commands until QUIT, or until none has arrived for that time. It returns
// errControlLost if the control connection ends after them: the two connections of a killed client
// end one after the other. If there are too many commands to find the end, it returns
// errTooManyPending. An interrupt of the session is deferred, too.
func (s *session) drainControl(within time.Duration) error {
	stopped := s.ctl.stop.Swap(0)
	s.ctl.soon = time.Now().Add(within)
	defer func() {
		s.ctl.soon = time.Time{}
		s.ctl.stop.Or(stopped)
	}()
	for !s.endsWithQuit() {
		if s.pendingBytes >= maxAfterUpload {
			return errTooManyPending
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

// endsWithQuit reports whether the last pending command is QUIT.
func (s *session) endsWithQuit() bool {
	if len(s.pending) == 0 {
		return false
	}
	verb, _ := parseCommand(bytes.Clone(s.pending[len(s.pending)-1]))
	return string(verb) == "QUIT"
}
