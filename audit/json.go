package audit

import (
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"ferry/events"
)

// What kinds of events have besides what stands in every line where it is not zero.
var (
	moved  = events.Of(events.List, events.Download, events.UploadReceived, events.UploadAborted, events.Quota)
	begins = events.Of(events.Download, events.UploadReceived)
	sized  = events.Of(events.Download, events.UploadReceived, events.UploadStored, events.UploadConflict, events.UploadRefused, events.Quota)
	lasts  = events.Of(events.Stop, events.Disconnect, events.Login, events.LoginRefused, events.Ban, events.Command,
		events.List, events.Download, events.UploadReceived, events.UploadAborted, events.UploadStored, events.QueueLate)
)

// appendJSON appends e as a JSON object.
func appendJSON(b []byte, e *events.Event) []byte {
	b = append(b, `{"time":"`...)
	b = e.Time.UTC().AppendFormat(b, time.RFC3339Nano)
	b = append(b, `","event":"`...)
	b = append(b, e.Kind.String()...)
	b = append(b, '"')
	b = text(b, "id", e.ID)
	b = who(b, e)
	b = text(b, "command", e.Command)
	b = text(b, "argument", e.Argument)
	b = text(b, "path", e.Path)
	b = text(b, "to", e.To)
	b = list(b, "previous_names", e.Before)
	b = amounts(b, e)
	b = digest(b, e.Digest)
	b = text(b, "version", e.Version)
	if !e.ModTime.IsZero() {
		b = append(b, `,"mtime":"`...)
		b = e.ModTime.UTC().AppendFormat(b, time.RFC3339Nano)
		b = append(b, '"')
	}
	if e.Overwrote {
		b = append(b, `,"overwrote":true`...)
	}
	b = append(b, `,"result":"`...)
	b = append(b, e.Result.String()...)
	b = append(b, '"')
	if e.Code != 0 {
		b = number(b, "code", int64(e.Code))
	}
	b = text(b, "cause", e.Cause)
	b = text(b, "rule", e.Rule)
	b = text(b, "remote", e.Remote)
	b = text(b, "remote_path", e.Name)
	return append(b, '}')
}

// who appends whose doing it was.
func who(b []byte, e *events.Event) []byte {
	if e.Session != 0 {
		b = append(b, `,"session":`...)
		b = strconv.AppendUint(b, e.Session, 10)
	}
	b = text(b, "user", e.User)
	if e.Address.Addr().IsValid() {
		b = append(b, `,"address":"`...)
		b = e.Address.Addr().Unmap().WithZone("").AppendTo(b)
		b = append(b, '"')
		if e.Address.Port() != 0 {
			b = number(b, "port", int64(e.Address.Port()))
		}
	}
	if e.TLS != "" || e.Session != 0 {
		b = append(b, `,"tls":"`...)
		b = append(b, e.TLS...)
		b = append(b, '"')
	}
	return text(b, "client", e.Client)
}

// amounts appends how much it was, and how long it took.
func amounts(b []byte, e *events.Event) []byte {
	if begins.Has(e.Kind) {
		b = number(b, "offset", e.Offset)
	}
	if moved.Has(e.Kind) {
		b = number(b, "bytes", e.Bytes)
	}
	if sized.Has(e.Kind) && e.Size >= 0 {
		b = number(b, "size", e.Size)
	}
	if lasts.Has(e.Kind) {
		b = append(b, `,"duration_s":`...)
		b = strconv.AppendFloat(b, e.Duration.Round(time.Microsecond).Seconds(), 'f', -1, 64)
	}
	return b
}

// digest appends "md5:..." under the name in front of it.
func digest(b []byte, s string) []byte {
	name, sum, ok := strings.Cut(s, ":")
	if !ok {
		return b
	}
	return text(b, name, sum)
}

func key(b []byte, name string) []byte {
	b = append(b, `,"`...)
	b = append(b, name...)
	return append(b, `":`...)
}

func number(b []byte, name string, n int64) []byte {
	return strconv.AppendInt(key(b, name), n, 10)
}

// text appends what is not "". Bytes that are not UTF-8 are replaced, as JSON has none; then the
// text stands once more, percent-encoded, under the name with "_encoded" behind it.
func text(b []byte, name, s string) []byte {
	if s == "" {
		return b
	}
	b = events.AppendQuoted(key(b, name), s)
	if !utf8.ValidString(s) {
		b = append(b, `,"`...)
		b = append(b, name...)
		b = append(b, `_encoded":"`...)
		b = append(percent(b, s), '"')
	}
	return b
}

func list(b []byte, name string, all []string) []byte {
	if len(all) == 0 {
		return b
	}
	return events.AppendQuotedList(key(b, name), all)
}

// percent appends s as a URL has it in its path.
func percent(b []byte, s string) []byte {
	const plain = "-_.~/!$&'()*+,;=:@"
	for i := range len(s) {
		c := s[i]
		if c|0x20 >= 'a' && c|0x20 <= 'z' || c >= '0' && c <= '9' || strings.IndexByte(plain, c) >= 0 {
			b = append(b, c)
			continue
		}
		b = append(b, '%', "0123456789ABCDEF"[c>>4], "0123456789ABCDEF"[c&15])
	}
	return b
}
