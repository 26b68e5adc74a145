package remote_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"ferry/remote"
)

func TestSleepEndsWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		if err := remote.Sleep(t.Context(), time.Second); err != nil || time.Since(began) != time.Second {
			t.Errorf("slept %v: %v", time.Since(began), err)
		}
		why := errors.New("enough")
		ctx, cancel := context.WithCancelCause(t.Context())
		time.AfterFunc(time.Minute, func() { cancel(why) })
		began = time.Now()
		if err := remote.Sleep(ctx, time.Hour); err != why || time.Since(began) != time.Minute {
			t.Errorf("slept %v: %v", time.Since(began), err)
		}
		if err := remote.Sleep(ctx, 0); err != why {
			t.Errorf("without a time: %v", err)
		}
	})
}
