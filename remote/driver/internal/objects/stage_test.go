package objects_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"ferry/remote"
	"ferry/remote/driver/internal/objects"
	"ferry/remote/driver/internal/objects/objectstest"
)

// holder keeps the context of the last upload.
type holder struct {
	*objectstest.Flat
	upload context.Context
}

func (h *holder) Create(ctx context.Context, k objects.Key, o objects.CreateOptions) (objects.Draft, error) {
	h.upload = ctx
	return h.Flat.Create(ctx, k, o)
}

func TestTheContextOfAStageEndsIt(t *testing.T) {
	h := &holder{Flat: objectstest.NewFlat("b")}
	r := objects.New(h, objects.Config{Root: "b", Holds: func(objects.Key) bool { return true }})
	why := errors.New("the session has ended")
	ctx, cancel := context.WithCancelCause(t.Context())
	s, err := r.Stage(ctx, "f", remote.StageOptions{Owner: "alice"})
	if err != nil {
		t.Fatal(err)
	}
	cancel(why)
	<-h.upload.Done()
	if err := context.Cause(h.upload); err != why {
		t.Errorf("the upload has ended because of %v", err)
	}
	if err := s.Abort(); err != nil {
		t.Error(err)
	}
}

func TestARootThatIsAFile(t *testing.T) {
	f := objectstest.NewFlat("b")
	f.Set("b", "d/f", "x", time.Now())
	for root, want := range map[string]error{"b": nil, "b/d": nil, "b/none": nil, "b/d/f": remote.ErrNotDir, "none": remote.ErrNotExist} {
		r := objects.New(f, objects.Config{Root: root, Holds: func(objects.Key) bool { return true }})
		if e, err := r.Stat(t.Context(), "."); !errors.Is(err, want) || want == nil && !e.Dir {
			t.Errorf("%s: %+v, %v", root, e, err)
		}
	}
}
