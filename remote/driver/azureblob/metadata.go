package azureblob

import (
	"maps"
	"strings"
	"time"
)

const (
	// mtime is the metadata that holds the modification time, as rclone has it.
	mtime = "mtime"
	// mtimeFormat is what is written there; anything like RFC 3339 is read.
	mtimeFormat = "2006-01-02T15:04:05.000000000Z07:00"
	// folder is the metadata that says "true" of a blob that stands for a directory, on accounts
	// with a hierarchical namespace and where Hadoop has written.
	folder = "hdi_isfolder"
)

// lookup finds metadata by a name, whose case the service may change.
func lookup(metadata map[string]*string, name string) (key, value string) {
	for k, v := range metadata {
		if strings.EqualFold(k, name) && v != nil {
			return k, *v
		}
	}
	return "", ""
}

func modTime(metadata map[string]*string) (time.Time, bool) {
	_, value := lookup(metadata, mtime)
	t, err := time.Parse(time.RFC3339, value)
	return t, err == nil
}

func isFolder(metadata map[string]*string) bool {
	_, value := lookup(metadata, folder)
	return value == "true"
}

// withModTime returns metadata with the modification time t.
func withModTime(metadata map[string]*string, t time.Time) map[string]*string {
	all := map[string]*string{}
	maps.Copy(all, metadata)
	if old, _ := lookup(all, mtime); old != "" {
		delete(all, old)
	}
	value := t.UTC().Format(mtimeFormat)
	all[mtime] = &value
	return all
}
