package main

import (
	"testing"

	"ferry/remote"
	"ferry/serve"
)

// The trees of all users share transfers and memory, those of other commands nothing.
func TestTreesOfUsersShareWhatThereIs(t *testing.T) {
	o := parse(t, "--transfers", "7", "--max-buffer-memory", "32M")
	if one, other := o.ofAll(), o.ofAll(); one == other {
		t.Error("trees share without being told")
	}
	o.shared = newShared(o)
	own, err := o.forUser(serve.Wanted{User: "bob", Remote: "/srv"})
	if err != nil {
		t.Fatal(err)
	}
	if own.ofAll().gate != o.ofAll().gate || own.reading().Budget != o.reading().Budget || own.ofAll().space != o.ofAll().space {
		t.Error("the tree of a user has transfers, memory or cache of its own")
	}
	if n := own.ofAll().gate.Transfers("x"); n != 7 {
		t.Errorf("%d transfers", n)
	}
}

func TestBucketsOfOneServerShareWhatItBears(t *testing.T) {
	for want, info := range map[string]remote.Info{
		"s3:host:9000":      {Name: "s3:a/b", Place: "s3:host:9000/a/b"},
		"sftp:bob@nas:/srv": {Name: "sftp:bob@nas:/srv"},
	} {
		if got := serverOf(info); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}
