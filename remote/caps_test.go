package remote_test

import (
	"testing"
	"time"

	"ferry/remote"
)

// TestCommonCaps has the same in any order, and of one remote that itself.
func TestCommonCaps(t *testing.T) {
	disk := remote.Caps{Modes: true, MoveDir: true, CheapStat: true, ModTime: time.Nanosecond, PartsApart: true}
	bucket := remote.Caps{ImplicitDirs: true, ModTime: time.Second, MaxName: 1024, NoParts: true, PartsApart: true}
	page := remote.Caps{ReadOnly: true, CaseInsensitive: true, MaxName: 255}
	for _, c := range []remote.Caps{disk, bucket, page} {
		if got := remote.CommonCaps(c); got != c {
			t.Errorf("alone: %+v, want %+v", got, c)
		}
	}
	for _, c := range []struct{ a, b, want remote.Caps }{
		{disk, bucket, remote.Caps{ImplicitDirs: true, ModTime: time.Second, MaxName: 1024, NoParts: true, PartsApart: true}},
		{disk, page, remote.Caps{CaseInsensitive: true, MaxName: 255}},
		{bucket, page, remote.Caps{ImplicitDirs: true, CaseInsensitive: true, MaxName: 255, NoParts: true}},
	} {
		if got := remote.CommonCaps(c.a, c.b); got != c.want {
			t.Errorf("%+v, want %+v", got, c.want)
		}
		if got := remote.CommonCaps(c.b, c.a); got != c.want {
			t.Errorf("the other way round: %+v, want %+v", got, c.want)
		}
	}
}
