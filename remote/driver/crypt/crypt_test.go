package crypt_test

import (
	"testing"

	"ferry/remote"
	"ferry/remote/driver/crypt"
	"ferry/remote/driver/crypt/cipher"
	"ferry/remote/driver/local"
	"ferry/remote/driver/memory"
	"ferry/remote/remotetest"
	"ferry/remote/remotetest/servers"
)

// testKeys are any, made without the time that a password takes.
func testKeys() cipher.Keys {
	return cipher.Keys{Data: [32]byte{1, 2, 3}, Name: [32]byte{4, 5, 6}, Tweak: [16]byte{7, 8, 9}}
}

func open(t testing.TB, below remote.Remote, o crypt.Options) remote.Remote {
	t.Helper()
	o.Keys = testKeys()
	r, err := crypt.New(below, o)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func disk(t testing.TB) remote.Remote {
	t.Helper()
	r, err := local.New(t.TempDir(), local.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestItKeepsItsContracts(t *testing.T) {
	for _, c := range []struct {
		name  string
		o     crypt.Options
		below func(t *testing.T) remote.Remote
		long  bool
	}{
		{name: "memory"},
		{name: "names off", o: crypt.Options{Names: cipher.Options{Names: cipher.Off}}},
		{name: "obfuscated", o: crypt.Options{Names: cipher.Options{Names: cipher.Obfuscate}}, long: true},
		{name: "plain directories", o: crypt.Options{Names: cipher.Options{PlainDirs: true, Encoding: "base32768"}}, long: true},
		{name: "plain data", o: crypt.Options{PlainData: true}, long: true},
		{name: "local", below: func(t *testing.T) remote.Remote { return disk(t) }},
		{name: "local with names off", o: crypt.Options{Names: cipher.Options{Names: cipher.Off}}, below: func(t *testing.T) remote.Remote { return disk(t) }, long: true},
	} {
		t.Run(c.name, func(t *testing.T) {
			if c.long {
				servers.SkipLong(t)
			}
			remotetest.Run(t, func(t *testing.T) remote.Remote {
				if c.below != nil {
					return open(t, c.below(t), c.o)
				}
				return open(t, memory.New(), c.o)
			})
		})
	}
}
