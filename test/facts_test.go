package test

import (
	"bytes"
	"context"
	"maps"
	"testing"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"
)

// A describedBucket is a place on an S3 server that other programs use, too.
type describedBucket struct {
	*testing.T
	client *minio.Client
	dir    string // in the bucket
}

const describedAs = "text/x-ferry"

func newDescribedBucket(t *testing.T, s *site, f *farSide) *describedBucket {
	client, err := minio.New(s.addr, &minio.Options{Creds: credentials.NewStaticV4("key", "s3cret", "")})
	if err != nil {
		t.Fatal(err)
	}
	return &describedBucket{T: t, client: client, dir: f.where[len("there:bucket/"):] + "/"}
}

// put stores an object that says something of itself.
func (b *describedBucket) put(name string, content []byte) {
	b.Helper()
	_, err := b.client.PutObject(b.Context(), "bucket", b.dir+name, bytes.NewReader(content), int64(len(content)), minio.PutObjectOptions{
		ContentType: describedAs, CacheControl: "max-age=60",
		UserMetadata: map[string]string{"Colour": "blue"}, UserTags: map[string]string{"of": name},
	})
	if err != nil {
		b.Fatal(err)
	}
}

// says checks what an object says of itself, of being the one that was stored as was; "" = a new
// one.
func (b *describedBucket) says(name, was string) {
	b.Helper()
	ctx, cancel := context.WithTimeout(b.Context(), patience)
	defer cancel()
	info, err := b.client.StatObject(ctx, "bucket", b.dir+name, minio.StatObjectOptions{})
	if err != nil {
		b.Errorf("%s: %v", name, err)
		return
	}
	tags, err := b.client.GetObjectTagging(ctx, "bucket", b.dir+name, minio.GetObjectTaggingOptions{})
	if err != nil {
		b.Fatal(err)
	}
	kept := info.ContentType == describedAs && info.Metadata.Get("Cache-Control") == "max-age=60" && info.UserMetadata["Colour"] == "blue" &&
		maps.Equal(tags.ToMap(), map[string]string{"of": was})
	isNew := info.ContentType != describedAs // this server keeps tags and metadata of what is replaced
	if was != "" && !kept || was == "" && !isNew {
		b.Errorf("%s, which was %q: %s, %v, tags %v", name, was, info.ContentType, info.UserMetadata, tags.ToMap())
	}
}

// What an object says of itself stays when its file is continued, whether or not that waits in a
// cache.
func TestWhatAnObjectSaysOfItselfIsKept(t *testing.T) {
	t.Parallel() // it mostly waits
	s := startGateway(t)
	long := bytes.Repeat([]byte("0123456789abcdef"), 6<<16) // more than a part
	for _, mode := range []string{"off", "minimal", "writes", "full"} {
		t.Run(mode, func(t *testing.T) {
			f := newFarSide(t, s, mode, "--vfs-write-back", "1s")
			b := newDescribedBucket(t, s, f)
			for _, name := range []string{"append", "rest", "long", "time", "renamed", "replaced", "twice", "away", "freed"} {
				b.put(name, []byte("0123456789"))
			}
			b.put("target", []byte("x"))
			c := f.login()
			c.upload("APPE append", []byte("x"))
			c.do("REST 5", 350)
			c.upload("STOR rest", []byte("x"))
			c.upload("APPE long", long)
			c.upload("APPE time", []byte("x"))
			c.do("MFMT 20010203040506 time", 213)
			c.upload("APPE renamed", []byte("x"))
			c.do("RNFR renamed", 350)
			c.do("RNTO target", 250)
			c.upload("STOR replaced", []byte("x"))
			c.upload("APPE twice", []byte("x"))
			c.upload("APPE twice", []byte("y"))
			c.upload("APPE away", []byte("x"))
			c.do("DELE away", 250)
			c.upload("STOR away", []byte("x"))
			c.upload("APPE freed", []byte("x"))
			c.do("RNFR freed", 350)
			c.do("RNTO moved", 250)
			c.upload("STOR freed", []byte("x"))
			f.restart() // what waits is found by the next process
			c = f.login()
			f.drained()
			for name, was := range map[string]string{
				"append": "append", "rest": "rest", "long": "long", "time": "time", "target": "renamed", "replaced": "", "twice": "twice",
				"away": "", "moved": "freed", "freed": "",
			} {
				b.says(name, was)
			}
			if got := c.do("MDTM time", 213); got != "213 20010203040506" {
				t.Errorf("the time is %q", got)
			}
		})
	}
}

// An upload that continued an object, was cut, and is taken up again continues it still.
func TestAContinuationThatWasCutContinuesStill(t *testing.T) {
	t.Parallel() // it mostly waits
	s := startGateway(t)
	for _, mode := range []string{"writes", "full"} {
		t.Run(mode, func(t *testing.T) {
			f := newFarSide(t, s, mode, "--vfs-write-back", "1s")
			b := newDescribedBucket(t, s, f)
			b.put("cut", []byte("0123456789"))
			c := f.login()
			conn := c.beginUpload("APPE cut", bytes.Repeat([]byte("x"), 100))
			reset(t, conn)
			c.expect(426, 451)
			f.restart()
			c = f.login()
			c.do("REST 110", 350)
			c.upload("STOR cut", []byte("x"))
			f.drained()
			b.says("cut", "cut")
		})
	}
}
