package notice

import "strings"

// A detail is what EventBridge has of an event of S3. Keys are written as they are.
type detail struct {
	Bucket struct{ Name string }
	Object struct {
		Key, ETag string
		VersionID string `json:"version-id"`
		Sequencer string
	}
	Reason       string
	DeletionType string `json:"deletion-type"`
}

func ofEventBridge(e *envelope) []Notice {
	d := e.Detail
	n := Notice{
		Bucket: d.Bucket.Name, Key: d.Object.Key, Removed: e.DetailType == "Object Deleted",
		Order: hexOrder(d.Object.Sequencer), Time: parseTime(e.Time),
	}
	switch {
	case e.Source != "aws.s3" || n.Bucket == "" || n.Key == "":
		return nil
	case n.Removed && d.DeletionType == "Permanently Deleted" && isVersion(d.Object.VersionID):
		n.Doubt() // as in an event without EventBridge
	case n.Removed:
	case e.DetailType != "Object Created":
		return nil
	case !strings.HasPrefix(d.Reason, "Copy"):
		n.Version = strings.Trim(d.Object.ETag, `"`)
	}
	return []Notice{n}
}
