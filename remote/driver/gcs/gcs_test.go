package gcs_test

import (
	"errors"
	"strings"
	"testing"

	"ferry/remote"
	"ferry/remote/remotetest"
	"ferry/remote/remotetest/servers/gcsserver"
)

func TestRemote(t *testing.T) {
	service := gcsserver.Start(t)
	remotetest.Run(t, func(t *testing.T) remote.Remote {
		return openBucket(t, service, "/"+service.NewBucket(t)+"/some/prefix/")
	})
}

func TestWhatIsStoredDuringARenameIsNotLost(t *testing.T) {
	service := gcsserver.Start(t)
	remotetest.RunRename(t, func(t *testing.T) remote.Remote { return openBucket(t, service, service.NewBucket(t)) })
}

func TestWithoutMarkersMkdirStoresNothing(t *testing.T) {
	service := gcsserver.Start(t)
	o := options(service.Addr)
	o.NoMarkers = true
	r := open(t, service.NewBucket(t), o)
	defer r.Close()
	if err := r.Mkdir(t.Context(), "d"); err != nil {
		t.Fatal(err)
	}
	if e, err := r.Stat(t.Context(), "d"); err != nil || !e.Dir {
		t.Errorf("Stat: %+v, %v", e, err)
	}
	again := open(t, strings.TrimPrefix(r.Info().Name, "gcs:"), o)
	defer again.Close()
	if _, err := again.Stat(t.Context(), "d"); !errors.Is(err, remote.ErrNotExist) {
		t.Errorf("Stat by another process: %v", err)
	}
	if _, err := r.Put(t.Context(), "d/f", strings.NewReader("x"), remote.PutOptions{}); err != nil {
		t.Fatal(err)
	}
	if e, err := r.Stat(t.Context(), "d"); err != nil || !e.Dir {
		t.Errorf("Stat: %+v, %v", e, err)
	}
}

// What looks like a slash or a dot is written as it is, as rclone does.
func TestLookAlikesAreKeptAsTheyAre(t *testing.T) {
	service := gcsserver.Start(t)
	bucket := service.NewBucket(t)
	r := openBucket(t, service, bucket)
	defer r.Close()
	for _, name := range []string{"a／b", "．", "．．"} {
		put(t, r, name, []byte("x"))
	}
	if got := service.Names(t, bucket); got != "a／b ． ．．" {
		t.Errorf("objects: %s", got)
	}
}
