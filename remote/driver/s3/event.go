package s3

import (
	"encoding/xml"
	"io"
	"net/http"

	"github.com/minio/minio-go/v7"

	"ferry/remote"
)

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
