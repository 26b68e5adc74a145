package gcs_test

import (
	"testing"

	"ferry/remote"
	"ferry/remote/driver/internal/objects/objectstest"
	"ferry/remote/remotetest"
	"ferry/remote/remotetest/servers/gcsserver"
)

func TestBuckets(t *testing.T) {
	service := gcsserver.Start(t)
	fill := func(t *testing.T, contents map[string]string, markers bool) remotetest.Bucket {
		bucket, o := service.NewBucket(t), options(service.Addr)
		o.NoMarkers = !markers
		raw := open(t, bucket, o)
		t.Cleanup(func() { raw.Close() })
		objectstest.Fill(t, raw.Store(), bucket, contents)
		return remotetest.Bucket{
			Open: func() remote.Remote { return open(t, bucket, o) },
			OpenOdd: func() remote.Remote {
				o := o
				o.OddNames = true
				return open(t, bucket, o)
			},
			Keys: func() []string { return objectstest.Keys(t, raw.Store(), bucket) },
		}
	}
	remotetest.RunBuckets(t, fill)
	t.Run("odd keys", func(t *testing.T) { remotetest.RunOddKeys(t, fill) })
	t.Run("odd names", func(t *testing.T) { remotetest.RunOddNames(t, fill) })
}
