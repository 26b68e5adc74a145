package main

import (
	"io"
	"log/slog"
	"strings"
	"testing"

	"ferry/cmd/ferry/internal/logging"
	"ferry/cmd/ferry/internal/places"
	"ferry/serve"
)

func TestTreesOfOneRemoteWithOtherOptionsNeedOneCache(t *testing.T) {
	base, dir := t.TempDir(), t.TempDir()
	o := parse(t, "--cache-dir", base, "--vfs-cache-mode", "writes")
	p := process{stdout: io.Discard, stderr: io.Discard}
	o.places = places.Of(o.CacheDir, nil)
	trees := newUserTrees(p, o, nil, nil, slog.New(logging.NewText(io.Discard, slog.LevelError)))
	defer trees.set.Close()
	_, release, err := trees.open(t.Context(), serve.Wanted{Remote: dir, User: "cam"})
	if err != nil {
		t.Fatal(err)
	}
	defer release()
	for name, w := range map[string]serve.Wanted{
		"another option":      {Remote: dir, User: "bob", Options: map[string]string{"umask": "027"}},
		"written differently": {Remote: dir + "/", User: "bob"},
	} {
		t.Run(name, func(t *testing.T) {
			_, release, err := trees.open(t.Context(), w)
			if err == nil {
				release()
				t.Fatal("two trees have one cache")
			}
			if got := err.Error(); !strings.Contains(got, "umask") || strings.Contains(got, "stop it") {
				t.Errorf("%v does not say what to do", err)
			}
		})
	}
}
