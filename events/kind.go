package events

// Kind says what an Event is about.
type Kind uint8

// The comment of each says when it is recorded, and which fields it has besides those of who. What
// a command of a client has changed, moved or listed has the Command, Code, Duration, Result and
// Cause besides. It is also recorded when it was refused, or failed: then Result is not OK, and
// nothing has changed.
const (
	Start        Kind = iota // the process listens
	Stop                     // it has ended its sessions; Duration since Start
	Drain                    // it takes no new sessions any more
	Undrain                  // it takes new sessions again
	ConfigReload             // files were read again: Path the file, Argument the flags that changed, Result, Cause; if OK, Cause is what needs a restart
	CertRenewed              // Path the name of the certificate, ModTime when it expires; Result, Cause

	Connect      // a session began; nobody has logged in
	Disconnect   // a session ended: Cause "quit", "idle", "lost", "kicked", "drain" or "refused"; Duration. Of one that was not admitted, which has no Connect: Rule
	Login        // Rule the source that knew the user ("flags", "file", "program", "url", "remote"); Argument "cache" if its answer was remembered; Duration of the check
	LoginRefused // Cause "unknown", "password", "rule", "limit", "held off" or "unavailable"; Rule what was against it; Duration
	Ban          // Address; Argument the network, as "192.0.2.7/32"; Cause; Duration of the ban
	Unban        // a ban was lifted before its end: Address, Argument
	Kick         // a session was ended by an operator
	Handshake    // TLS: TLS, Command "control" or "data", Cause "resumed" or ""; Result

	Command // a command was answered: Command, Argument or Path, Code, Duration; of each, also of those below

	// Argument of these four is how the bytes were sent: "binary" or "ascii", and " deflate" in
	// MODE Z.
	List           // Path, Bytes, FirstByte
	Download       // Path, Offset, Bytes, Size, FirstByte
	UploadReceived // 226 is about to be sent: Path (final), Offset, Bytes, Size, Digest, FirstByte; ID that of the Origin
	UploadAborted  // an upload did not end in 226, or was refused: Path, Offset, Bytes, FirstByte; a part may remain
	UploadStored   // the remote has the file: Path, Name, Remote, Before, Size, Digest, Version, ModTime, Duration since UploadReceived
	UploadConflict // another node had stored a file of that name while the upload waited; that was kept: Path, Name, Remote, To where it is kept, Size, ModTime and Version of it
	UploadRefused  // the remote will never take it: Path, Name, Remote, Size, Cause; the content is kept

	Delete  // Path
	Rename  // Path, To
	Mkdir   // Path
	Rmdir   // Path
	SetTime // Path, ModTime
	Chmod   // Path, Argument the mode
	Copy    // Path, To

	Quota     // a user has reached a share of the quota: Bytes used, Size the limit, Argument the share as "0.9", Cause "bytes" or "files" that these are
	HandOver  // pending changes were handed over to other nodes: Argument how many
	TakeOver  // pending changes of another node are taken over: Argument how many; Remote
	QueueLate // the oldest pending change is older than a limit: Duration its age; recorded again when that is over, with Result OK

	kinds // how many there are
)

var names = [kinds]string{
	Start: "start", Stop: "stop", Drain: "drain", Undrain: "undrain", ConfigReload: "config.reload", CertRenewed: "cert.renewed",
	Connect: "connect", Disconnect: "disconnect", Login: "login", LoginRefused: "login.refused",
	Ban: "ban", Unban: "unban", Kick: "kick", Handshake: "handshake", Command: "command",
	List: "list", Download: "download", UploadReceived: "upload.received", UploadAborted: "upload.aborted",
	UploadStored: "upload.stored", UploadConflict: "upload.conflict", UploadRefused: "upload.refused",
	Delete: "delete", Rename: "rename", Mkdir: "mkdir", Rmdir: "rmdir", SetTime: "mtime", Chmod: "chmod", Copy: "copy",
	Quota: "quota", HandOver: "handover", TakeOver: "takeover", QueueLate: "queue.late",
}

// String returns the name that logs and hooks use.
func (k Kind) String() string { return names[k] }

// Parse returns the Kind of a name.
func Parse(name string) (Kind, bool) {
	for k, n := range names {
		if n == name {
			return Kind(k), true
		}
	}
	return 0, false
}

// Names returns the names of all kinds.
func Names() []string { return append([]string(nil), names[:]...) }

// A Set is a set of kinds.
type Set uint64

// All is every kind.
const All Set = 1<<kinds - 1

// Of returns the set of the given kinds.
func Of(all ...Kind) Set {
	var s Set
	for _, k := range all {
		s |= 1 << k
	}
	return s
}

// Has reports whether k is in s.
func (s Set) Has(k Kind) bool { return s&(1<<k) != 0 }
