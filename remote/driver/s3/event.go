package s3

import (
	"encoding/xml"
	"io"
	"net/http"
	"strings"

	"github.com/minio/minio-go/v7"

	"ferry/remote"
)

// A notice is a line of what a server tells: some events, or none to show that it is there.
type notice struct{ Records []event }

// An event is something that has happened to an object, or to a bucket.
type event struct {
	EventName string
	S3        struct {
		Bucket struct{ Name string }
		Object struct{ Key, ETag string } // empty in an event of a bucket
	}
}

// change returns what an event means for what is seen here, if anything.
func (r *Remote) change(e *event) (remote.Change, bool) {
	c := remote.Change{Removed: strings.Contains(e.EventName, "Removed:")}
	bucket := e.S3.Bucket.Name
	if strings.HasPrefix(e.EventName, "s3:Bucket") {
		if r.root.Bucket != "" {
			return remote.Everything(), bucket == r.root.Bucket
		}
		c.Dir, c.Below = true, true
		return r.named(c, bucket)
	}
	// A key that ends in a slash is the marker of a directory.
	key, isDir := strings.CutSuffix(e.S3.Object.Key, "/")
	if c.Dir = isDir; !isDir && !c.Removed && !strings.HasSuffix(e.EventName, ":Copy") { // that may change what else there is to a file
		c.Version = e.S3.Object.ETag
	}
	if r.root.Bucket == "" {
		return r.named(c, bucket+"/"+key)
	}
	rest, ok := strings.CutPrefix(key, r.root.Prefix())
	if bucket != r.root.Bucket || !ok {
		return c, false
	}
	return r.named(c, rest)
}

// named gives c the name of the entry at path below the root. There are paths that no name leads
// to.
func (r *Remote) named(c remote.Change, path string) (remote.Change, bool) {
	elems := strings.Split(path, "/")
	for i, elem := range elems {
		name, ok := r.names.Name(elem)
		if !ok {
			return c, false
		}
		elems[i] = name
	}
	c.Name = strings.Join(elems, "/")
	return c, true
}

// refusedEvents returns why a server does not tell of events.
func refusedEvents(a *http.Response) error {
	e := minio.ErrorResponse{}
	if err := xml.NewDecoder(io.LimitReader(a.Body, 64<<10)).Decode(&e); err != nil {
		e = minio.ErrorResponse{}
	}
	e.StatusCode = a.StatusCode
	switch e.Code {
	case "AccessDenied":
		e.Message = "it takes the right s3:ListenBucketNotification to be told of changes; --poll-interval 0 does without"
	case "InvalidArgument", "InvalidRequest", "MethodNotAllowed": // it takes the request for another
		return remote.ErrUnsupported
	}
	if e.StatusCode == http.StatusMethodNotAllowed {
		return remote.ErrUnsupported
	}
	return e
}
