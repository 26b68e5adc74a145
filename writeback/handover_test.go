package writeback

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"ferry/remote/wrap/faulty"
)

// reluctant is an heir that takes nothing, and is sure of it.
type reluctant struct{}

func (reluctant) Claim(id string, _ uint64) string             { return "claim-" + id }
func (reluctant) Offer(context.Context, string, Offered) error { return errors.New("no room") }
func (reluctant) Decide(context.Context, string, string) (mine bool, err error) {
	return true, nil
}

// An attempt that is called off so that its change can be handed over tells nothing of the remote:
// nobody is warned, and it goes on at once where the change stays here.
func TestAnAttemptThatIsCalledOffIsNoTrouble(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newRig(t, Options{Mode: Writes})
		defer func() { b.stop() }()
		b.faults.Inject(faulty.Fault{Op: faulty.Put, Block: true})
		b.upload("f", "content")
		time.Sleep(time.Second) // the attempt is under way
		if given, err := b.HandOver(t.Context(), reluctant{}); given != 0 || err == nil {
			t.Errorf("given %d, %v", given, err)
		}
		b.flush()
		if w := b.Waiting(); w.Changes > 0 {
			t.Errorf("%d changes wait: %v", w.Changes, w.LastError)
		}
		if log := b.logged.String(); strings.Contains(log, "WARN") || strings.Contains(log, "ERROR") {
			t.Errorf("it is taken for trouble:\n%s", log)
		}
	})
}
