package audit

import "time"

// Rotation says when this process moves a file away to begin another: name.log becomes
// name-TIME.log. Without it something else does, and has the file opened again.
type Rotation struct {
	Size int64         // a file has at most, apart from its first line; 0 = any
	Age  time.Duration // all lines of a file are of one such span of UTC; 0 = any. 24 hours are a day, 168 a week from Monday on
	Keep int           // so many files that were moved away; 0 = all
}

const (
	// again is the time from an attempt to rotate that failed to the next one.
	again = time.Minute
	// apart is the time between two files, whose names have the millisecond in them.
	apart = 2 * time.Millisecond
)

func (r Rotation) isOn() bool { return r.Size > 0 || r.Age > 0 }

// periodOf is the span of Age that t is in.
func (r Rotation) periodOf(t time.Time) time.Time {
	if r.Age <= 0 {
		return time.Time{}
	}
	return t.UTC().Truncate(r.Age)
}

// rotateIfDue begins another file where the next line, of n bytes, does not belong into this one.
func (f *file) rotateIfDue(n int) {
	if f.rotor == nil {
		return
	}
	r, now := f.o.Rotation, time.Now()
	before := f.period
	f.period = r.periodOf(now) // the line is of it, wherever it goes
	if f.size == 0 || len(f.rest) > 0 {
		return
	}
	full := r.Size > 0 && f.size+int64(n) > r.Size
	if !full && f.period.Equal(before) || now.Before(f.keep) {
		return
	}
	if err := f.rotor.Rotate(); err != nil {
		f.keep = now.Add(again)
		f.o.Log.Error("the file of "+f.o.What+" cannot be moved away to begin another; it is written on", "file", f.o.Name, "error", err)
		return
	}
	_ = f.rotor.Close() // it is opened to append; nothing was written
	f.size, f.keep = 0, time.Now().Add(apart)
}
