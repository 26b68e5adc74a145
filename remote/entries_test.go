package remote_test

import (
	"errors"
	"slices"
	"testing"

	"ferry/remote"
)

func TestEntriesEndWithTheError(t *testing.T) {
	broken := errors.New("broken")
	for most, want := range map[int][]string{1: {"a"}, 2: {"a", "b"}, 3: {"a", "b", "broken"}, 9: {"a", "b", "broken"}} {
		var got []string
		for e, err := range remote.Entries(func(take func(remote.Entry) bool) error {
			_ = take(remote.Entry{Name: "a"}) && take(remote.Entry{Name: "b"})
			return broken
		}) {
			if err != nil {
				e.Name = err.Error()
			}
			if got = append(got, e.Name); len(got) == most {
				break
			}
		}
		if !slices.Equal(got, want) {
			t.Errorf("the first %d are %q, not %q", most, got, want)
		}
	}
}
