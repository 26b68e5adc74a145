package gcs

import (
	"maps"
	"strconv"
	"time"
)

// The metadata that hold a modification time: that of rclone, and that of gsutil in whole seconds.
const (
	mtime       = "mtime"
	gsutilMtime = "goog-reserved-file-mtime"
)

func withModTime(t time.Time) map[string]string {
	return map[string]string{
		mtime:       t.UTC().Format(time.RFC3339Nano),
		gsutilMtime: strconv.FormatInt(t.Unix(), 10),
	}
}

// withoutModTime returns the other metadata of an object.
func withoutModTime(metadata map[string]string) map[string]string {
	other := maps.Clone(metadata)
	delete(other, mtime)
	delete(other, gsutilMtime)
	return other
}

// modTime returns the time that was stored with the object, or else that of its last change.
func modTime(o *object) (t time.Time, stored bool) {
	if t, err := time.Parse(time.RFC3339Nano, o.Metadata[mtime]); err == nil {
		return t, true
	}
	if seconds, err := strconv.ParseInt(o.Metadata[gsutilMtime], 10, 64); err == nil {
		return time.Unix(seconds, 0), true
	}
	t, err := time.Parse(time.RFC3339Nano, o.Updated)
	if err != nil {
		return time.Time{}, false
	}
	return t, false
}
