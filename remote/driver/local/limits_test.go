//go:build unix

package local

import (
	"errors"
	"io"
	"math"
	"testing"
	"time"

	"ferry/remote"
)

func TestATimeIsKeptOrRefused(t *testing.T) {
	bothTrees(t, func(t *testing.T, tree openFunc) {
		r := open(t, tree, Options{})
		defer r.Close()
		put(t, r, "f", "x")
		must(t, r.SetModTime(t.Context(), "f", modTime))
		before := modTime
		for _, year := range []int{1, 1600, 1900, 1969, 2038, 2263, 2500, 9999} {
			want := time.Date(year, 6, 1, 12, 0, 0, 0, time.UTC)
			err := r.SetModTime(t.Context(), "f", want)
			if err != nil && !errors.Is(err, remote.ErrInvalid) {
				t.Errorf("%d: %v", year, err)
			}
			if err != nil {
				want = before
			}
			e, statErr := r.Stat(t.Context(), "f")
			must(t, statErr)
			if !e.ModTime.Equal(want) {
				t.Errorf("%d: the time is %v after %v", year, e.ModTime.UTC(), err)
			}
			before = e.ModTime
		}
	})
}

func TestNothingLiesBehindTheEnd(t *testing.T) {
	bothTrees(t, func(t *testing.T, tree openFunc) {
		r := open(t, tree, Options{})
		defer r.Close()
		put(t, r, "f", "content")
		for _, off := range []int64{7, 8, 1 << 44, 1 << 52, math.MaxInt64} {
			for _, n := range []int64{-1, 10} {
				f, err := r.Open(t.Context(), "f", off, n)
				if err != nil {
					t.Errorf("from %d on: %v", off, err)
					continue
				}
				if b, err := io.ReadAll(f); len(b) > 0 || err != nil {
					t.Errorf("from %d on: %q, %v", off, b, err)
				}
				f.Close()
			}
		}
	})
}
