package s3

import (
	"bytes"
	"cmp"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/minio/minio-go/v7"

	"ferry/remote"
)

const htmlType = "text/html; charset=utf-8"

func TestTheContentTypeComesFromTheName(t *testing.T) {
	r := openAt(t, testBucket, testOptions(startGateway(t)))
	putDescribed(t, r, "old.html", 10)
	long := pattern(minPart + 1)
	store(t, r, "small.html", remote.StageOptions{}, []byte("x"))
	store(t, r, "d.html/long.HTML", remote.StageOptions{}, long)
	store(t, r, "old.html", remote.StageOptions{}, []byte("x"))
	store(t, r, "unknown.ferry", remote.StageOptions{}, []byte("x"))
	store(t, r, "d.html/none", remote.StageOptions{}, long)
	for name, content := range map[string][]byte{"put.html": nil, "putlong.html": long} {
		if _, err := r.Put(t.Context(), name, bytes.NewReader(content), remote.PutOptions{}); err != nil {
			t.Fatal(err)
		}
	}
	for name, want := range map[string]string{
		"small.html": htmlType, "d.html/long.HTML": htmlType, "old.html": htmlType, "put.html": htmlType, "putlong.html": htmlType,
		"unknown.ferry": "application/octet-stream", "d.html/none": "application/octet-stream",
	} {
		info, err := r.head(t.Context(), place{Bucket: testBucket, Name: name})
		if err != nil || info.ContentType != want {
			t.Errorf("%s: %q, %v", name, info.ContentType, err)
		}
	}
	info, err := r.head(t.Context(), place{Bucket: testBucket, Name: "old.html"})
	if err != nil || len(info.UserMetadata) != 0 {
		t.Errorf("a new file has the metadata of the old one: %v, %v", info.UserMetadata, err)
	}
}

// putDescribed stores an object of so many bytes as another program might.
func putDescribed(t *testing.T, r *Remote, key string, size int) {
	t.Helper()
	content := pattern(size)
	md5sum, sha256sum := r.digests(content)
	_, err := r.once.PutObject(t.Context(), testBucket, key, bytes.NewReader(content), int64(size), md5sum, sha256sum, minio.PutObjectOptions{
		ContentType: "text/x-ferry", CacheControl: "max-age=60", ContentLanguage: "fi", ContentDisposition: "inline",
		UserMetadata: map[string]string{"Colour": "blue"}, UserTags: map[string]string{"a b": "c=d+e", "e": ""},
		DisableContentSha256: true,
	})
	if err != nil {
		t.Fatal(err)
	}
}

