package azureblob_test

import (
	"fmt"
	"testing"

	"ferry/remote/driver/azureblob"
	"ferry/remote/remotetest/servers"
)

// A service is an emulator on a port of its own.
type service struct {
	endpoint   string
	containers int
}

func startService(t *testing.T) *service {
	t.Helper()
	return &service{endpoint: servers.StartAzurite(t)}
}

// options are how the emulator is reached.
func (s *service) options() azureblob.Options {
	return azureblob.Options{Credentials: azureblob.Credentials{UseEmulator: true}, Endpoint: s.endpoint}
}

// container makes an empty container.
func (s *service) container(t *testing.T) string {
	t.Helper()
	s.containers++
	name := fmt.Sprintf("container-%d", s.containers)
	all := open(t, "", s.options())
	defer all.Close()
	if err := all.Mkdir(t.Context(), name); err != nil {
		t.Fatal(err)
	}
	return name
}

func open(t *testing.T, path string, o azureblob.Options) *azureblob.Remote {
	t.Helper()
	r, err := azureblob.New(t.Context(), path, o)
	if err != nil {
		t.Fatal(err)
	}
	return r
}
