package rc

import (
	"context"
	"time"
)

// Counters report finished and running transfers. Their methods may be called concurrently.
type Counters interface {
	Stats() Stats
	// Transferred returns the latest finished transfers, oldest first.
	Transferred() []Transfer
}

// Stats is a snapshot of the counters since the start. Unknown counters are 0.
type Stats struct {
	Since        time.Time
	Bytes        int64 // of finished transfers
	Transfers    int64 // that succeeded
	Errors       int64 // that failed
	TransferTime time.Duration
	LastError    string
	Deletes      int64
	DeletedDirs  int64
	Renames      int64
	Listed       int64
	Checks       int64
	Running      []Transfer
	Causes       []Cause // why uploads are overdue
}

// A Cause is a reason why uploads are overdue.
type Cause struct {
	Text    string
	Since   time.Time
	Uploads int // number of overdue uploads
}

// A Transfer is a running or finished transfer.
type Transfer struct {
	Name  string
	Size  int64 // below 0 = unknown
	Bytes int64 // moved
	What  string
	Began time.Time
	Ended time.Time // zero while running
	Err   error     // nil = complete
}

// StatsCalls are core/stats and core/transferred.
func StatsCalls(c Counters) []Call {
	return []Call{
		{Path: "core/stats", Title: "Show what was and is being transferred.", Access: Open,
			Run: func(_ context.Context, in Params) (Params, error) { return stats(c, in) },
			Help: "Parameters:\n\n- group - only what belongs to this group of jobs, to which FTP sessions do not belong\n" +
				"- short - without the transfers that run\n\nReturns:\n\n- bytes, transfers, errors, lastError, elapsedTime and transferTime (seconds)\n" +
				"- speed - bytes per second of the transfers that run\n- transferring - those, each with name, size, bytes, percentage, speed, speedAvg, eta\n" +
				"- waitingBecause - while uploads wait for trouble to pass: each kind of it with because, since, uploads\n" +
				"- further counters"},
		{Path: "core/transferred", Title: "Show the latest transfers that have ended.", Access: Open,
			Run: func(_ context.Context, in Params) (Params, error) { return transferred(c, in) },
			Help: "Parameters:\n\n- group - only what belongs to this group of jobs\n\nReturns:\n\n" +
				"- transferred - each with name, size, bytes, what, started_at, completed_at, error"},
	}
}

// snapshot returns the counters of the group in in. No call here moves data in a group of its own.
func snapshot(c Counters, in Params) (Stats, []Transfer, error) {
	group, err := optional(Params.String, in, "group")
	if err != nil || group != "" {
		return Stats{Since: time.Now()}, nil, err
	}
	return c.Stats(), c.Transferred(), nil
}

func stats(c Counters, in Params) (Params, error) {
	short, err := optional(Params.Bool, in, "short")
	if err != nil {
		return nil, err
	}
	s, _, err := snapshot(c, in)
	if err != nil {
		return nil, err
	}
	now, bytes, busy, speed := time.Now(), s.Bytes, s.TransferTime, 0.0
	var running []Params
	for _, t := range s.Running {
		bytes += t.Bytes
		busy += now.Sub(t.Began)
		speed += t.speed(now)
		running = append(running, t.running(now))
	}
	out := Params{
		"bytes": bytes, "totalBytes": bytes, "transfers": s.Transfers, "totalTransfers": s.Transfers + int64(len(running)),
		"errors": s.Errors, "fatalError": false, "retryError": false,
		"checks": s.Checks, "totalChecks": s.Checks, "deletes": s.Deletes, "deletedDirs": s.DeletedDirs, "updatedDirs": 0,
		"renames": s.Renames, "listed": s.Listed,
		"serverSideCopies": 0, "serverSideCopyBytes": 0, "serverSideMoves": 0, "serverSideMoveBytes": 0,
		"elapsedTime": now.Sub(s.Since).Seconds(), "transferTime": busy.Seconds(), "speed": speed, "eta": nil,
	}
	if s.LastError != "" {
		out["lastError"] = s.LastError
	}
	if len(s.Causes) > 0 {
		causes := []Params{}
		for _, c := range s.Causes {
			causes = append(causes, Params{"because": c.Text, "since": c.Since.UTC().Format(time.RFC3339), "uploads": c.Uploads})
		}
		out["waitingBecause"] = causes
	}
	if len(running) > 0 && !short {
		out["transferring"] = running
	}
	return out, nil
}

// speed returns the bytes per second of t until now.
func (t Transfer) speed(now time.Time) float64 {
	if took := now.Sub(t.Began).Seconds(); took > 0 {
		return float64(t.Bytes) / took
	}
	return 0
}

func (t Transfer) running(now time.Time) Params {
	speed := t.speed(now)
	out := Params{"name": t.Name, "size": t.Size, "bytes": t.Bytes, "percentage": 0, "speed": speed, "speedAvg": speed, "eta": nil, "group": ""}
	if t.Size > 0 {
		out["percentage"] = t.Bytes * 100 / t.Size
		if speed > 0 {
			out["eta"] = int64(float64(t.Size-t.Bytes) / speed)
		}
	}
	return out
}

func transferred(c Counters, in Params) (Params, error) {
	_, all, err := snapshot(c, in)
	if err != nil {
		return nil, err
	}
	ended := []Params{}
	for _, t := range all {
		out := Params{
			"name": t.Name, "size": t.Size, "bytes": t.Bytes, "checked": false, "what": t.What,
			"started_at": t.Began, "completed_at": t.Ended, "error": "", "group": "",
		}
		if t.Err != nil {
			out["error"] = t.Err.Error()
		}
		ended = append(ended, out)
	}
	return Params{"transferred": ended}, nil
}
