package hooks

import (
	"strconv"
	"time"

	"ferry/events"
)

// encode appends a saved of it and e as JSON, without what is zero. It is made twice for each
// upload while its client waits, and costs a fifth of what encoding/json takes.
func (it *item) encode(b []byte, e *events.Event) []byte {
	b = append(b, `{"hook":`...)
	b = events.AppendQuoted(b, it.queue.name)
	b = text(b, "state", it.state.String())
	b = text(b, "kind", e.Kind.String())
	b = moment(b, "since", it.since)
	b = moment(b, "due", it.due)
	b = number(b, "tries", int64(it.tries))
	b = text(b, "cause", it.cause)
	b = text(b, "maybe", it.maybe)
	b = append(b, `,"event":`...)
	b = appendEvent(b, e)
	return append(b, '}')
}

// appendEvent appends e under the names of its fields.
func appendEvent(b []byte, e *events.Event) []byte {
	b = append(b, `{"Kind":`...)
	b = strconv.AppendUint(b, uint64(e.Kind), 10)
	b = text(b, "ID", e.ID)
	b = moment(b, "Time", e.Time)
	if e.Session != 0 {
		b = strconv.AppendUint(key(b, "Session"), e.Session, 10)
	}
	b = text(b, "User", e.User)
	if e.Address.IsValid() {
		b = append(key(b, "Address"), '"')
		b = append(e.Address.AppendTo(b), '"')
	}
	b = text(b, "TLS", e.TLS)
	b = text(b, "Client", e.Client)
	b = text(b, "Command", e.Command)
	b = text(b, "Argument", e.Argument)
	b = text(b, "Path", e.Path)
	b = text(b, "To", e.To)
	b = list(b, "Before", e.Before)
	b = text(b, "Remote", e.Remote)
	b = text(b, "Place", e.Place)
	b = text(b, "Name", e.Name)
	b = number(b, "Offset", e.Offset)
	b = number(b, "Bytes", e.Bytes)
	b = number(b, "Size", e.Size)
	b = number(b, "Duration", int64(e.Duration))
	b = number(b, "FirstByte", int64(e.FirstByte))
	b = text(b, "Digest", e.Digest)
	b = text(b, "Version", e.Version)
	b = text(b, "Replaced", e.Replaced)
	b = moment(b, "ModTime", e.ModTime)
	if e.Overwrote {
		b = append(key(b, "Overwrote"), "true"...)
	}
	b = number(b, "Result", int64(e.Result))
	b = number(b, "Code", int64(e.Code))
	b = text(b, "Cause", e.Cause)
	b = text(b, "Rule", e.Rule)
	return append(b, '}')
}

func key(b []byte, name string) []byte {
	b = append(b, `,"`...)
	b = append(b, name...)
	return append(b, `":`...)
}

func text(b []byte, name, s string) []byte {
	if s == "" {
		return b
	}
	return events.AppendQuoted(key(b, name), s)
}

func number(b []byte, name string, n int64) []byte {
	if n == 0 {
		return b
	}
	return strconv.AppendInt(key(b, name), n, 10)
}

func moment(b []byte, name string, t time.Time) []byte {
	if t.IsZero() {
		return b
	}
	b = append(key(b, name), '"')
	return append(t.AppendFormat(b, time.RFC3339Nano), '"')
}

func list(b []byte, name string, all []string) []byte {
	if len(all) == 0 {
		return b
	}
	return events.AppendQuotedList(key(b, name), all)
}
