package azureblob_test

import (
	"testing"

	"ferry/remote"
	"ferry/remote/driver/internal/objects/objectstest"
	"ferry/remote/remotetest"
)

func TestBuckets(t *testing.T) {
	service := startService(t)
	fill := func(t *testing.T, contents map[string]string, markers bool) remotetest.Bucket {
		container, o := service.container(t), service.options()
		o.NoMarkers = !markers
		raw := open(t, container, o)
		t.Cleanup(func() { raw.Close() })
		objectstest.Fill(t, raw.Store(), container, contents)
		return remotetest.Bucket{
			Open: func() remote.Remote { return open(t, container, o) },
			OpenOdd: func() remote.Remote {
				o := o
				o.OddNames = true
				return open(t, container, o)
			},
			Keys: func() []string { return objectstest.Keys(t, raw.Store(), container) },
		}
	}
	remotetest.RunBuckets(t, fill)
	t.Run("odd keys", func(t *testing.T) { remotetest.RunOddKeys(t, fill) })
	t.Run("odd names", func(t *testing.T) { remotetest.RunOddNames(t, fill) })
}
