// Package audit writes logs of record: an audit log of what was done, by whom and with what result,
// and a transfer log that programs for such logs read. It listens to events, and each line is in
// its file before the reply to the client is sent. What no reply waits for may be written later.
//
// audit.go is a log, held.go what it may write later, file.go its file and what happens when the
// disk is full, rotate.go how files follow each other. json.go and transfer.go are the forms of
// lines, chain.go the hashes that make one of them depend on all before it, verify.go who checks
// them.
package audit

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"sync"

	"ferry/events"
)

// Options say where a log is kept.
type Options struct {
	Name     string      // of the file
	What     string      // it is called in errors and in the log, as "--audit-log"
	Mode     fs.FileMode // of a file that is made
	Rotation Rotation
	Log      *slog.Logger // that the file cannot be written
}

// A Log is a file with a line for each event. It may be used concurrently.
type Log struct {
	kinds  events.Set
	format format

	mu    sync.Mutex
	file  *file  // guarded by mu
	chain *chain // guarded by mu; nil = none
	held  held   // guarded by mu
}

// A format appends what is said of e, without the end of the line. It appends nothing where there
// is nothing to say.
type format func(line []byte, e *events.Event) []byte

// Audited are the kinds of an audit log without commands.
const Audited = events.All &^ (1<<events.Command | 1<<events.Handshake | 1<<events.QueueLate)

// OpenAudit opens an audit log, a JSON object for each event, and makes the file if there is none.
// commands adds one for every command. With chained each has the hash of the line before.
func OpenAudit(o Options, commands, chained bool) (*Log, error) {
	l := &Log{kinds: Audited, format: appendJSON}
	if commands {
		l.kinds |= events.Of(events.Command)
	}
	if chained {
		before, err := chainOf(o.Name)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", o.What, err)
		}
		l.chain = before
	}
	return l.open(o)
}

// OpenTransfers opens a transfer log, and makes the file if there is none. The form is one of
// Formats.
func OpenTransfers(o Options, form string) (*Log, error) {
	l := &Log{kinds: events.Of(events.Download, events.UploadReceived, events.UploadAborted, events.Delete)}
	switch form {
	case Xferlog:
		l.format = appendXferlog
	case CLF:
		l.format = appendCLF
	case JSON:
		l.format = appendTransferJSON
	default:
		return nil, errors.New("no form of transfer logs is called " + form)
	}
	return l.open(o)
}

func (l *Log) open(o Options) (*Log, error) {
	f, err := openFile(o)
	if err != nil {
		return nil, err
	}
	l.file = f
	return l, nil
}

// Kinds are those that l has lines for.
func (l *Log) Kinds() events.Set { return l.kinds }

// Record writes the line for e, and all that are held. It always returns nil: a log that cannot be
// written stops nobody, but is said, and how many lines are lost.
func (l *Log) Record(_ context.Context, e *events.Event) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	line := l.format(l.held.lines, e)
	switch {
	case len(line) == len(l.held.lines):
	case l.chain != nil:
		l.writeChained(line)
	default:
		l.held.lines = append(line, '\n')
		if !l.mayWait(e) {
			l.write()
		}
	}
	return nil
}

// writeChained writes a line with the sum of those before.
//
// LOCKS_REQUIRED(l.mu)
func (l *Log) writeChained(line []byte) {
	line = l.chain.appendTo(line)
	l.held.lines = append(line, '\n')
	if l.write() {
		l.chain.follow(line)
	}
}

// Reopen opens the file of that name, after something has moved the old one away. When it cannot,
// the old one stays.
func (l *Log) Reopen() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.write()
	torn, err := l.file.reopen()
	if l.chain != nil {
		l.chain.tear(torn)
	}
	return err
}

// Close closes the file. Nothing may be recorded after that.
func (l *Log) Close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.write()
	l.held.end()
	return l.file.close()
}
