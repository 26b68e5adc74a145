package ftp

import (
	"crypto/tls"
	"io/fs"
	"net/netip"
	"strings"
	"time"
)

// An Observer is told of what happens in sessions, when it has happened and before the client is
// told: a reply is sent when the method has returned, so that it waits for nothing. It keeps
// nothing that a pointer leads to. It may be called concurrently. It learns no passwords.
type Observer interface {
	// SessionBegan is called before the greeting.
	SessionBegan(w Who)
	// SessionEnded is called before the last reply is sent. A session that was refused has not
	// begun. reason says more for a log; it may be "".
	SessionEnded(w Who, e Ending, reason string)
	// LoginDone is called after each check of a password or certificate, and when there is none
	// because the login is refused before.
	LoginDone(w Who, l *LoginReport)
	// HandshakeDone is called after each TLS handshake of a control connection, and of a data
	// connection that is used.
	HandshakeDone(w Who, h *HandshakeReport)
	// CommandDone is called for each command that is answered.
	CommandDone(w Who, c *CommandReport)
}

// Who is the client of a session as it is now.
type Who struct {
	Session uint64
	User    string // "" before the login
	Remote  netip.AddrPort
	TLS     uint16 // version; 0 in clear
	Client  string // argument of CLNT
	Tree    FS     // what it sees; nil before the login
	Began   time.Time
}

// Ending says why a session ended.
type Ending uint8

const (
	EndLost     Ending = iota // the connection was lost, or the client closed it without QUIT
	EndQuit                   // QUIT
	EndIdle                   // nothing came for too long, or no login
	EndKicked                 // Kick
	EndDismiss                // Dismiss: what its user may do has changed
	EndShutdown               // Shutdown or Close
	EndRefused                // the client is not admitted, cannot log in, or does not speak FTP
)

// A LoginReport describes an attempt to log in.
type LoginReport struct {
	User string        // who the client says it is
	Kind GuardKind     // what came of it; LoginRefused also if it could not be checked
	Err  error         // why it is not let in; nil if it is, or if nothing was checked
	Text string        // of what is against it where Err is nil
	Took time.Duration // the check
}

// A HandshakeReport describes a TLS handshake.
type HandshakeReport struct {
	Data    bool // of a data connection
	Version uint16
	Resumed bool
	Err     error
}

// A CommandReport describes a command and what came of it.
type CommandReport struct {
	Verb     string // as "STOR" or "SITE CHMOD"; of an unknown command the letters that it begins with
	Argument string // without secrets; "" where Path says it
	Path     string // absolute, of what it is about; "" = nothing
	To       string // the new path of RNTO
	Code     int    // of the reply
	Text     string // of the reply
	Err      error  // why the storage or the network failed; nil where the reply says all
	Aborted  bool   // a transfer that its client gave up, or that was cut off
	Began    time.Time
	ModTime  time.Time   // that was to be set
	Mode     fs.FileMode // that was to be set
	Transfer TransferReport
}

// A TransferReport is the part of a CommandReport about what moved. It is zero if no transfer
// began.
type TransferReport struct {
	Opened    bool  // there was a data connection
	Offset    int64 // where it began in the file; AtEnd where an append did not find out
	Bytes     int64 // moved, as on the wire
	Size      int64 // of the file that is sent; below 0 = unknown
	FirstByte time.Time
	ASCII     bool // TYPE A that converts
	Deflate   bool // MODE Z
	Private   bool // TLS
	Upload    Upload
}

// TLSVersion returns the version as logs have it, "1.3"; "" for 0.
func TLSVersion(version uint16) string {
	if version == 0 {
		return ""
	}
	return strings.TrimPrefix(tls.VersionName(version), "TLS ")
}
