// Package events is the one stream of what happens in a process: each fact is recorded once, after
// it is true, and whoever is interested listens. The parts that record know no listener, and
// listeners know neither each other nor the parts.
//
// event.go is what an Event says, kind.go what it is about, stream.go how it gets to listeners,
// origin.go who is behind a change that reaches the remote later, quote.go how listeners write the
// texts of an Event as JSON.
package events

import (
	"math/rand/v2"
	"net/netip"
	"time"
)

// An Event is a fact. Which fields are set depends on its Kind; the zero value means that there is
// nothing to say, or that it is not known. It holds no secret.
type Event struct {
	Kind Kind
	// ID is unique, and the same if a fact is recorded again because it was not known whether it
	// had been.
	ID   string
	Time time.Time // when it became true

	// Who: all are zero where no client is behind it.
	Session uint64 // unique within the life of the process
	User    string
	Address netip.AddrPort // of the client
	TLS     string         // version of the control connection, as "1.3"; "" in clear
	Client  string         // what it calls itself (CLNT)

	// What.
	Command  string   // verb of the FTP command
	Argument string   // of a Command that is not about a path, without secrets
	Path     string   // absolute, as the client sees it
	To       string   // Path after a rename or copy
	Before   []string // of UploadStored: paths that the file had since its upload, oldest first
	Remote   string   // type of the remote
	Place    string   // of UploadStored and UploadRefused: which remote, among all others; never a secret
	Name     string   // where it is on the remote

	// How much.
	Offset    int64 // where a transfer began in the file
	Bytes     int64 // moved, as on the wire
	Size      int64 // of the file; below 0 = unknown
	Duration  time.Duration
	FirstByte time.Duration // from the command to the first byte of its data connection
	Digest    string        // of the file, as "md5:" and hexadecimal digits, where it is known without reading it
	Version   string        // of the file on the remote, as an ETag
	Replaced  string        // of a prepared UploadStored: what tells the file that is about to be replaced from later ones, if known
	ModTime   time.Time     // of the file
	Overwrote bool          // of UploadStored: the remote is known to have had a file of that name

	// What came of it.
	Result Result
	Code   int    // of the reply
	Cause  string // of what did not succeed, for a log
	Rule   string // that decided, as "users.toml:14"

	More bool `json:"-"` // another event of the same doing follows before its client is answered
}

// Result says what came of something.
type Result uint8

const (
	OK      Result = iota // it is done
	Denied                // by a rule, or by who may decide
	Failed                // it could not be done
	Aborted               // its client gave up, or was cut off
)

var results = [...]string{OK: "ok", Denied: "denied", Failed: "failed", Aborted: "aborted"}

// String returns a lower-case word.
func (r Result) String() string { return results[r] }

// NewID returns an ID that no other event has. Later ones sort behind earlier ones, to the
// millisecond.
func NewID(now time.Time) string {
	const digits = "0123456789abcdefghjkmnpqrstvwxyz"
	var id [26]byte // a ULID in lower case: 48 bits of time, 80 of chance
	ms := uint64(now.UnixMilli())
	for i := 9; i >= 0; i-- {
		id[i] = digits[ms&31]
		ms >>= 5
	}
	// They are to be unique, not secret, and there are many.
	for i, chance := 10, uint64(0); i < len(id); i++ {
		if (i-10)%8 == 0 {
			chance = rand.Uint64()
		}
		id[i] = digits[chance&31]
		chance >>= 5
	}
	return string(id[:])
}
