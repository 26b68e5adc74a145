package notice

import (
	"strings"
	"time"
)

// A b2Event is an event of Backblaze.
type b2Event struct {
	EventType      string
	BucketName     string
	ObjectName     string
	EventTimestamp int64 // milliseconds
}

// ofB2 reads events of Backblaze. What is deleted there is one version: only a marker hides the
// name.
func ofB2(events []b2Event) []Notice {
	var all []Notice
	for _, e := range events {
		kind, _, _ := strings.Cut(strings.TrimPrefix(e.EventType, "b2:"), ":")
		hidden := kind == "HideMarkerCreated"
		if e.BucketName == "" || e.ObjectName == "" || !hidden && kind != "ObjectCreated" && kind != "ObjectDeleted" {
			continue
		}
		all = append(all, Notice{Bucket: e.BucketName, Key: e.ObjectName, Removed: hidden, Time: time.UnixMilli(e.EventTimestamp)})
	}
	return all
}
