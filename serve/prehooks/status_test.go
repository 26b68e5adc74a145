package prehooks

import (
	"strings"
	"testing"
	"time"

	"ferry/hooks/settings"
)

// What has no answer is counted by why, and by what it was taken for; that goes on when the hooks
// are read again, and the cause is over with the next answer.
func TestStatus(t *testing.T) {
	if got := (*Hooks)(nil).Status(); got != nil {
		t.Errorf("nobody has %+v", got)
	}
	const program = `case "$FERRY_PATH" in /bad) exit 1;; /odd) exit 127;; /slow) sleep 60;; esac`
	st := newStage(t, script(program, preDelete))
	ask := func(names ...string) {
		for _, name := range names {
			st.write(name, "x")
			_ = st.tree("bob").Remove(t.Context(), name)
		}
	}
	set := func(fail string, timeout time.Duration) {
		s := script(program, preDelete)
		s.Fail, s.Timeout = fail, timeout
		if err := st.hooks.Set([]settings.Hook{s}); err != nil {
			t.Fatal(err)
		}
	}
	want := func(answered uint64, open, closed Unanswered, cause string) {
		t.Helper()
		all := st.hooks.Status()
		if len(all) != 1 || all[0].Name != "test" || all[0].Target == "" {
			t.Fatalf("the hooks are %+v", all)
		}
		if s := all[0]; s.Answered != answered || s.Open != open || s.Closed != closed || (cause == "") != (s.LastFail == "") || !strings.Contains(s.LastFail, cause) {
			t.Errorf("it is %+v, want %d, %+v, %+v, %q", s, answered, open, closed, cause)
		}
	}
	ask("good", "bad", "odd")
	want(2, Unanswered{}, Unanswered{Failed: 1}, "127")
	set("open", 50*time.Millisecond)
	ask("slow")
	want(2, Unanswered{Late: 1}, Unanswered{Failed: 1}, "no answer in 50ms")
	set("closed", 50*time.Millisecond)
	ask("slow")
	want(2, Unanswered{Late: 1}, Unanswered{Late: 1, Failed: 1}, "no answer in 50ms")
	set("closed", time.Minute)
	ask("good")
	want(3, Unanswered{Late: 1}, Unanswered{Late: 1, Failed: 1}, "")
}
