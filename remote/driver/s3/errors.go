package s3

import (
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"

	"ferry/remote"
	"ferry/remote/driver/internal/objects"
)

// An answer is an error that the server sent.
type answer struct {
	kind    error // a sentinel of package remote, or nil
	code    string
	message string
	remedy  string
}

func (a *answer) Error() string {
	s := a.message
	if a.code != "" {
		s = a.code + ": " + s
	}
	if a.kind != nil && a.code != "NoSuchBucket" { // which says it
		s = a.kind.Error() + " (" + s + ")"
	}
	if a.remedy != "" {
		s += ": " + a.remedy
	}
	return s
}

func (a *answer) Unwrap() error { return a.kind }

// translate returns err in the terms of package remote. What it leaves as it is are failures on the
// way.
func (r *Remote) translate(err error) error {
	var role credentials.ErrorResponse
	if errors.As(err, &role) {
		return &answer{kind: remote.ErrPermission, code: role.STSError.Code, message: role.STSError.Message,
			remedy: "check the options role_arn and role_external_id, and the keys"}
	}
	var e minio.ErrorResponse
	if errors.As(err, &e) {
		if remote.WasRepeated(err) {
			return remote.Repeated(r.translate(e))
		}
		told := &answer{kind: kindOf(e), code: e.Code, message: message(e), remedy: remedyOf(e.Code)}
		switch {
		case e.Code == "InvalidBucketName" && r.root.Bucket != "": // it is the name of the remote that is wrong, and no file's
			return remote.MayPass(told)
		case told.kind == nil && !mayPass(e):
			return remote.Final(told)
		}
		return told
	}
	var u *url.Error
	if errors.As(err, &u) { // its URL is long and tells little
		return fmt.Errorf("no answer from %s: %w: check the option endpoint and the network", r.opt.host, u.Err)
	}
	if isUnreadable(err) {
		return fmt.Errorf("%s: %w: %w: check the option endpoint", r.opt.host, remote.ErrMalformed, err)
	}
	return err
}

// isUnreadable reports whether err says that an answer came whole, and is not what it should be.
func isUnreadable(err error) bool {
	var syntax *xml.SyntaxError
	if errors.As(err, &syntax) {
		return syntax.Msg != "unexpected EOF"
	}
	return err == io.EOF // of an answer without any XML
}

// mayPass reports whether an answer that means nothing to kindOf may be another one the next time:
// something was damaged or cut on the way, was too much or too slow, or others change the same.
func mayPass(e minio.ErrorResponse) bool {
	switch e.Code {
	case "RequestTimeout", "IncompleteBody", "BadDigest", "InvalidDigest", "XAmzContentSHA256Mismatch", "XAmzContentChecksumMismatch",
		"OperationAborted", "ConditionalRequestConflict", "Throttling", "ThrottlingException", "RequestThrottled",
		"RequestLimitExceeded", "TokenRefreshRequired", "Busy":
		return true
	}
	return e.StatusCode == http.StatusConflict || objects.MayPass(e.StatusCode)
}

// repeated returns err, of a request that the library has made again, as one that is not to be
// repeated by others where the server has answered.
func repeated(err error) error {
	var e minio.ErrorResponse
	if errors.As(err, &e) && e.Code != "ConditionalRequestConflict" { // which the library passes on at once
		return remote.Repeated(err)
	}
	return err
}

// message returns what the server says of e, in one line.
func message(e minio.ErrorResponse) string {
	if e.Message == "" {
		return http.StatusText(e.StatusCode)
	}
	return e.Message
}

// unknownUser is what versitygw answers instead of InvalidAccessKeyId.
const unknownUser = "XAdminUserNotFound"

// kindOf returns the sentinel of package remote that e means, nil for a failure that may pass.
func kindOf(e minio.ErrorResponse) error {
	switch e.Code {
	case "NoSuchKey", "NotFound", "NoSuchBucket", "NoSuchVersion":
		return remote.ErrNotExist
	case "AccessDenied", "AllAccessDisabled", "AccountProblem", "InvalidAccessKeyId", unknownUser, "SignatureDoesNotMatch",
		"InvalidToken", "ExpiredToken", "InvalidSecurity", "NotSignedUp", "AuthorizationHeaderMalformed",
		"MethodNotAllowed", "RequestTimeTooSkewed":
		return remote.ErrPermission
	case "KeyTooLongError", "KeyTooLong", "XMinioInvalidObjectName", "InvalidBucketName", "InvalidURI":
		return remote.ErrBadName
	case "InvalidObjectState":
		return remote.ErrArchived
	case "EntityTooLarge", "MaxMessageLengthExceeded":
		return remote.ErrTooLarge
	case "BucketAlreadyExists", "BucketAlreadyOwnedByYou":
		return remote.ErrExist
	case "BucketNotEmpty", "DirectoryNotEmpty":
		return remote.ErrNotEmpty
	case "ObjectParentIsFile", "XMinioParentIsObject":
		return remote.ErrNotDir
	case "ExistingObjectIsDirectory", "XMinioObjectExistsAsDirectory":
		return remote.ErrIsDir
	case "QuotaExceeded", "XMinioAdminBucketQuotaExceeded":
		return remote.ErrQuota
	case "XMinioStorageFull", "InsufficientStorage":
		return remote.ErrNoSpace
	case "PermanentRedirect", "IllegalLocationConstraintException", "InvalidArgument", "InvalidRequest", "InvalidStorageClass",
		"InvalidPart", "EntityTooSmall", "MalformedXML", "MetadataTooLarge":
		return remote.ErrInvalid // would be refused again
	case "NotImplemented", "APINotSupported":
		return remote.ErrUnsupported
	}
	switch e.StatusCode {
	case http.StatusUnauthorized, http.StatusForbidden:
		return remote.ErrPermission
	case http.StatusPreconditionFailed:
		return remote.ErrChanged
	case http.StatusRequestEntityTooLarge:
		return remote.ErrTooLarge
	case http.StatusInsufficientStorage:
		return remote.ErrNoSpace
	case http.StatusNotImplemented:
		return remote.ErrUnsupported
	}
	return nil
}

// remedyOf says what the administrator can do about an error.
func remedyOf(code string) string {
	switch code {
	case "NoSuchBucket":
		return "create the bucket, or correct the path of the remote"
	case "InvalidAccessKeyId", unknownUser:
		return "check the option access_key_id"
	case "SignatureDoesNotMatch":
		return "check the option secret_access_key"
	case "InvalidToken", "ExpiredToken":
		return "check the option session_token"
	case "PermanentRedirect", "IllegalLocationConstraintException":
		return "check the options region and endpoint"
	case "InvalidStorageClass":
		return "check the option storage_class"
	case "AuthorizationHeaderMalformed":
		return "check the option region"
	case "RequestTimeTooSkewed":
		return "set the clock of this machine"
	}
	return ""
}

// isCode reports whether err is an answer with one of these codes.
func isCode(err error, codes ...string) bool {
	var e minio.ErrorResponse
	if !errors.As(err, &e) {
		return false
	}
	for _, code := range codes {
		if e.Code == code {
			return true
		}
	}
	return false
}

// explain returns err, which a call that ctx governed returned, as an error of package remote.
func (r *Remote) explain(ctx context.Context, op, name string, err error) error {
	if err == nil {
		return nil
	}
	if ctx.Err() != nil {
		return remote.Fail(op, name, context.Cause(ctx))
	}
	return remote.Fail(op, name, r.translate(err))
}
