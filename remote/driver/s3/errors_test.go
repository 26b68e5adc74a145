package s3

import (
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/minio/minio-go/v7"

	"ferry/remote"
	"ferry/remote/wrap/retry"
)

// What is said about the account, the bucket, the clock or the options of the remote passes when
// that is mended.
func TestWhichAnswersAreAboutTheObject(t *testing.T) {
	r := &Remote{root: place{Bucket: "b"}}
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

// The same request would be answered in the same way: it is not made again.
func TestWhichAnswersAreFinal(t *testing.T) {
	r := &Remote{root: place{Bucket: "b"}}
	for what, c := range map[string]struct {
		err   error
		final bool
		kind  error
	}{
		"an archived object":      {minio.ErrorResponse{Code: "InvalidObjectState", StatusCode: 403}, true, remote.ErrArchived},
		"too long":                {minio.ErrorResponse{Code: "EntityTooLarge", StatusCode: 400}, true, remote.ErrTooLarge},
		"too long by another":     {minio.ErrorResponse{Code: "MaxMessageLengthExceeded", StatusCode: 400}, true, remote.ErrTooLarge},
		"too long for metadata":   {minio.ErrorResponse{Code: "MetadataTooLarge", StatusCode: 400}, true, remote.ErrInvalid},
		"something new":           {minio.ErrorResponse{Code: "XSomethingNew", StatusCode: 400}, true, nil},
		"nothing but a status":    {minio.ErrorResponse{StatusCode: 422}, true, nil},
		"gone":                    {minio.ErrorResponse{StatusCode: 410}, true, nil},
		"a conflict":              {minio.ErrorResponse{Code: "OperationAborted", StatusCode: 409}, false, nil},
		"a conflict of changes":   {minio.ErrorResponse{Code: "ConditionalRequestConflict", StatusCode: 409}, false, nil},
		"a time-out":              {minio.ErrorResponse{Code: "RequestTimeout", StatusCode: 400}, false, nil},
		"another time-out":        {minio.ErrorResponse{StatusCode: 408}, false, nil},
		"damaged on the way":      {minio.ErrorResponse{Code: "BadDigest", StatusCode: 400}, false, nil},
		"damaged and signed":      {minio.ErrorResponse{Code: "XAmzContentSHA256Mismatch", StatusCode: 400}, false, nil},
		"cut on the way":          {minio.ErrorResponse{Code: "IncompleteBody", StatusCode: 400}, false, nil},
		"too many requests":       {minio.ErrorResponse{StatusCode: 429}, false, nil},
		"throttled":               {minio.ErrorResponse{Code: "ThrottlingException", StatusCode: 400}, false, nil},
		"slower":                  {minio.ErrorResponse{Code: "SlowDown", StatusCode: 503}, false, nil},
		"an error of the server":  {minio.ErrorResponse{Code: "InternalError", StatusCode: 500}, false, nil},
		"an answer that is wrong": {xmlError(`<ListBucketResult><Contents></Key>`), true, nil},
		"an answer that is cut":   {xmlError(`<ListBucketResult><Contents>`), false, nil},
		"an answer of another":    {xmlError(`{"not": "XML"}`), true, nil},
	} {
		err := r.translate(c.err)
		if remote.Permanent(err) != c.final || c.kind != nil && !errors.Is(err, c.kind) {
			t.Errorf("%s: %v, final %t", what, err, remote.Permanent(err))
		}
		if remote.RefusesObject(err) != errors.Is(err, remote.ErrTooLarge) {
			t.Errorf("%s: %v refuses the object: %t", what, err, remote.RefusesObject(err))
		}
	}
}

// xmlError is how the library reports an answer.
func xmlError(text string) error {
	return xml.NewDecoder(strings.NewReader(text)).Decode(&minio.ListBucketV2Result{})
}

func TestWhatRepetitionCannotMendIsAskedOnce(t *testing.T) {
	for what, c := range map[string]struct {
		answer func(http.ResponseWriter)
		ask    func(r remote.Remote) error
	}{
		"a listing that is no XML": {func(w http.ResponseWriter) { _, _ = io.WriteString(w, "{}") }, func(r remote.Remote) error {
			for _, err := range r.List(t.Context(), ".") {
				return err
			}
			return nil
		}},
		"an answer that is new": {func(w http.ResponseWriter) { w.WriteHeader(http.StatusTeapot) }, func(r remote.Remote) error {
			_, err := r.Stat(t.Context(), "f")
			return err
		}},
		"a PUT that is refused": {func(w http.ResponseWriter) { w.WriteHeader(http.StatusUnprocessableEntity) }, func(r remote.Remote) error {
			_, err := r.Put(t.Context(), "f", strings.NewReader("x"), remote.PutOptions{})
			return err
		}},
	} {
		t.Run(what, func(t *testing.T) {
			f := startFake(t) // of its own: a question that was called off may arrive later
			r := retry.New(openAt(t, testBucket, testOptions(f.addr)), retry.Options{})
			f.setMeddle(func(w http.ResponseWriter, q *http.Request) bool {
				c.answer(w)
				return true
			})
			f.take()
			if err := c.ask(r); err == nil {
				t.Error("no error")
			} else {
				t.Log(err)
			}
			got := f.take()
			slices.Sort(got)
			if once := slices.Compact(slices.Clone(got)); len(once) != len(got) || len(got) == 0 {
				t.Errorf("%d requests: %q", len(got), got)
			}
		})
	}
}

func TestABucketNameThatCannotBe(t *testing.T) {
	for _, path := range []string{"ab", "a", "b..c/d", "192.168.1.1", "with space", strings.Repeat("b", 64)} {
		if _, err := New(t.Context(), path, testOptions("127.0.0.1:1")); err == nil || !strings.Contains(err.Error(), "bucket") {
			t.Errorf("%q: %v", path, err)
		}
	}
	r := retry.New(openAt(t, "", testOptions("127.0.0.1:1")), retry.Options{}) // nobody is asked
	if err := r.Mkdir(t.Context(), "ab"); !errors.Is(err, remote.ErrBadName) {
		t.Error(err)
	}
	if _, err := r.Stat(t.Context(), "ab/f"); !errors.Is(err, remote.ErrBadName) {
		t.Error(err)
	}
}

// As many requests as attempts were allowed, and no more: the library's repetitions and ours are
// not multiplied.
func TestAServerThatWantsThemSlower(t *testing.T) {
	if testing.Short() {
		t.Skip("it takes long")
	}
	f := startFake(t)
	for what, size := range map[string]int{"a small file": 100, "a long one": 2 * minPart} {
		for _, attempts := range []int{1, 2, 3} {
			t.Run(fmt.Sprint(what, " ", attempts), func(t *testing.T) {
				o := testOptions(f.addr)
				o.Network.Attempts = attempts
				f.setMeddle(refuseWith(http.StatusServiceUnavailable, "SlowDown", func(q *http.Request) bool {
					return q.Method == http.MethodPut || q.URL.Query().Has("uploads")
				}))
				r := retry.New(openAt(t, testBucket, o), retry.Options{Attempts: attempts})
				f.take()
				s, err := r.Stage(t.Context(), "f", remote.StageOptions{Owner: owner})
				if err == nil {
					if _, err = s.Write(pattern(size)); err == nil {
						_, err = s.Commit(t.Context(), time.Time{})
					}
					_ = s.Abort()
				}
				if err == nil || remote.Permanent(err) {
					t.Errorf("error %v", err)
				}
				n := 0
				for _, q := range f.take() {
					if strings.HasPrefix(q, "PUT ") || strings.HasSuffix(q, " uploads") {
						n++
					}
				}
				if n != attempts {
					t.Errorf("%d requests: %v", n, err)
				}
			})
		}
	}
}
