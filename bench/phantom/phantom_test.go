package phantom_test

import (
	"context"
	"io"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"

	"ferry/bench/phantom"
)

// client returns a client of S3 whose server has three files and two directories.
func client(t *testing.T) (*minio.Client, *phantom.Server) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, []byte("0123456789"), 0o600); err != nil {
		t.Fatal(err)
	}
	s := phantom.New(map[string]string{"big": file, "zoo": file, "some/file": file}, map[string]int{"many": 2500, "few": 3})
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	c, err := minio.New(strings.TrimPrefix(server.URL, "http://"), &minio.Options{Creds: credentials.NewStaticV4("a", "b", "")})
	if err != nil {
		t.Fatal(err)
	}
	return c, s
}

func keys(t *testing.T, c *minio.Client, o minio.ListObjectsOptions) (all []string) {
	t.Helper()
	for info := range c.ListObjects(context.Background(), "bucket", o) {
		if info.Err != nil {
			t.Fatal(info.Err)
		}
		all = append(all, info.Key)
	}
	return all
}

func TestListings(t *testing.T) {
	c, s := client(t)
	for _, o := range []struct {
		prefix    string
		recursive bool
		want      []string
	}{
		{"", false, []string{"big", "few/", "many/", "some/", "zoo"}},
		{"few/", false, []string{"few/file-0000000.dat", "few/file-0000001.dat", "few/file-0000002.dat"}},
		{"few", false, []string{"few/"}},
		{"b", true, []string{"big"}},
		{"many/file-0002499", false, []string{"many/file-0002499.dat"}},
		{"none/", false, nil},
		{"some/", false, []string{"some/file"}},
	} {
		got := keys(t, c, minio.ListObjectsOptions{Prefix: o.prefix, Recursive: o.recursive})
		slices.Sort(got)
		if !slices.Equal(got, o.want) {
			t.Errorf("prefix %q: %q; want %q", o.prefix, got, o.want)
		}
	}
	for _, first := range []bool{false, true} {
		got := keys(t, c, minio.ListObjectsOptions{Prefix: "many/", UseV1: first})
		if len(got) != 2500 || got[0] != phantom.Key("many", 0) || got[2499] != phantom.Key("many", 2499) || !slices.IsSorted(got) {
			t.Errorf("first version %t: %d keys from %s to %s", first, len(got), got[0], got[len(got)-1])
		}
	}
	before := s.Requests()
	keys(t, c, minio.ListObjectsOptions{Prefix: "many/"})
	if n := s.Requests() - before; n != 3 {
		t.Errorf("%d requests for 2,500 keys; want 3", n)
	}
	if got := keys(t, c, minio.ListObjectsOptions{Recursive: true, MaxKeys: 7}); len(got) != 2506 {
		t.Errorf("%d keys in all; want 2506", len(got))
	}
}

func TestObjects(t *testing.T) {
	ctx := context.Background()
	c, _ := client(t)
	o := minio.GetObjectOptions{}
	if err := o.SetRange(3, 5); err != nil {
		t.Fatal(err)
	}
	r, err := c.GetObject(ctx, "bucket", "big", o)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if got, err := io.ReadAll(r); err != nil || string(got) != "345" {
		t.Errorf("bytes 3 to 5: %q, %v", got, err)
	}
	if info, err := c.StatObject(ctx, "bucket", phantom.Key("many", 7), minio.StatObjectOptions{}); err != nil || info.Size != 0 {
		t.Errorf("an object of a directory: %+v, %v", info, err)
	}
	for _, key := range []string{"none", "many", "many/file-0002500.dat", "many/file-7.dat"} {
		if _, err := c.StatObject(ctx, "bucket", key, minio.StatObjectOptions{}); minio.ToErrorResponse(err).StatusCode != 404 {
			t.Errorf("%s: %v; want 404", key, err)
		}
	}
	if _, err := c.PutObject(ctx, "bucket", "new", strings.NewReader("x"), 1, minio.PutObjectOptions{}); minio.ToErrorResponse(err).Code != "AccessDenied" {
		t.Errorf("an upload: %v; want AccessDenied", err)
	}
}
