package s3

import (
	"bytes"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/minio/minio-go/v7"

	"ferry/remote"
)

func TestEveryProviderOpens(t *testing.T) {
	t.Parallel()
	all := Providers()
	if !slices.IsSortedFunc(all, func(a, b Provider) int { return strings.Compare(strings.ToLower(a.Name), strings.ToLower(b.Name)) }) || len(all) < 58 {
		t.Errorf("%d providers, or not in the order of their names", len(all))
	}
	for _, p := range all {
		o := Options{Provider: p.Name, AccessKeyID: testKey, SecretAccessKey: testSecret}
		_, err := New(t.Context(), "bucket", o)
		switch {
		case p.Name == "AWS" || p.Endpoint != "" && (p.Region != "" || !strings.Contains(p.Endpoint, "REGION")):
			if err != nil {
				t.Errorf("%s: %v", p.Name, err)
			}
			continue
		case p.Endpoint == "":
			if err == nil || !strings.Contains(err.Error(), "option endpoint is missing") || !strings.Contains(err.Error(), p.Name) {
				t.Errorf("%s: %v", p.Name, err)
			}
			o.Endpoint = "https://s3.example.org"
		default:
			if err == nil || !strings.Contains(err.Error(), "option region is missing") {
				t.Errorf("%s: %v", p.Name, err)
			}
			o.Region = "earth-1"
		}
		r := openAt(t, "bucket", o)
		if o.Region != "" && r.opt.host != strings.Replace(p.Endpoint, "REGION", "earth-1", 1) {
			t.Errorf("%s is at %s", p.Name, r.opt.host)
		}
		if p.Notes() == "" {
			t.Errorf("%s: help does not say that something is needed", p.Name)
		}
	}
}

func TestWhatProvidersCannotDo(t *testing.T) {
	t.Parallel()
	open := func(provider string, o Options) *Remote {
		o.Provider, o.AccessKeyID, o.SecretAccessKey = provider, testKey, testSecret
		if o.Endpoint == "" {
			o.Endpoint = "https://s3.example.org"
		}
		return openAt(t, "bucket", o)
	}
	for provider, want := range map[string]Options{
		"Scaleway":   {MaxParts: 1000, ChunkSize: minPart, CopyCutoff: maxCopy, ACL: "private"},
		"Storj":      {MaxParts: 10000, ChunkSize: 64 << 20, CopyCutoff: noCutoff},
		"Cloudflare": {MaxParts: 10000, ChunkSize: minPart, CopyCutoff: maxCopy},
		"wasabi":     {MaxParts: 10000, ChunkSize: minPart, CopyCutoff: maxCopy, ACL: "private"},
	} {
		got := open(provider, Options{MaxParts: 10000, ChunkSize: minPart, CopyCutoff: maxCopy, ACL: "private"}).opt
		if got.MaxParts != want.MaxParts || got.ChunkSize != want.ChunkSize || got.CopyCutoff != want.CopyCutoff || got.ACL != want.ACL {
			t.Errorf("%s: %d parts of %d, copies up to %d, acl %q", provider, got.MaxParts, got.ChunkSize, got.CopyCutoff, got.ACL)
		}
	}
	_, err := New(t.Context(), "bucket", Options{Provider: "Cloudflare", Endpoint: "https://s3.example.org", ACL: "public-read"})
	if err == nil || !strings.Contains(err.Error(), "Cloudflare has no access lists") {
		t.Error(err)
	}
	if _, err := New(t.Context(), "bucket", Options{Provider: "Amazonas"}); err == nil || !strings.Contains(err.Error(), `"Amazonas"`) {
		t.Error(err)
	}
	sum := minio.ObjectInfo{ETag: "d41d8cd98f00b204e9800998ecf8427e"}
	if open("Fastly", Options{Region: "x"}).md5Of(sum) != nil || open("Minio", Options{}).md5Of(sum) == nil {
		t.Error("an ETag is taken for an MD5 sum where it is none, or the other way round")
	}
}

// TestAServerThatCopiesNoParts continues a file there, whose base is sent once more.
func TestAServerThatCopiesNoParts(t *testing.T) {
	t.Parallel()
	f := startFake(t)
	f.setMeddle(func(w http.ResponseWriter, q *http.Request) bool {
		if q.Header.Get("X-Amz-Copy-Source") == "" || !q.URL.Query().Has("partNumber") {
			return false
		}
		w.WriteHeader(http.StatusNotImplemented)
		return true
	})
	o := testOptions(f.addr)
	o.Provider = "Rclone"
	r := openAt(t, testBucket, o)
	defer r.Close()
	base, more := pattern(minPart+1000), []byte("and more")
	store(t, r, "f", remote.StageOptions{}, base)
	store(t, r, "f", remote.StageOptions{Base: remote.BaseFile, Off: remote.AtEnd}, more)
	if got := load(t, r, "f"); !bytes.Equal(got, append(base, more...)) {
		t.Errorf("%d bytes, or others", len(got))
	}
}

func TestTimesOfTheInterfaceOfB2(t *testing.T) {
	t.Parallel()
	native := time.UnixMilli(1_600_000_000_123)
	for what, c := range map[string]struct {
		metadata minio.StringMap
		want     time.Time
		set      bool
	}{
		"one":                {minio.StringMap{nativeHeader: "1600000000123"}, native, true},
		"one of rclone's s3": {minio.StringMap{nativeHeader: "1", mtimeHeader: "1600000000.123"}, native, true},
		"none":               {minio.StringMap{nativeHeader: "yesterday"}, time.Unix(5, 0), false},
	} {
		got, set := modTime(minio.ObjectInfo{UserMetadata: c.metadata, LastModified: time.Unix(5, 0)})
		if !got.Equal(c.want) || set != c.set {
			t.Errorf("%s: %v, %v", what, got, set)
		}
	}
}

// TestTimesForTheInterfaceOfB2 stores a time for those who look for it there, and sets another one.
func TestTimesForTheInterfaceOfB2(t *testing.T) {
	t.Parallel()
	f := startFake(t)
	var mu sync.Mutex
	var sent []string
	f.setMeddle(func(_ http.ResponseWriter, q *http.Request) bool {
		mu.Lock()
		defer mu.Unlock()
		if q.Method == http.MethodPut {
			sent = append(sent, strings.Join(q.Header.Values("X-Amz-Meta-Src_last_modified_millis"), ","))
		}
		return false
	})
	o := testOptions(f.addr)
	o.Provider = "Backblaze"
	r := openAt(t, testBucket, o)
	defer r.Close()
	if _, err := r.Put(t.Context(), "f", strings.NewReader("x"), remote.PutOptions{ModTime: time.UnixMilli(1_600_000_000_123)}); err != nil {
		t.Fatal(err)
	}
	if err := r.SetModTime(t.Context(), "f", time.UnixMilli(1_700_000_000_000)); err != nil {
		t.Fatal(err)
	}
	if e, err := r.Stat(t.Context(), "f"); err != nil || !e.ModTime.Equal(time.UnixMilli(1_700_000_000_000)) {
		t.Errorf("%+v, %v", e, err)
	}
	mu.Lock()
	defer mu.Unlock()
	if !slices.Equal(sent, []string{"1600000000123", "1700000000000"}) {
		t.Errorf("%q are sent", sent)
	}
}
