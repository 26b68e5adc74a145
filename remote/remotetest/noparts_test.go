package remotetest_test

import (
	"context"
	"io/fs"
	"testing"

	"ferry/remote"
	"ferry/remote/driver/memory"
	"ferry/remote/remotetest"
)

// TestARemoteThatKeepsNoParts runs the suite on a Stager whose uploads end with their stage.
func TestARemoteThatKeepsNoParts(t *testing.T) {
	remotetest.Run(t, func(*testing.T) remote.Remote { return forgetful{memory.New()} })
}

type forgetful struct{ *memory.Remote }

func (f forgetful) Info() remote.Info {
	info := f.Remote.Info()
	info.Caps.NoParts = true
	return info
}

func (f forgetful) Stage(ctx context.Context, name string, o remote.StageOptions) (remote.Stage, error) {
	s, err := f.Remote.Stage(ctx, name, o)
	if err != nil {
		return nil, err
	}
	return forgetfulStage{s}, nil
}

func (f forgetful) DropPart(ctx context.Context, name, owner string) error {
	if _, err := f.Part(ctx, name, owner); err != nil {
		return err
	}
	return &fs.PathError{Op: "droppart", Path: name, Err: remote.ErrNotExist}
}

type forgetfulStage struct{ remote.Stage }

func (s forgetfulStage) Keep() error { return s.Abort() }
