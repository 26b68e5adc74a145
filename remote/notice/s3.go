package notice

import (
	"net/url"
	"strings"
)

// A record is an event of S3. Sizes are left out: Ceph writes them as texts.
type record struct {
	EventVersion string
	EventSource  string
	EventTime    string
	EventName    string
	S3           struct {
		Bucket struct{ Name string }
		Object struct{ Key, ETag, VersionID, Sequencer string } // empty in an event of a bucket
	}
}

// A spelling is how a sender writes keys.
type spelling int

const (
	encoded spelling = iota // as in the query of a URL: a blank is +
	plain                   // as they are
	unknown
)

func ofS3(records []record) []Notice {
	var all []Notice
	for i := range records {
		r := &records[i]
		if n, ok := r.notice(r.spelling()); ok {
			all = append(all, n)
		}
	}
	return all
}

// spelling tells servers apart by how they write the rest. Amazon, and MinIO as all its targets get
// it, encode keys; versitygw takes them from the path of a request, which it has decoded.
func (r *record) spelling() spelling {
	switch {
	case r.isVersity():
		return plain
	case r.EventSource == "aws:s3" && !strings.HasPrefix(r.EventName, "s3:"), r.EventSource == "minio:s3":
		return encoded
	}
	return unknown
}

func (r *record) isVersity() bool {
	return r.EventSource == "aws:s3" && r.EventVersion == "2.2" && strings.HasPrefix(r.EventName, "s3:")
}

// notice returns what a record says; ok is false where that is nothing to a remote.
func (r *record) notice(by spelling) (n Notice, ok bool) {
	o := &r.S3.Object
	n = Notice{Bucket: r.S3.Bucket.Name, Time: parseTime(r.EventTime)}
	if n.Bucket == "" {
		return n, false
	}
	name := strings.TrimPrefix(r.EventName, "s3:")
	if change, is := strings.CutPrefix(name, "Bucket"); is {
		n.Removed = strings.HasPrefix(change, "Removed:")
		return n, n.Removed || strings.HasPrefix(change, "Created:")
	}
	if n.Removed, ok = effect(name); !ok || o.Key == "" {
		return n, false
	}
	n.Key = o.Key
	if read, err := url.QueryUnescape(o.Key); err == nil && read != o.Key && read != "" {
		switch by {
		case encoded:
			n.Key = read
		case unknown:
			n.Other = read
		}
	}
	if !r.isVersity() { // whose numbers begin anew with each process
		n.Order = hexOrder(o.Sequencer)
	}
	switch {
	case n.Removed && !strings.HasSuffix(name, "MarkerCreated") && isVersion(o.VersionID):
		n.Doubt() // that version is gone, and it may have been an old one
	case !n.Removed && !strings.HasSuffix(name, ":Copy"): // which may change what else there is to an object
		n.Version = strings.Trim(o.ETag, `"`)
	}
	return n, true
}

// isVersion reports whether an ID is that of a version in a bucket that has some.
func isVersion(id string) bool { return id != "" && id != "null" }

// effect returns what a kind of event does to an object; ok is false where a listing stays as it
// is.
func effect(name string) (removed, ok bool) {
	kind, rest, _ := strings.Cut(name, ":")
	switch kind {
	case "ObjectCreated":
		return false, true
	case "ObjectRemoved", "LifecycleExpiration":
		return true, true
	case "ObjectLifecycle": // of Ceph
		return strings.HasPrefix(rest, "Expiration:Current"), strings.HasPrefix(rest, "Expiration:")
	case "ObjectSynced": // of Ceph
		return strings.HasPrefix(rest, "Delet"), true
	}
	return false, false
}
