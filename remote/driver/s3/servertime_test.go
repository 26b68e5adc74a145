package s3

import (
	"strings"
	"testing"
	"time"

	"ferry/remote"
)

// With ServerModTime neither a Stat nor a listing nor a reader knows of a time that was set.
func TestTheServersTimesInsteadOfThoseThatWereSet(t *testing.T) {
	o := testOptions(startGateway(t))
	o.ServerModTime = true
	r := openAt(t, testBucket, o)
	ctx := t.Context()
	if _, err := r.Put(ctx, "f", strings.NewReader("f"), remote.PutOptions{ModTime: time.Unix(1e9, 0)}); err != nil {
		t.Fatal(err)
	}
	recent := func(what string, e remote.Entry) {
		t.Helper()
		if age := time.Since(e.ModTime); age > time.Hour {
			t.Errorf("%s: %v", what, e.ModTime)
		}
	}
	e, err := r.Stat(ctx, "f")
	if err != nil {
		t.Fatal(err)
	}
	recent("Stat", e)
	for e, err := range r.List(ctx, ".") {
		if err != nil {
			t.Fatal(err)
		}
		recent("List", e)
	}
	rc, err := r.Open(ctx, "f", 0, -1)
	if err != nil {
		t.Fatal(err)
	}
	defer rc.Close()
	e, _ = remote.Describe(rc)
	recent("Open", e)
}
