package gcs_test

import (
	"errors"
	"strings"
	"testing"

	"ferry/remote"
	"ferry/remote/remotetest"
)

func TestRemote(t *testing.T) {
	service := startService(t)
	remotetest.Run(t, func(t *testing.T) remote.Remote {
		return service.open(t, "/"+service.bucket()+"/some/prefix/")
	})
}

func TestWithoutMarkersMkdirStoresNothing(t *testing.T) {
	service := startService(t)
	o := options(service.addr)
	o.NoMarkers = true
	r := open(t, service.bucket(), o)
	defer r.Close()
	if err := r.Mkdir(t.Context(), "d"); err != nil {
		t.Fatal(err)
	}
	if _, err := r.Stat(t.Context(), "d"); !errors.Is(err, remote.ErrNotExist) {
		t.Errorf("Stat: %v", err)
	}
	if _, err := r.Put(t.Context(), "d/f", strings.NewReader("x"), remote.PutOptions{}); err != nil {
		t.Fatal(err)
	}
	if e, err := r.Stat(t.Context(), "d"); err != nil || !e.Dir {
		t.Errorf("Stat: %+v, %v", e, err)
	}
}
