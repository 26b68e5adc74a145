package s3

import (
	"slices"
	"strings"
	"testing"

	"github.com/minio/minio-go/v7"

	"ferry/remote"
	"ferry/remote/remotetest"
)

// fillBucket stores objects as another program would, contents by key.
func fillBucket(t *testing.T, r *Remote, contents map[string]string) {
	t.Helper()
	for key, content := range contents {
		_, err := r.once.PutObject(t.Context(), testBucket, key, strings.NewReader(content), int64(len(content)), "", "", minio.PutObjectOptions{DisableContentSha256: true, SendContentMd5: false})
		if err != nil {
			t.Fatal(err)
		}
	}
}

// bucketKeys returns the keys of all objects, sorted.
func bucketKeys(t *testing.T, r *Remote) []string {
	t.Helper()
	var keys []string
	for o := range r.once.ListObjectsIter(t.Context(), testBucket, minio.ListObjectsOptions{Recursive: true}) {
		if o.Err != nil {
			t.Fatal(o.Err)
		}
		keys = append(keys, o.Key)
	}
	slices.Sort(keys)
	return keys
}

func TestBuckets(t *testing.T) {
	remotetest.RunBuckets(t, func(t *testing.T, contents map[string]string, markers bool) remotetest.Bucket {
		o := testOptions(startFake(t).addr)
		o.NoMarkers = !markers
		raw := openAt(t, testBucket, o)
		fillBucket(t, raw, contents)
		return remotetest.Bucket{
			Open: func() remote.Remote { return openAt(t, testBucket, o) },
			Keys: func() []string { return bucketKeys(t, raw) },
		}
	})
}
