package remote

import (
	"testing"
	"testing/synctest"
	"time"
)

// A moment is what a clock says, and how much time has really passed.
type moment struct {
	set    time.Duration // by how much the clock has been set ahead since
	passed time.Duration
}

func TestAges(t *testing.T) {
	const day = 24 * time.Hour
	for name, test := range map[string]struct {
		age   time.Duration // of the file, as the clock says at first
		asked []moment      // before
		at    moment
		want  bool
	}{
		"an old file":                              {25 * time.Hour, nil, moment{0, time.Hour}, true},
		"a young file":                             {22 * time.Hour, nil, moment{0, time.Hour}, false},
		"at the start the clock may be wrong":      {3650 * day, nil, moment{0, 59 * time.Minute}, false},
		"it is put right":                          {3650*day + 10*time.Hour, []moment{{0, 0}}, moment{-3650 * day, time.Hour}, false},
		"it is set ahead":                          {time.Hour, []moment{{0, 0}}, moment{3650 * day, 10 * time.Hour}, false},
		"it was set ahead, and time passes":        {time.Hour, []moment{{0, 0}}, moment{3650 * day, 24 * time.Hour}, true},
		"it is set back":                           {time.Hour, []moment{{0, 0}, {-3650 * day, 2 * time.Hour}}, moment{-3650 * day, 25 * time.Hour}, false},
		"it was set back, and time passes":         {time.Hour, []moment{{0, 0}, {-3650 * day, 2 * time.Hour}}, moment{-3650 * day, 27 * time.Hour}, true},
		"a file from the future":                   {-3650 * day, []moment{{0, 0}}, moment{0, 23 * time.Hour}, false},
		"one from the future that was seen before": {-3650 * day, []moment{{0, 0}}, moment{0, 25 * time.Hour}, true},
	} {
		t.Run(name, func(t *testing.T) {
			start := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
			a := &Ages{began: start}
			for _, m := range append(test.asked, test.at) {
				got := a.exceed(start.Add(m.passed+m.set), m.passed, start.Add(-test.age), day)
				if m == test.at && got != test.want {
					t.Errorf("too old: %v", got)
				} else if m != test.at && got {
					t.Errorf("too old already at %v", m)
				}
			}
		})
	}
}

func TestAgesAreAskedByTheClock(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var a Ages
		old := time.Now().Add(-48 * time.Hour)
		if a.Exceed(old, 24*time.Hour) {
			t.Error("the first question is answered with yes")
		}
		time.Sleep(time.Hour)
		if !a.Exceed(old, 24*time.Hour) || a.Exceed(time.Now(), 24*time.Hour) {
			t.Error("after an hour the old one is not the one that is too old")
		}
		if new(Ages).Exceed(old, time.Hour) {
			t.Error("others were asked before")
		}
	})
}

func TestAgesDoNotGrow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var a Ages
		for i := range 3 * maxFuture {
			a.Exceed(time.Now().Add(time.Duration(i+1)*time.Hour), time.Hour)
		}
		if n := len(a.future); n > maxFuture {
			t.Errorf("%d are kept", n)
		}
	})
}
