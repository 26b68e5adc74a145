package flags

import (
	"time"

	"ferry/config"
)

// RecordOptions are the values of the flags about logs of record.
type RecordOptions struct {
	Audit         string // file; "" = none
	Commands      bool   // in the audit log, too
	Chain         bool
	Xferlog       string // file; "" = none
	XferlogFormat string // xferlog, clf or json
	RotateSize    config.Size
	RotateAge     time.Duration
	RotateKeep    uint32 // 0 = all
}

// Records returns the flags about logs of record.
func Records(o *Options) Group {
	return Group{"Logs of record", []Flag{
		{"audit-log", "", file(&o.Records.Audit), "File with a line of JSON for each login, listing, transfer and change, written before its reply is sent; opened again on SIGHUP; doc/operations.md has the fields"},
		{"audit-commands", "false", toggle(&o.Records.Commands), "Have a line for every command in --audit-log, too"},
		{"audit-chain", "false", toggle(&o.Records.Chain), "Have each line of --audit-log hold the hash of the line before, for ferry audit verify"},
		{"xferlog", "", file(&o.Records.Xferlog), "File with a line for each transfer, as wu-ftpd, ProFTPD and vsftpd write it, for programs that read such logs; opened again on SIGHUP"},
		{"xferlog-format", "xferlog", choice(&o.Records.XferlogFormat, "xferlog", "clf", "json"), "Form of --xferlog: that of wu-ftpd, that of web servers, or that of --audit-log"},
		{"log-rotate-size", "off", size(&o.Records.RotateSize), "Move the files of --audit-log and --xferlog away when they would become larger, at least 64K"},
		{"log-rotate-age", "off", limit(&o.Records.RotateAge), "Move those files away so that each has the lines of so much time: 24h is a day of UTC, 168h a week from Monday on"},
		{"log-rotate-keep", "0", number(&o.Records.RotateKeep), "How many files that were moved away are kept; 0 is all"},
	}}
}

// leastRotation is the least size by which files are moved away: they are not to have one name.
const leastRotation = 64 << 10

// check refuses what does nothing, or too much.
func (r *RecordOptions) check() error {
	switch {
	case r.Audit == "" && (r.Commands || r.Chain):
		return Usagef("--audit-commands and --audit-chain need --audit-log, the file that they are about")
	case r.RotateSize != config.SizeOff && r.RotateSize < leastRotation:
		return Usagef("--log-rotate-size %s is too small: use at least 64K, or off", r.RotateSize)
	case r.Audit != "" && r.Audit == r.Xferlog:
		return Usagef("--audit-log and --xferlog name one file: give each its own")
	}
	return nil
}
