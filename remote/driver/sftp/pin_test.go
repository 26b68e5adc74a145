package sftp

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/crypto/ssh"

	"ferry/remote"
	"ferry/remote/remotetest/servers/sshserver"
)

// warnings makes a remote, looks at its root and returns what it warns of.
func warnings(t *testing.T, o Options) (string, error) {
	t.Helper()
	r, err := New(t.Context(), t.TempDir(), o)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	var out bytes.Buffer
	ctx := remote.WithLog(context.WithoutCancel(t.Context()), slog.New(slog.NewTextHandler(&out, nil)))
	_, err = r.Stat(ctx, ".")
	return out.String(), err
}

// A host of which no key is known is believed once, with a warning, and never again with another
// key.
func TestTheFirstKeyIsPinned(t *testing.T) {
	t.Setenv("HOME", t.TempDir())
	s := startServer(t, goServer)
	o := s.options()
	o.KnownHosts = ""
	o.Network.KnownHosts = filepath.Join(t.TempDir(), "state", "known_hosts")
	warned, err := warnings(t, o)
	if err != nil || !strings.Contains(warned, ssh.FingerprintSHA256(s.HostKey.PublicKey())) || !strings.Contains(warned, o.Network.KnownHosts) {
		t.Errorf("the first time: %q, %v", warned, err)
	}
	info, err := os.Stat(o.Network.KnownHosts)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Fatalf("%v, %v", info, err)
	}
	if warned, err := warnings(t, o); err != nil || warned != "" {
		t.Errorf("the second time: %q, %v", warned, err)
	}
	// Another server at that address.
	pinned := sshserver.KnownHost(t, s.Addr, sshserver.NewKey(t).PublicKey())
	if err := os.WriteFile(o.Network.KnownHosts, []byte(pinned), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err = warnings(t, o)
	if !errors.Is(err, remote.ErrPermission) || !strings.Contains(err.Error(), "ssh-keygen") || !strings.Contains(err.Error(), o.Network.KnownHosts) {
		t.Errorf("another key: %v", err)
	}
	// The user's own file goes before it.
	ssh := filepath.Join(os.Getenv("HOME"), ".ssh")
	if err := os.Mkdir(ssh, 0o700); err != nil {
		t.Fatal(err)
	}
	own := sshserver.KnownHost(t, s.Addr, s.HostKey.PublicKey())
	if err := os.WriteFile(filepath.Join(ssh, "known_hosts"), []byte(own), 0o600); err != nil {
		t.Fatal(err)
	}
	if warned, err := warnings(t, o); err != nil || warned != "" {
		t.Errorf("known to the user: %q, %v", warned, err)
	}
}

// Without a place to keep it the key is pinned for as long as the remote is used.
func TestAKeyIsPinnedWithoutAFile(t *testing.T) {
	t.Setenv("HOME", t.TempDir())
	for _, file := range []string{"", "/proc/none/known_hosts"} {
		s := startServer(t, goServer)
		h, err := newHostKeys("", file)
		if err != nil {
			t.Fatal(err)
		}
		var out bytes.Buffer
		ctx := remote.WithLog(t.Context(), slog.New(slog.NewTextHandler(&out, nil)))
		key := s.HostKey.PublicKey()
		for range 2 {
			if err := h.check(ctx, s.Addr, nil, key); err != nil {
				t.Errorf("%q: %v", file, err)
			}
		}
		if n := strings.Count(out.String(), "WARN"); n != 1 {
			t.Errorf("%q: %d warnings: %s", file, n, &out)
		}
		if err := h.check(ctx, s.Addr, nil, sshserver.NewKey(t).PublicKey()); !errors.Is(err, remote.ErrPermission) {
			t.Errorf("%q: another key: %v", file, err)
		}
	}
}
