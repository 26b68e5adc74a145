package onedrive_test

import (
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"ferry/remote"
	"ferry/remote/driver/onedrive"
	"ferry/remote/remotetest/badnet"
	"ferry/remote/remotetest/servers/graphserver"
)

// TestALostUploadOfTheSameContent finds the content that was there before, and must not take the
// upload for done: that comes later, over what is stored next.
func TestALostUploadOfTheSameContent(t *testing.T) {
	t.Parallel()
	s := graphserver.Start(t)
	n := badnet.Start(t, s.Addr)
	o := onedrive.Options{}
	o.Network.Attempts = 2
	r, _ := openDrive(t, s, n.Addr, graphserver.Business, o)
	put(t, r, "f", "same")
	late := make(chan struct{})
	n.Add(badnet.Rule{Method: http.MethodPut, Path: "/up/", Times: 2, Fate: badnet.Fate{Answer: badnet.Ahead, Until: late}})
	n.Add(badnet.Rule{Method: http.MethodDelete, Path: "/up/", Fate: badnet.Fate{Answer: badnet.Ahead, Lost: true}})
	var doubts atomic.Int64
	ctx := remote.WithUnanswered(t.Context(), func() { doubts.Add(1) })
	if _, err := r.Put(ctx, "f", strings.NewReader("same"), remote.PutOptions{ModTime: when}); err != nil && doubts.Load() == 0 {
		t.Fatal(err)
	}
	n.Heal()
	put(t, r, "f", "other")
	close(late)
	if err := n.Settle(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := get(t, r, "f"); got != "other" && doubts.Load() == 0 {
		t.Errorf("%q has come back, and nothing was in doubt\n%s", got, n.History())
	}
}
