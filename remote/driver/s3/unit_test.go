package s3

import (
	"strings"
	"testing"
	"time"

	"github.com/minio/minio-go/v7"
)

func TestTimesInMetadata(t *testing.T) {
	for text, want := range map[string]time.Time{
		"1354040105.123456789": time.Unix(1354040105, 123456789),
		"1354040105.5":         time.Unix(1354040105, 500_000_000),
		"1354040105":           time.Unix(1354040105, 0),
		"0":                    time.Unix(0, 0),
		"0.000000001":          time.Unix(0, 1),
		"-0.25":                time.Unix(-1, 750_000_000),
		"-1.25":                time.Unix(-2, 750_000_000),
		"-3":                   time.Unix(-3, 0),
		"2208988800":           time.Unix(2208988800, 0),
	} {
		if got, ok := parseTime(text); !ok || !got.Equal(want) {
			t.Errorf("parseTime(%q) = %v, %v", text, got, ok)
		}
		if got := formatTime(want); got != text {
			t.Errorf("formatTime(%v) = %q, want %q", want, got, text)
		}
	}
	for _, text := range []string{"", "x", "1.x", "--1", "1e9", "+1"} {
		if got, ok := parseTime(text); ok {
			t.Errorf("parseTime(%q) = %v", text, got)
		}
	}
}

func TestOptionsAreCheckedAtOnce(t *testing.T) {
	good := Options{Endpoint: "https://s3.example.org:9000", Provider: "Minio", AccessKeyID: "id", SecretAccessKey: "hidden"}
	for option, spoil := range map[string]func(o *Options){
		"endpoint":                func(o *Options) { o.Endpoint = "" },
		"the option endpoint":     func(o *Options) { o.Endpoint = "ftp://host" },
		"without a path":          func(o *Options) { o.Endpoint = "https://host/path" },
		"chunk_size":              func(o *Options) { o.ChunkSize = 1 << 20 },
		"upload_concurrency":      func(o *Options) { o.Concurrency = -1 },
		"copy_cutoff":             func(o *Options) { o.CopyCutoff = 1 },
		"list_version":            func(o *Options) { o.ListVersion = 3 },
		"list_chunk":              func(o *Options) { o.ListChunk = -1 },
		"max_upload_parts":        func(o *Options) { o.MaxParts = 1 },
		"secret_access_key":       func(o *Options) { o.AccessKeyID = "" },
		"sse_customer_key":        func(o *Options) { o.CustomerKey = "hidden" },
		"sse_customer_key_base64": func(o *Options) { o.CustomerKeyBase64 = "hidden!" },
		"sse_customer_key_md5":    func(o *Options) { o.CustomerKey, o.CustomerKeyMD5 = strings.Repeat("h", 32), "hidden" },
		"https":                   func(o *Options) { o.CustomerKey, o.Endpoint = strings.Repeat("h", 32), "http://host" },
		"server_side_encryption":  func(o *Options) { o.ServerSideEncryption = "rot13" },
	} {
		o := good
		spoil(&o)
		_, err := New(t.Context(), testBucket, o)
		if err == nil || !strings.Contains(err.Error(), option) || strings.Contains(err.Error(), "hidden") ||
			strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %v", option, err)
		}
	}
	if _, err := New(t.Context(), "../x", good); err == nil {
		t.Error("a path that is none is taken")
	}
	r := openAt(t, "/bucket/dir/", good)
	if want := (place{Bucket: "bucket", Name: "dir"}); r.root != want || r.Info().Name == "" {
		t.Errorf("%+v", r.root)
	}
	if err := r.Close(); err != nil {
		t.Error(err)
	}
}

func TestWhereTheBucketIsInURLs(t *testing.T) {
	yes, no := true, false
	for _, c := range []struct {
		provider, endpoint, bucket string
		pathStyle                  *bool
		want                       minio.BucketLookupType
	}{
		{"AWS", "", "bucket", nil, minio.BucketLookupDNS},
		{"AWS", "", "with.dot", nil, minio.BucketLookupPath},
		{"AWS", "", "bucket", &yes, minio.BucketLookupPath},
		{"Minio", "s3.example.org", "bucket", nil, minio.BucketLookupPath},
		{"Minio", "s3.example.org", "bucket", &no, minio.BucketLookupDNS},
		{"Wasabi", "http://s3.example.org", "with.dot", nil, minio.BucketLookupDNS},
		{"Wasabi", "http://[::1]:9000", "bucket", nil, minio.BucketLookupPath},
	} {
		r := openAt(t, c.bucket, Options{Provider: c.provider, Endpoint: c.endpoint, PathStyle: c.pathStyle})
		if got := r.lookup(c.bucket); got != c.want {
			t.Errorf("%+v: %v", c, got)
		}
	}
}

// A file may be longer than MaxParts chunks, and small ones do not need more memory for that.
func TestPartsGrow(t *testing.T) {
	r := openAt(t, testBucket, Options{})
	total := int64(0)
	for n := 1; n <= r.opt.MaxParts; n++ {
		size := r.partSize(n)
		if n <= 2000 && size != r.opt.ChunkSize || size < r.partSize(max(n-1, 1)) || size > maxCopy {
			t.Fatalf("part %d has %d bytes", n, size)
		}
		total += size
	}
	if total < 2<<40 {
		t.Errorf("a file can have %d bytes", total)
	}
}

// While parts wait for their answers, others are sent, as far as there is memory for them.
func TestHowManyPartsAreOnTheirWay(t *testing.T) {
	for _, c := range []struct {
		concurrency int
		chunk       int64
		want        int
	}{{4, minPart, 7}, {1, minPart, 1}, {2, minPart, 3}, {16, minPart, 19}, {4, 16 << 20, 4}, {4, 64 << 20, 3}} {
		o := Options{Concurrency: c.concurrency, ChunkSize: c.chunk}
		if got := o.inFlight(); got != c.want {
			t.Errorf("%d of %d MiB: %d, want %d", c.concurrency, c.chunk>>20, got, c.want)
		}
	}
}

func TestAMemoForgets(t *testing.T) {
	m := newMemo[int, int](3)
	for i := range 10 {
		m.set(i, i)
		if v, ok := m.get(i); !ok || v != i {
			t.Errorf("%d is %d, %v", i, v, ok)
		}
	}
	if len(m.m) != 3 {
		t.Errorf("it holds %d", len(m.m))
	}
	m.drop(9)
	if _, ok := m.get(9); ok {
		t.Error("it holds what was dropped")
	}
}
