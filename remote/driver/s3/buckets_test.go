package s3

import (
	"io"
	"net/http"
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
	fill := func(t *testing.T, contents map[string]string, markers bool) remotetest.Bucket {
		o := testOptions(startFake(t).addr)
		o.NoMarkers = !markers
		raw := openAt(t, testBucket, o)
		fillBucket(t, raw, contents)
		return remotetest.Bucket{
			Open: func() remote.Remote { return openAt(t, testBucket, o) },
			OpenOdd: func() remote.Remote {
				o := o
				o.OddNames = true
				return openAt(t, testBucket, o)
			},
			Keys: func() []string { return bucketKeys(t, raw) },
		}
	}
	remotetest.RunBuckets(t, fill)
	t.Run("odd keys", func(t *testing.T) { remotetest.RunOddKeys(t, fill) })
	t.Run("odd names", func(t *testing.T) { remotetest.RunOddNames(t, fill) })
}

// The fake takes a key that begins with a slash for another one.
func TestAKeyThatBeginsWithASlashIsLeftOut(t *testing.T) {
	f := startFake(t)
	f.setMeddle(func(w http.ResponseWriter, _ *http.Request) bool {
		_, _ = io.WriteString(w, `<ListBucketResult><Name>bucket</Name><Contents><Key>ok</Key><LastModified>2020-01-02T03:04:05.000Z</LastModified>`+
			`<ETag>"1"</ETag><Size>1</Size></Contents><CommonPrefixes><Prefix>/</Prefix></CommonPrefixes></ListBucketResult>`)
		return true
	})
	r := openAt(t, testBucket, testOptions(f.addr))
	shown, omitted, err := remotetest.ListOmitting(t.Context(), r, ".")
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(shown, []string{"ok"}) || !slices.Equal(omitted, []string{"/: " + remote.OmittedName}) {
		t.Errorf("%q without %q", shown, omitted)
	}
}