// continuations are what goes on with the object that a name has.
func continuations(when time.Time) map[string]func(t *testing.T, r *Remote, name string) (now string) {
	continued := func(off int64, tail int) func(*testing.T, *Remote, string) string {
		return func(t *testing.T, r *Remote, name string) string {
			s, err := r.Stage(t.Context(), name, remote.StageOptions{Owner: owner, Base: remote.BaseFile, Off: off})
			if err != nil {
				t.Fatal(err)
			}
			if _, err := io.Copy(s, bytes.NewReader(pattern(tail))); err != nil {
				t.Fatal(err)
			}
			if _, err := s.Commit(t.Context(), when); err != nil {
				t.Fatal(err)
			}
			return name
		}
	}
	putLike := func(to string, size int) func(*testing.T, *Remote, string) string {
		return func(t *testing.T, r *Remote, name string) string {
			now := cmp.Or(to, name)
			e, err := r.Put(t.Context(), now, bytes.NewReader(pattern(size)), remote.PutOptions{FactsOf: name, ModTime: when})
			check(t, err)
			if found, err := r.Stat(t.Context(), now); err != nil || !found.ModTime.Equal(when) || found.Size != e.Size {
				t.Errorf("%+v, %v", found, err)
			}
			return now
		}
	}
	return map[string]func(*testing.T, *Remote, string) string{
		"Put as the same":   putLike("", 10),
		"Put of much":       putLike("", minPart+10),
		"Put as another":    putLike("to.html", 10),
		"APPE":              continued(remote.AtEnd, 10),
		"APPE of much":      continued(remote.AtEnd, minPart+10),
		"REST and STOR":     continued(5, 10),
		"REST and much":     continued(5, minPart+10),
		"REST 0 of a stage": continued(0, 10),
		"MFMT": func(t *testing.T, r *Remote, name string) string {
			check(t, r.SetModTime(t.Context(), name, when))
			return name
		},
		"a rename": func(t *testing.T, r *Remote, name string) string {
			check(t, r.Move(t.Context(), name, "to.html"))
			return "to.html"
		},
		"a rename and a time": func(t *testing.T, r *Remote, name string) string {
			check(t, r.Move(t.Context(), name, "to.html"))
			check(t, r.SetModTime(t.Context(), "to.html", when))
			return "to.html"
		},
	}
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestWhatAnObjectSaysOfItselfIsKept(t *testing.T) {
	o := testOptions(startGateway(t))
	o.CopyCutoff = 2 * minPart
	r := openAt(t, testBucket, o)
	when := time.Unix(2e9, 5)
	for size, kind := range map[int]string{100: "small", minPart + 100: "long", 3 * minPart: "above copy_cutoff"} {
		for what, do := range continuations(when) {
			t.Run(kind+"/"+what, func(t *testing.T) {
				putDescribed(t, r, "f.html", size)
				now := do(t, r, "f.html")
				keepsDescription(t, r, now)
			})
		}
	}
	if n := uploads(t, r); n != 0 {
		t.Errorf("%d uploads are left", n)
	}
}

// keepsDescription looks whether an object still is what putDescribed has made.
func keepsDescription(t *testing.T, r *Remote, key string) {
	t.Helper()
	info, err := r.head(t.Context(), place{Bucket: testBucket, Name: key})
	if err != nil {
		t.Fatal(err)
	}
	for _, k := range []struct{ header, want string }{
		{"Content-Type", "text/x-ferry"}, {"Cache-Control", "max-age=60"}, {"Content-Language", "fi"}, {"Content-Disposition", "inline"},
	} {
		if got := info.Metadata.Get(k.header); got != k.want {
			t.Errorf("%s: %q", k.header, got)
		}
	}
	if got := info.UserMetadata["Colour"]; got != "blue" {
		t.Errorf("metadata: %v", info.UserMetadata)
	}
	tags, err := r.once.GetObjectTagging(t.Context(), testBucket, key, minio.GetObjectTaggingOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if got := tags.ToMap(); !maps.Equal(got, map[string]string{"a b": "c=d+e", "e": ""}) {
		t.Errorf("tags: %v", got)
	}
}

// A class lets a front tell of a storage class, and notes the one that each new object is given.
type class struct {
	mu    sync.Mutex
	given []string // guarded by mu
}

// over returns the handler that does so before another.
func (c *class) over(handler http.Handler, tell string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		query := q.URL.Query()
		if q.Method == http.MethodPut && !query.Has("partNumber") || query.Has("uploads") {
			c.mu.Lock()
			c.given = append(c.given, q.Header.Get("X-Amz-Storage-Class")+" "+q.Header.Get("X-Amz-Acl"))
			c.mu.Unlock()
		}
		if q.Method == http.MethodHead {
			w = &telling{w, tell}
		}
		handler.ServeHTTP(w, q)
	})
}

// A telling answer has a storage class.
type telling struct {
	http.ResponseWriter
	class string
}

func (w *telling) WriteHeader(status int) {
	w.Header().Set("X-Amz-Storage-Class", w.class)
	w.ResponseWriter.WriteHeader(status)
}

func TestTheStorageClassIsKept(t *testing.T) {
	behind := startGatewayFront(t)
	noted := &class{}
	for _, c := range []struct{ option, told, want string }{
		{"", "STANDARD_IA", "STANDARD_IA"},
		{"", "STANDARD", ""},
		{"ONEZONE_IA", "STANDARD_IA", "ONEZONE_IA"}, // who sets the option wants it so
	} {
		f := startFront(t, noted.over(behind.handler, c.told))
		for size, kind := range map[int]string{100: "small", 3 * minPart: "above copy_cutoff"} {
			for what, do := range continuations(time.Unix(2e9, 0)) {
				t.Run(strings.Join([]string{c.option, c.told, kind, what}, "/"), func(t *testing.T) {
					o := testOptions(f.addr)
					o.CopyCutoff, o.StorageClass, o.ACL = 2*minPart, c.option, "public-read"
					r := openAt(t, testBucket, o)
					store(t, r, "f.html", remote.StageOptions{}, pattern(size))
					noted.mu.Lock()
					noted.given = nil
					noted.mu.Unlock()
					do(t, r, "f.html")
					noted.mu.Lock()
					defer noted.mu.Unlock()
					wrong := slices.DeleteFunc(slices.Clone(noted.given), func(s string) bool { return s == c.want+" public-read" })
					if len(noted.given) == 0 || len(wrong) > 0 {
						t.Errorf("%d objects, of them %q", len(noted.given), wrong)
					}
				})
			}
		}
	}
}
