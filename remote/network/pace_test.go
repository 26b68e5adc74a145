package network

import (
	"context"
	"errors"
	"net/http"
	"testing"
	"testing/synctest"
	"time"
)

func TestAPaceHoldsForTheLongestTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var p Pace
		began := time.Now()
		if err := p.Wait(t.Context()); err != nil || time.Since(began) != 0 {
			t.Errorf("waited %v for nothing: %v", time.Since(began), err)
		}
		p.Hold(time.Minute)
		p.Hold(time.Second)
		time.AfterFunc(30*time.Second, func() { p.Hold(2 * time.Minute) })
		if err := p.Wait(t.Context()); err != nil || time.Since(began) != 150*time.Second {
			t.Errorf("waited %v: %v", time.Since(began), err)
		}
		why := errors.New("enough")
		ctx, cancel := context.WithCancelCause(t.Context())
		cancel(why)
		if err := p.Wait(ctx); err != why {
			t.Errorf("with an ended context: %v", err)
		}
	})
}

func TestRetryAfter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for value, want := range map[string]time.Duration{
			"7": 7 * time.Second, " 0.5 ": time.Second / 2, "0": 0, "1e300": longestAfter,
			time.Now().Add(time.Minute).UTC().Format(http.TimeFormat): time.Minute,
			time.Now().Add(-time.Hour).UTC().Format(http.TimeFormat):  0,
		} {
			if got, ok := RetryAfter(value); got != want || !ok {
				t.Errorf("%q: %v, %v", value, got, ok)
			}
		}
		for _, value := range []string{"", "soon", "-1", "NaN"} {
			if got, ok := RetryAfter(value); got != 0 || ok {
				t.Errorf("%q: %v, %v", value, got, ok)
			}
		}
	})
}
