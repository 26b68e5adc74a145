// Package notice reads what object stores tell of changes: the events of Amazon S3, and of MinIO,
// Ceph and versitygw, which follow it in their own ways, those of Backblaze, Google Cloud Storage
// and Azure. It is pure: text in, plain data out. The files, in reading order:
//
//	notice.go       Parse and Notice
//	change.go       what a Notice means for a remote
//	envelope.go     what else is around an event: SNS, EventBridge, a push of Pub/Sub, CloudEvents
//	s3.go           events of S3 and its like; b2.go of Backblaze
//	eventbridge.go  events of S3 by EventBridge
//	gcs.go          notifications of Google Cloud Storage
//	azure.go        events of Azure Event Grid
//	order.go        which of two notices of one key is the newer one
//	text.go         JSON and times
package notice

import (
	"errors"
	"time"
)

// A Notice says that an object may have changed.
type Notice struct {
	Bucket string // or container
	// Key is that of the object. One that ends in a slash stands for a directory, and "" for the
	// bucket itself.
	Key string
	// Other is how the key is to be read if the sender spells keys in another way than it seems; ""
	// = there is no doubt.
	Other string
	// Below reports that the Key is that of a directory with all that is in it.
	Below bool
	// Removed reports that there was no such object any more when the notice was sent. It is never
	// set for a version that was removed behind another one, as far as the sender says.
	Removed bool
	// Version is that of the content, as drivers have it in remote.Entry; "" = it is not told, or
	// something else than the content has changed.
	Version string
	// Order compares notices of one key, by Newer; "" = the sender tells nothing that can be
	// compared.
	Order string
	Time  time.Time // when it happened; zero = that is not told
}

// ErrUnknown is returned for what is no notification of an object store.
var ErrUnknown = errors.New("it is no notification of an object store that is known")

// Parse reads a notification: its body, and its attributes where it came by Google Pub/Sub. A
// notification of something that is nothing to a remote, such as a test, gives no notices. Of a
// list it returns those that can be read, with an error if there are others.
func Parse(body []byte, attributes map[string]string) ([]Notice, error) {
	if attributes["eventType"] != "" && attributes["bucketId"] != "" {
		return ofGCS(attributes), nil
	}
	return parse(body, maxDepth)
}

// ParseStream reads a line of what MinIO tells to those who listen to it, where keys are spelled as
// they are. An empty list says that it is there.
func ParseStream(line []byte) ([]Notice, error) {
	var told struct{ Records []record }
	if err := decode(line, &told); err != nil {
		return nil, err
	}
	var all []Notice
	for i := range told.Records {
		if n, ok := told.Records[i].notice(plain); ok {
			all = append(all, n)
		}
	}
	return all, nil
}
