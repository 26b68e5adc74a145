package memory

import (
	"iter"
	"strconv"
	"strings"
	"testing"
	"time"

	"ferry/remote"
)

func TestWhoIsSlowToWatchIsToldThatEverythingHasChanged(t *testing.T) {
	r := New()
	next, stop := iter.Pull2(r.Watch(t.Context(), time.Minute))
	defer stop()
	if c, err, _ := next(); c != remote.Everything() || err != nil {
		t.Fatalf("%+v, %v", c, err)
	}
	put := func(name string) {
		if _, err := r.Put(t.Context(), name, strings.NewReader("x"), remote.PutOptions{}); err != nil {
			t.Fatal(err)
		}
	}
	for i := range maxUntold + 1 {
		put(strconv.Itoa(i))
	}
	if c, err, _ := next(); c != remote.Everything() || err != nil {
		t.Errorf("%+v, %v", c, err)
	}
	put("last")
	if c, err, _ := next(); c.Name != "last" || c.Version == "" || err != nil {
		t.Errorf("%+v, %v", c, err)
	}
	stop()
	if n := len(r.watches); n != 0 {
		t.Errorf("%d watches are left", n)
	}
}
