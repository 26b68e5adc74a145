package retry_test

import (
	"context"
	"errors"
	"io"
	"strings"
	"testing"

	"ferry/remote"
	"ferry/remote/wrap/faulty"
	"ferry/remote/wrap/retry"
)

// A PutIf whose answer was lost meets its own file when it is repeated, or somebody else's, which
// stays; and only its own is a success.
func TestAConditionalPutKnowsItsOwnFile(t *testing.T) {
	const content = "content"
	for _, h := range histories(faulty.Put, map[string]string{"new": "theirs!"}) {
		inWorld(t, retry.Options{}, func(w *world) {
			_, err := h.play(w, func(ctx context.Context) error {
				_, err := remote.PutIf(ctx, w.r, "new", strings.NewReader(content), "", remote.PutOptions{})
				return err
			})
			got := w.get("new")
			switch {
			case err == nil && h.others == nil && got != content,
				err != nil && h.others == nil,
				err != nil && !errors.Is(err, remote.ErrChanged),
				h.others != nil && got != "theirs!",
				h.others != nil && err == nil && !h.fault.Late: // then it was there before
				w.Errorf("%v: %v, it holds %q", h, err, got)
			}
		})
	}
}

// Without a second reading of the body nobody knows whose file it is.
func TestAConditionalPutThatCannotBeComparedIsUnsure(t *testing.T) {
	inWorld(t, retry.Options{}, func(w *world) {
		w.faults.Inject(faulty.Fault{Op: faulty.Put, Late: true})
		body := io.MultiReader(strings.NewReader("content"))
		_, err := remote.PutIf(w.Context(), w.r, "new", body, "", remote.PutOptions{})
		if err == nil || errors.Is(err, remote.ErrChanged) {
			t.Errorf("it is %v", err)
		}
	})
}
