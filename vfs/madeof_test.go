package vfs_test

import (
	"testing"

	"ferry/remote"
	"ferry/remote/driver/crypt"
	"ferry/remote/driver/crypt/cipher"
	"ferry/remote/driver/memory"
	"ferry/remote/driver/union"
	"ferry/vfs"
)

// TestHistoriesOverRemotesThatAreMadeOfOthers compares the tree with a model as TestRandomHistories
// and TestCrashesAtAnyOperation do, over what keeps its files in other remotes.
func TestHistoriesOverRemotesThatAreMadeOfOthers(t *testing.T) {
	for _, c := range []struct {
		name string
		over func(t *testing.T) remote.Remote
	}{
		{"crypt", func(t *testing.T) remote.Remote { return encrypted(t, memory.New()) }},
		{"union", func(t *testing.T) remote.Remote {
			return united(t, union.Options{Create: "rand"}, memory.New(), memory.New())
		}},
		{"union of all", func(t *testing.T) remote.Remote {
			return united(t, union.Options{Create: "all", Action: "all", Search: "newest"}, memory.New(), memory.New())
		}},
		{"crypt on a union", func(t *testing.T) remote.Remote {
			return encrypted(t, united(t, union.Options{Create: "rand"}, memory.New(), memory.New()))
		}},
		{"union of crypts", func(t *testing.T) remote.Remote {
			return united(t, union.Options{Create: "rand"}, encrypted(t, memory.New()), encrypted(t, memory.New()))
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			vfs.PlayHistories(t, func() remote.Remote { return c.over(t) })
		})
	}
}

// encrypted is r behind keys that took no time to make.
func encrypted(t *testing.T, r remote.Remote) remote.Remote {
	t.Helper()
	c, err := crypt.New(r, crypt.Options{Keys: cipher.Keys{Data: [32]byte{1}, Name: [32]byte{2}, Tweak: [16]byte{3}}})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// united lays remotes over one another.
func united(t *testing.T, o union.Options, all ...remote.Remote) remote.Remote {
	t.Helper()
	for _, r := range all {
		o.Upstreams = append(o.Upstreams, union.Upstream{Remote: r})
	}
	u, err := union.New(o)
	if err != nil {
		t.Fatal(err)
	}
	return u
}
