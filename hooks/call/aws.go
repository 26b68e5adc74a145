package call

import (
	"strconv"
	"strings"
	"time"

	"ferry/events"
)

// An awsEvent is an event of AWS Transfer Family as EventBridge brings it.
type awsEvent struct {
	Version    string    `json:"version"`
	ID         string    `json:"id"`
	DetailType string    `json:"detail-type"`
	Source     string    `json:"source"`
	Account    string    `json:"account"`
	Time       string    `json:"time"`
	Region     string    `json:"region"`
	Resources  []string  `json:"resources"`
	Detail     awsDetail `json:"detail"`
}

// An awsDetail has the names of the documentation. What an event does not have is left out.
type awsDetail struct {
	FilePath      string `json:"file-path,omitempty"`
	DirectoryPath string `json:"directory-path,omitempty"`
	OriginalPath  string `json:"original-file-path,omitempty"`
	RenamedPath   string `json:"renamed-file-path,omitempty"`
	StatusCode    string `json:"status-code"`
	Protocol      string `json:"protocol"`
	Bytes         *int64 `json:"bytes,omitempty"`
	ClientIP      string `json:"client-ip,omitempty"`
	FailureCode   string `json:"failure-code,omitempty"`
	FailureText   string `json:"failure-message,omitempty"`
	Start         string `json:"start-timestamp,omitempty"`
	End           string `json:"end-timestamp,omitempty"`
	ETag          string `json:"etag,omitempty"`
	ServerID      string `json:"server-id"`
	Username      string `json:"username,omitempty"`
	SessionID     string `json:"session-id,omitempty"`
}

// awsEvent returns m as AWS says it. What it has no words for keeps those of ferry.
func (m Message) awsEvent(source string) awsEvent {
	e := m.Event
	protocol, status := "FTP", "COMPLETED"
	if e.TLS != "" {
		protocol = "FTPS"
	}
	bad := e.Result != events.OK || e.Kind == events.UploadRefused || e.Kind == events.UploadAborted
	d := awsDetail{
		Protocol: protocol, ClientIP: addressOf(e), ServerID: source, Username: e.User,
		End: e.Time.UTC().Format(time.RFC3339Nano), Start: e.Time.Add(-e.Duration).UTC().Format(time.RFC3339Nano),
	}
	if e.Session != 0 {
		d.SessionID = strconv.FormatUint(e.Session, 10)
	}
	if bad {
		status = "FAILED"
		d.FailureCode, d.FailureText = "UNKNOWN_ERROR", e.Cause
	}
	d.StatusCode = status
	return awsEvent{
		Version: "0", ID: e.ID, Source: "aws.transfer", Account: "000000000000", Region: "local", Resources: []string{source},
		Time:       e.Time.UTC().Format("2006-01-02T15:04:05Z"),
		DetailType: protocol + " Server " + m.awsFill(&d, bad) + " " + status[:1] + strings.ToLower(status[1:]),
		Detail:     d,
	}
}

// awsFill sets what depends on what happened, and returns its name.
func (m Message) awsFill(d *awsDetail, bad bool) string {
	e := m.Event
	moved := max(e.Size, 0)
	switch e.Kind {
	case events.UploadReceived, events.UploadStored, events.UploadRefused, events.UploadAborted:
		if e.Kind == events.UploadAborted {
			moved, d.FailureCode = e.Bytes, "PARTIAL_UPLOAD"
		}
		d.FilePath, d.ETag, d.Bytes = e.Path, e.Version, &moved
		return "File Upload"
	case events.Download:
		if bad && e.Bytes > 0 {
			d.FailureCode = "PARTIAL_DOWNLOAD"
		}
		d.FilePath, d.ETag, d.Bytes = e.Path, e.Version, &e.Bytes
		return "File Download"
	case events.Rename:
		d.OriginalPath, d.RenamedPath = e.Path, e.To
		return "File Rename"
	case events.UploadConflict:
		d.OriginalPath, d.RenamedPath = e.Path, e.To
		return m.Name
	case events.Mkdir:
		d.DirectoryPath = e.Path
		return "Directory Create"
	case events.Rmdir:
		d.DirectoryPath = e.Path
		return "Directory Delete"
	case events.Delete:
		d.FilePath = e.Path
		return "File Delete"
	}
	d.FilePath = e.Path
	return m.Name
}
