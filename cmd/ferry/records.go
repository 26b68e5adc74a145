package main

import (
	"context"
	"io/fs"
	"log/slog"

	"ferry/audit"
	"ferry/cmd/ferry/internal/flags"
	"ferry/events"
)

// Permissions of logs of record: programs of the owner's group may read which files were
// transferred, but not all that was done.
const (
	auditMode    = 0o600
	transferMode = 0o640
)

// openAuditLog opens the file of --audit-log. It returns nil without that flag.
func openAuditLog(_ context.Context, o *options, log *slog.Logger) (*listening, error) {
	if o.Records.Audit == "" {
		return nil, nil
	}
	l, err := audit.OpenAudit(o.record("--audit-log", o.Records.Audit, auditMode, log), o.Records.Commands, o.Records.Chain)
	return recording("audit log", l, err)
}

// openTransferLog opens the file of --xferlog. It returns nil without that flag.
func openTransferLog(_ context.Context, o *options, log *slog.Logger) (*listening, error) {
	if o.Records.Xferlog == "" {
		return nil, nil
	}
	l, err := audit.OpenTransfers(o.record("--xferlog", o.Records.Xferlog, transferMode, log), o.Records.XferlogFormat)
	return recording("transfer log", l, err)
}

// record returns where a log of record is kept.
func (o *options) record(flag, name string, mode fs.FileMode, log *slog.Logger) audit.Options {
	return audit.Options{Name: name, What: flag, Mode: mode, Log: log, Rotation: audit.Rotation{
		Size: max(int64(o.Records.RotateSize), 0), Age: flags.Unlimited(o.Records.RotateAge), Keep: int(o.Records.RotateKeep),
	}}
}

func recording(name string, l *audit.Log, err error) (*listening, error) {
	if err != nil {
		return nil, err
	}
	return &listening{
		name: name, Subscription: events.Subscription{Kinds: l.Kinds(), Listener: l},
		reopen: l.Reopen, close: func() { _ = l.Close() }, // what was lost has been said
	}, nil
}
