package defence

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"ferry/events"
)

type recorder struct{ got []string }

func (r *recorder) Record(_ context.Context, e *events.Event) error {
	r.got = append(r.got, fmt.Sprintf("%v %v %s %v %s", e.Kind, e.Address.Addr(), e.Argument, e.Duration, e.Cause))
	return nil
}

func TestBansAreRecorded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := &recorder{}
		g := open(t, Options{Events: events.New(events.Subscription{Kinds: events.Of(events.Ban, events.Unban), Listener: r})})
		check := func(want ...string) {
			t.Helper()
			if !slices.Equal(r.got, want) {
				t.Errorf("recorded %q, not %q", r.got, want)
			}
			r.got = nil
		}
		g.try("192.0.2.1", 14)
		check()
		g.try("192.0.2.1", 3)
		check("ban 192.0.2.1 192.0.2.1/32 15m0s wrong password")
		if _, err := g.Ban(networks("2001:db8::7/48")[0], time.Hour, "by the administrator"); err != nil {
			t.Fatal(err)
		}
		check("ban 2001:db8:: 2001:db8::/48 1h0m0s by the administrator")
		g.Unban(networks("192.0.2.1")[0])
		g.Unban(networks("192.0.2.2")[0])
		check("unban 192.0.2.1 192.0.2.1/32 0s ")
		g.UnbanAll()
		check("unban 2001:db8:: 2001:db8::/48 0s ")
	})
}
