package observe

import (
	"errors"
	"fmt"
	"io/fs"
	"syscall"

	"ferry/events"
	"ferry/ftp"
)

// changes are the commands that change one thing.
var changes = map[string]events.Kind{
	"DELE": events.Delete, "RNTO": events.Rename, "MKD": events.Mkdir, "XMKD": events.Mkdir, "RMD": events.Rmdir, "XRMD": events.Rmdir,
	"MFMT": events.SetTime, "SITE UTIME": events.SetTime, "SITE CHMOD": events.Chmod,
}

// CommandDone implements ftp.Observer.
func (o *Observer) CommandDone(w ftp.Who, c *ftp.CommandReport) {
	t, _ := w.Tree.(*tree)
	if c.Verb == "CLNT" && t != nil {
		t.began(w)
	}
	kind, of := kindOf(c)
	of = of && o.stream.Wants(kind)
	commands := o.stream.Wants(events.Command)
	if !of && !commands {
		return
	}
	command := describe(&w, c)
	if of {
		e := take()
		*e = *command
		detail(e, kind, c)
		if kind == events.Rename && t != nil && c.Code < 400 {
			e.ID = t.takeRenamed()
		}
		o.record(e)
	}
	if commands {
		o.record(command)
	} else {
		give(command)
	}
}

// kindOf returns what c is besides a command; of is false if it is nothing else. What was refused
// before it was clear what it was about is only a command.
func kindOf(c *ftp.CommandReport) (kind events.Kind, of bool) {
	if c.Path == "" {
		return 0, false
	}
	switch c.Verb {
	case "STOR", "APPE", "STOU":
		if c.Code < 400 && !errors.Is(c.Err, ftp.ErrConcealed) {
			return events.UploadReceived, true
		}
		return events.UploadAborted, true
	case "RETR":
		return events.Download, true
	case "LIST", "NLST", "MLSD", "STAT":
		return events.List, true
	case "MDTM":
		return events.SetTime, !c.ModTime.IsZero()
	}
	kind, of = changes[c.Verb]
	return kind, of
}

// describe takes the event of c as a command.
func describe(w *ftp.Who, c *ftp.CommandReport) *events.Event {
	e := event(events.Command, w)
	e.Command, e.Argument, e.Path, e.To, e.ModTime, e.Code = c.Verb, c.Argument, c.Path, c.To, c.ModTime, c.Code
	e.Duration = e.Time.Sub(c.Began)
	e.Result, e.Cause = outcome(c)
	return e
}

// detail makes e, a copy of what describe has made, the event of that kind.
func detail(e *events.Event, kind events.Kind, c *ftp.CommandReport) {
	e.Kind, e.Argument = kind, ""
	t := &c.Transfer
	switch kind {
	case events.Chmod:
		e.Argument = fmt.Sprintf("%03o", c.Mode)
	case events.List, events.Download, events.UploadReceived, events.UploadAborted:
		e.Argument = form(t)
		e.Bytes, e.Size = t.Bytes, -1
		if !t.FirstByte.IsZero() {
			e.FirstByte = t.FirstByte.Sub(c.Began)
		}
	}
	switch kind {
	case events.Download:
		e.Offset = t.Offset
		if t.Opened {
			e.Size = t.Size
		}
	case events.UploadReceived, events.UploadAborted:
		e.Offset = max(t.Offset, 0)
	}
	if kind == events.UploadReceived {
		received(e, c)
	}
}

// form says how the bytes of a transfer were sent.
func form(t *ftp.TransferReport) string {
	switch {
	case t.ASCII && t.Deflate:
		return "ascii deflate"
	case t.ASCII:
		return "ascii"
	case t.Deflate:
		return "binary deflate"
	}
	return "binary"
}

// received adds what is known of a file that has arrived.
func received(e *events.Event, c *ftp.CommandReport) {
	t := &c.Transfer
	if t.Upload == nil {
		return
	}
	whole := !t.ASCII && !t.Deflate // bytes on the wire are bytes of the file
	e.Size, e.Digest = ftp.Became(t.Upload)
	switch {
	case e.Size < 0 && whole && t.Offset >= 0:
		e.Size = t.Offset + t.Bytes
	case e.Size >= 0 && whole && t.Offset < 0:
		e.Offset = max(e.Size-t.Bytes, 0)
	}
	if u := uploadOf(t.Upload); u != nil {
		e.ID = u.origin.ID
	}
}

// outcome says what came of a command, and why.
func outcome(c *ftp.CommandReport) (events.Result, string) {
	switch {
	case errors.Is(c.Err, ftp.ErrConcealed): // whatever the reply is
		return events.Denied, cause(c)
	case c.Code < 400:
		return events.OK, ""
	case c.Aborted:
		return events.Aborted, cause(c)
	case c.Err == nil:
		return denied(c.Code), c.Text
	case errors.Is(c.Err, fs.ErrPermission), errors.Is(c.Err, ftp.ErrQuota), errors.Is(c.Err, syscall.EROFS):
		return events.Denied, c.Text // which has the rule in words
	}
	return events.Failed, cause(c)
}

func cause(c *ftp.CommandReport) string {
	if c.Err != nil {
		return c.Err.Error()
	}
	return c.Text
}

// denied says what a reply without an error is: 530 and the like are a rule's.
func denied(code int) events.Result {
	switch code {
	case 450, 521, 530, 534:
		return events.Denied
	}
	return events.Failed
}
