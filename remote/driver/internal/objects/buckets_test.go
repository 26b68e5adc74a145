package objects_test

import (
	"testing"
	"time"

	"ferry/remote"
	"ferry/remote/driver/internal/objects"
	"ferry/remote/driver/internal/objects/objectstest"
	"ferry/remote/nameenc"
	"ferry/remote/remotetest"
)

func TestBuckets(t *testing.T) {
	fill := func(t *testing.T, contents map[string]string, markers bool) remotetest.Bucket {
		f := objectstest.NewFlat("b")
		for key, content := range contents {
			f.Set("b", key, content, time.Now())
		}
		open := func(odd bool) remote.Remote {
			return tree{objects.New(f, objects.Config{
				Name: "flat:b", Root: "b", Names: objects.Names{Encoding: nameenc.InvalidUtf8, Odd: odd},
				Holds: func(k objects.Key) bool { return len(k.Prefix()) <= 1024 }, Buckets: f, NoMarkers: !markers,
			})}
		}
		return remotetest.Bucket{
			Open: func() remote.Remote { return open(false) }, OpenOdd: func() remote.Remote { return open(true) },
			Keys: func() []string { return f.Keys("b") },
		}
	}
	remotetest.RunBuckets(t, fill)
	t.Run("odd keys", func(t *testing.T) { remotetest.RunOddKeys(t, fill) })
	t.Run("odd names", func(t *testing.T) { remotetest.RunOddNames(t, fill) })
}
