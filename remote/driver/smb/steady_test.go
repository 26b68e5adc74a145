package smb

import (
	"errors"
	"io/fs"
	"testing"
)

// What is not found is looked for again beside a change of its name, or of a directory above it,
// and only then.
func TestWhatAChangeHidesIsLookedForAgain(t *testing.T) {
	at := target{"share", `d\f`}
	for name, one := range map[string]struct {
		changed target
		ends    bool // the change is over before anything is looked for
		within  bool // it begins and ends while the first look lasts
		err     error
		looks   int
	}{
		"under way":        {changed: at, err: fs.ErrNotExist, looks: lookAgain},
		"meanwhile":        {changed: at, within: true, err: fs.ErrNotExist, looks: 2},
		"above it":         {changed: target{"share", "D"}, err: fs.ErrNotExist, looks: lookAgain},
		"over":             {changed: at, ends: true, err: fs.ErrNotExist, looks: 1},
		"of another name":  {changed: target{"share", `d\f2`}, err: fs.ErrNotExist, looks: 1},
		"of another share": {changed: target{"other", `d\f`}, err: fs.ErrNotExist, looks: 1},
		"another error":    {changed: at, err: fs.ErrPermission, looks: 1},
		"found":            {changed: at, looks: 1},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWatches()
			if !one.within {
				end := w.change([]target{one.changed})
				if one.ends {
					end()
				}
			}
			looks := 0
			err := w.steady(func() target { return at }, func() error {
				if looks++; looks == 1 && one.within {
					w.change([]target{one.changed})()
				}
				return one.err
			})
			if !errors.Is(err, one.err) || looks != one.looks {
				t.Errorf("looked %d times, %v", looks, err)
			}
			if len(w.looking) > 0 {
				t.Error("a watch is left")
			}
		})
	}
}
