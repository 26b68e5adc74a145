package audit

import (
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"ferry/events"
)

// Formats of a transfer log.
const (
	Xferlog = "xferlog" // that of wu-ftpd: 18 fields with blanks between
	CLF     = "clf"     // that of web servers, as Pure-FTPd uses it
	JSON    = "json"    // that of the audit log
)

// isTransfer reports whether e moved something, or removed it: not what was refused.
func isTransfer(e *events.Event) bool {
	return e.Result == events.OK || e.Kind != events.Delete && e.Bytes > 0
}

func appendTransferJSON(b []byte, e *events.Event) []byte {
	if !isTransfer(e) {
		return b
	}
	return appendJSON(b, e)
}

// appendXferlog appends e as wu-ftpd would.
func appendXferlog(b []byte, e *events.Event) []byte {
	if !isTransfer(e) {
		return b
	}
	b = e.Time.Local().AppendFormat(b, time.ANSIC)
	b = append(b, ' ')
	b = strconv.AppendInt(b, max(1, int64((e.Duration+time.Second-1)/time.Second)), 10)
	b = append(b, ' ')
	b = host(b, e)
	b = append(b, ' ')
	b = strconv.AppendInt(b, e.Bytes, 10)
	b = append(b, ' ')
	b = field(b, e.Path)
	b = append(b, ' ', kindOf(e), ' ', specialOf(e), ' ', directionOf(e), ' ', accessOf(e), ' ')
	b = field(b, e.User)
	b = append(b, " ftp 0 * "...)
	if e.Result != events.OK {
		return append(b, 'i')
	}
	return append(b, 'c')
}

// kindOf is a for a transfer in which TYPE A converts, else b.
func kindOf(e *events.Event) byte {
	if strings.HasPrefix(e.Argument, "ascii") {
		return 'a'
	}
	return 'b'
}

// specialOf is C for what was compressed on the way.
func specialOf(e *events.Event) byte {
	if strings.HasSuffix(e.Argument, "deflate") {
		return 'C'
	}
	return '_'
}

func directionOf(e *events.Event) byte {
	switch e.Kind {
	case events.Download:
		return 'o'
	case events.Delete:
		return 'd'
	}
	return 'i'
}

// accessOf is a for who needs no password by custom, r for a user with one.
func accessOf(e *events.Event) byte {
	if e.User == "anonymous" || e.User == "ftp" {
		return 'a'
	}
	return 'r'
}

func host(b []byte, e *events.Event) []byte {
	if !e.Address.Addr().IsValid() {
		return append(b, '-')
	}
	return e.Address.Addr().Unmap().WithZone("").AppendTo(b)
}

// field appends s without what ends a field or a line.
func field(b []byte, s string) []byte {
	if s == "" {
		return append(b, '-')
	}
	for i := 0; i < len(s); {
		r, n := utf8.DecodeRuneInString(s[i:])
		if r == utf8.RuneError && n == 1 || unicode.IsSpace(r) || !unicode.IsPrint(r) {
			b = append(b, '_')
		} else {
			b = append(b, s[i:i+n]...)
		}
		i += n
	}
	return b
}

// appendCLF appends e as Pure-FTPd would. What was cut off has the status of a part.
func appendCLF(b []byte, e *events.Event) []byte {
	if !isTransfer(e) {
		return b
	}
	b = host(b, e)
	b = append(b, " - "...)
	b = field(b, e.User)
	b = e.Time.Local().AppendFormat(b, " [02/Jan/2006:15:04:05 -0700] \"")
	switch directionOf(e) {
	case 'o':
		b = append(b, "GET "...)
	case 'd':
		b = append(b, "DELETE "...)
	default:
		b = append(b, "PUT "...)
	}
	b = percent(b, e.Path)
	if e.Result == events.OK {
		b = append(b, "\" 200 "...)
	} else {
		b = append(b, "\" 206 "...)
	}
	return strconv.AppendInt(b, e.Bytes, 10)
}
