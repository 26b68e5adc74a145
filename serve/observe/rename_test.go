package observe_test

import (
	"slices"
	"testing"

	"ferry/events"
	"ferry/vfs"
)

// A rename is prepared before it is made, and recorded with the same ID, or withdrawn.
func TestRenamesArePrepared(t *testing.T) {
	st := newStage(t, vfs.Options{}, events.Of(events.Rename), nil)
	c := st.join(t)
	c.put("STOR a", "hello", "226")
	c.say("RNFR a", "350")
	c.write("RNTO b")
	c.reply("250")
	made := st.take()
	if len(made) != 1 || made[0].Path != "/a" || made[0].To != "/b" {
		t.Fatalf("recorded %+v", made)
	}
	c.say("RNFR b", "350")
	c.write("RNTO no/such/directory")
	c.reply("550")
	failed := st.take()
	if len(failed) != 1 || len(st.prepared) != 3 {
		t.Fatalf("recorded %+v, prepared %q", failed, st.prepared)
	}
	id := st.prepared[1][:26]
	want := []string{made[0].ID + " rename /a to /b by bob", id + " rename /b to /no/such/directory by bob", id + " withdrawn"}
	if !slices.Equal(st.prepared, want) || failed[0].Result != events.Failed {
		t.Errorf("prepared %q, then %+v", st.prepared, failed)
	}
}
