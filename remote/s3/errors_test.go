package s3

import (
	"testing"

	"github.com/minio/minio-go/v7"

	"ferry/remote"
)

// What is said about the account, the bucket, the clock or the options of the remote passes when that is mended.
func TestWhichAnswersAreAboutTheObject(t *testing.T) {
	r := &Remote{root: place{bucket: "b"}}
	for code, about := range map[string]bool{
		"KeyTooLongError": true, "XMinioInvalidObjectName": true, "InvalidURI": true, "EntityTooLarge": true,
		"ObjectParentIsFile": true, "XMinioParentIsObject": true, "ExistingObjectIsDirectory": true,

		"NoSuchBucket": false, "AccessDenied": false, "AllAccessDisabled": false, "AccountProblem": false, "InvalidAccessKeyId": false,
		"SignatureDoesNotMatch": false, "InvalidToken": false, "ExpiredToken": false, "InvalidSecurity": false, "NotSignedUp": false,
		"AuthorizationHeaderMalformed": false, "RequestTimeTooSkewed": false, "InvalidObjectState": false, "MethodNotAllowed": false,
		"InvalidBucketName": false, "BucketAlreadyExists": false, "QuotaExceeded": false, "XMinioStorageFull": false,
		"PermanentRedirect": false, "InvalidStorageClass": false, "InvalidPart": false, "InvalidRequest": false, "NotImplemented": false,
		"SlowDown": false, "InternalError": false, "PreconditionFailed": false, "XSomethingNew": false,
	} {
		err := r.translate(minio.ErrorResponse{Code: code, StatusCode: 400, Message: "m"})
		if got := remote.RefusesObject(err); got != about {
			t.Errorf("%s is about the object: %t", code, got)
		}
	}
	for status, about := range map[int]bool{413: true, 301: false, 302: false, 307: false, 400: false, 401: false, 403: false, 404: false, 409: false, 429: false, 500: false, 501: false, 503: false, 507: false, 511: false} {
		if got := remote.RefusesObject(r.translate(minio.ErrorResponse{StatusCode: status})); got != about {
			t.Errorf("status %d is about the object: %t", status, got)
		}
	}
	if !remote.RefusesObject(errTooLong(10_000)) {
		t.Error("a file of too many parts is not about the object")
	}
	if all := new(Remote); !remote.RefusesObject(all.translate(minio.ErrorResponse{Code: "InvalidBucketName", StatusCode: 400})) {
		t.Error("where buckets are directories, the name of one is not about the object")
	}
}
