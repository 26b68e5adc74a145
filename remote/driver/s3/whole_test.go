package s3

import (
	"bytes"
	"context"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/minio/minio-go/v7/pkg/credentials"
	"github.com/minio/minio-go/v7/pkg/signer"

	"ferry/remote"
)

// TestSignaturesAreThoseOfTheLibrary compares signatures with those of the library, for the
// requests of a day and of the next.
func TestSignaturesAreThoseOfTheLibrary(t *testing.T) {
	const region = "eu-central-1"
	s := newDaySigner(nil, region)
	for _, keys := range []credentials.Value{
		{AccessKeyID: "AK", SecretAccessKey: "secret"}, {AccessKeyID: "AK", SecretAccessKey: "another"},
		{AccessKeyID: "role", SecretAccessKey: "another", SessionToken: "token/of+a role"},
	} {
		for _, url := range []string{
			"https://s3.eu-central-1.amazonaws.com/bucket/a", "http://127.0.0.1:9000/bucket/dir/a%20b%2Bc%25%C3%A4%2A~.txt",
			"https://bucket.host.example/%E2%82%AC/%C3%BC", "https://host.example/bucket/a%FFb",
		} {
			for name, header := range map[string]http.Header{
				"plain": {},
				"full": {
					"Content-Type": {"text/plain; charset=utf-8"}, "X-Amz-Meta-Mtime": {"1.5"}, "X-Amz-Meta-_a": {"  several   blanks\t"},
					"X-Amz-Meta-A": {"1", "2 "}, "x-amz-acl": {"private"}, "User-Agent": {"somebody"}, "Content-Md5": {"sum"},
				},
			} {
				q, err := http.NewRequest(http.MethodPut, url, nil)
				if err != nil {
					t.Fatal(err)
				}
				q.Header = header.Clone()
				q.Header.Set("X-Amz-Content-Sha256", strings.Repeat("0a", 32))
				want := signer.SignV4(*q, keys.AccessKeyID, keys.SecretAccessKey, keys.SessionToken, region)
				now, err := time.Parse("20060102T150405Z", want.Header.Get("X-Amz-Date"))
				if err != nil {
					t.Fatal(err)
				}
				got := q.WithContext(t.Context())
				got.Header = header.Clone()
				s.signAt(got, strings.Repeat("0a", 32), keys, now.AddDate(0, 0, 1))
				if got.Header.Get("Authorization") == want.Header.Get("Authorization") {
					t.Errorf("%s, %s: the signature of tomorrow is that of today", url, name)
				}
				s.signAt(got, strings.Repeat("0a", 32), keys, now)
				for name, value := range want.Header {
					if strings.Join(got.Header[name], "\n") != strings.Join(value, "\n") {
						t.Errorf("%s, %s: %q, want %q", url, name, got.Header[name], value)
					}
				}
			}
		}
	}
}

// TestWhoSigns looks at which uploads are signed here.
func TestWhoSigns(t *testing.T) {
	for _, c := range []struct {
		what   string
		change func(o *Options)
		signs  bool
	}{
		{"a server of any kind", func(*Options) {}, true},
		{"a region", func(o *Options) { o.Region = "eu-west-3" }, true},
		{"Amazon's in a region", func(o *Options) { o.Provider, o.Endpoint, o.Region = "AWS", "", "eu-west-3" }, true},
		{"Amazon's in a region that is not known", func(o *Options) { o.Provider, o.Endpoint = "AWS", "" }, false},
		{"the signature of version 2", func(o *Options) { o.V2Auth = true }, false},
		{"nobody's", func(o *Options) { o.AccessKeyID, o.SecretAccessKey = "", "" }, false},
	} {
		o := testOptions("127.0.0.1:9")
		c.change(&o)
		r := openAt(t, testBucket, o)
		if r.signs(testBucket) {
			t.Errorf("%s: signed before there are keys, which takes the library's patience", c.what)
		}
		if _, err := r.keys.GetWithContext(nil); err != nil {
			t.Fatal(err)
		}
		if r.signs(testBucket) != c.signs {
			t.Errorf("%s: signed here: %v", c.what, !c.signs)
		}
		if r.signs("bucket--use1-az4--x-s3") {
			t.Errorf("%s: a bucket of S3 Express has a session, whose keys are others", c.what)
		}
	}
}

// A writesConn counts what is written at once.
type writesConn struct {
	net.Conn
	writes *atomic.Int64
}

func (c *writesConn) Write(p []byte) (int, error) {
	c.writes.Add(1)
	return c.Conn.Write(p)
}

// TestASmallFileIsOnePiece sends a small file by one call, header included.
func TestASmallFileIsOnePiece(t *testing.T) {
	f := startFake(t)
	r := openAt(t, testBucket, testOptions(f.addr))
	var writes atomic.Int64
	dial := r.transport.DialContext
	r.transport.DialContext = func(ctx context.Context, network, addr string) (net.Conn, error) {
		c, err := dial(ctx, network, addr)
		return &writesConn{c, &writes}, err
	}
	content := bytes.Repeat([]byte("0123456789abcdef"), 2<<10)
	at := place{Bucket: testBucket, Name: "small"}
	for range 2 {
		before := writes.Load()
		if _, err := r.putWhole(t.Context(), r.again, at, content, r.putOptions(at, time.Time{})); err != nil {
			t.Fatal(err)
		}
		if n := writes.Load() - before; n != 1 {
			t.Errorf("a file of %d KiB was sent in %d pieces", len(content)>>10, n)
		}
	}
	if !bytes.Equal(load(t, r, "small"), content) {
		t.Error("it has arrived as another one")
	}
}

// TestAWrongSignatureIsRefused stores with keys that are not the server's.
func TestAWrongSignatureIsRefused(t *testing.T) {
	o := testOptions(startGateway(t))
	o.SecretAccessKey = "not it"
	r := openAt(t, testBucket, o)
	for range 2 { // the library signs the first one
		_, err := r.Put(t.Context(), "f", strings.NewReader("x"), remote.PutOptions{})
		if err == nil || !strings.Contains(err.Error(), "secret_access_key") {
			t.Errorf("stored, or not told why: %v", err)
		}
	}
}
