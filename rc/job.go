package rc

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"sync"
	"time"
)

const (
	// keepJobs is how long a job can be queried after its end.
	keepJobs = time.Minute
	// maxJobs bounds the number of jobs: beyond it the oldest finished ones are dropped, and if all
	// are running, no more can start.
	maxJobs = 1000
	// maxJobBytes bounds the approximate memory of the results of finished jobs: the oldest ones
	// are dropped.
	maxJobBytes = 16 << 20
)

var (
	errNoJob   = errors.New("job not found")
	errJobs    = errors.New("too many calls are running")
	errClosed  = errors.New("the server is closing")
	errStopped = errors.New("stopped by job/stop")
)

// A job is a running or finished call. All but its constants are guarded by jobs.mu.
type job struct {
	id     int64
	group  string
	began  time.Time
	cancel context.CancelCauseFunc

	ended  time.Time // zero while running
	output Params
	bytes  int // approximate size of output
	err    error
}

// jobs are the calls of one server.
type jobs struct {
	executeID string // distinguishes the jobs of this process from those of an earlier one
	wait      sync.WaitGroup

	mu     sync.Mutex
	last   int64          // guarded by mu
	all    map[int64]*job // guarded by mu
	bytes  int            // guarded by mu; of all results
	sweep  *time.Timer    // guarded by mu; drops finished jobs; nil if there are none
	closed bool           // guarded by mu
}

func newJobs() *jobs {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return &jobs{
		executeID: fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:]), // RFC 9562, section 5.4
		all:       map[int64]*job{},
	}
}

// begin registers a job. Its context ends with job/stop and with the server. It is followed by
// inBackground or run.
func (js *jobs) begin(ctx context.Context, how control) (context.Context, *job, error) {
	js.mu.Lock()
	defer js.mu.Unlock()
	if js.closed {
		return nil, nil, errClosed
	}
	js.forget(maxJobs - 1)
	if len(js.all) >= maxJobs {
		return nil, nil, errJobs
	}
	js.last++
	j := &job{id: js.last, group: how.groupOf(js.last), began: time.Now()}
	ctx, j.cancel = context.WithCancelCause(ctx)
	js.all[j.id] = j
	if how.async {
		js.wait.Add(1)
	}
	return ctx, j, nil
}

// inBackground runs an asynchronous job of begin.
func (js *jobs) inBackground(run func()) {
	go func() {
		defer js.wait.Done()
		run()
	}()
}

// run makes the call and records its result. A panic is an error of the call.
func (js *jobs) run(ctx context.Context, j *job, c Call, in Params) (out Params, err error) {
	defer func() {
		if p := recover(); p != nil {
			out, err = nil, fmt.Errorf("panic in %s: %v", c.Path, p)
		}
		j.cancel(nil)
		js.mu.Lock()
		defer js.mu.Unlock()
		j.ended, j.err = time.Now(), err
		js.keep(j, out)
	}()
	return c.Run(ctx, in)
}

// forget drops expired jobs, and further finished ones until at most n jobs are left. js.mu is
// held.
func (js *jobs) forget(n int) {
	now := time.Now()
	for _, j := range js.all {
		if !j.ended.IsZero() && now.Sub(j.ended) >= keepJobs {
			js.drop(j)
		}
	}
	if len(js.all) <= n && js.bytes <= maxJobBytes {
		return
	}
	over := slices.DeleteFunc(slices.Collect(maps.Values(js.all)), func(j *job) bool { return j.ended.IsZero() })
	slices.SortFunc(over, func(a, b *job) int { return cmp.Or(a.ended.Compare(b.ended), cmp.Compare(a.id, b.id)) })
	for _, j := range over {
		if len(js.all) <= n && js.bytes <= maxJobBytes {
			return
		}
		js.drop(j)
	}
}

// drop removes j. js.mu is held.
func (js *jobs) drop(j *job) {
	js.bytes -= j.bytes
	delete(js.all, j.id)
}

// keep stores the result of the finished job j. js.mu is held.
func (js *jobs) keep(j *job, out Params) {
	j.output, j.bytes = out, weight(reflect.ValueOf(out))
	if j.bytes > maxJobBytes/2 {
		j.output, j.bytes = Params{"omitted": "the result is too large to be kept"}, 0
	}
	js.bytes += j.bytes
	js.forget(maxJobs)
	if js.sweep == nil && !js.closed {
		js.sweep = time.AfterFunc(keepJobs, js.sweepUp)
	}
}

// sweepUp drops expired jobs, and reschedules itself while there are finished ones.
func (js *jobs) sweepUp() {
	js.mu.Lock()
	defer js.mu.Unlock()
	js.forget(maxJobs)
	js.sweep = nil
	var first time.Time
	for _, j := range js.all {
		if !j.ended.IsZero() && (first.IsZero() || j.ended.Before(first)) {
			first = j.ended
		}
	}
	if !first.IsZero() && !js.closed {
		js.sweep = time.AfterFunc(time.Until(first.Add(keepJobs)), js.sweepUp)
	}
}

// weight returns the approximate size of plain data in memory, in bytes.
func weight(v reflect.Value) int {
	n := 0
	switch v.Kind() {
	case reflect.Interface, reflect.Pointer:
		if !v.IsNil() {
			return int(v.Type().Size()) + weight(v.Elem())
		}
	case reflect.String:
		n = v.Len()
	case reflect.Map:
		const entry = 16 // overhead of a map entry
		for it := v.MapRange(); it.Next(); {
			n += entry + weight(it.Key()) + weight(it.Value())
		}
	case reflect.Slice:
		for i := range v.Len() {
			n += weight(v.Index(i))
		}
	case reflect.Struct:
		for i := range v.NumField() {
			n += weight(v.Field(i))
		}
		return n
	}
	if v.IsValid() {
		n += int(v.Type().Size())
	}
	return n
}

// close stops all jobs and waits for those in the background.
func (js *jobs) close() {
	js.mu.Lock()
	js.closed = true
	if js.sweep != nil {
		js.sweep.Stop()
	}
	for _, j := range js.all {
		j.cancel(errClosed)
	}
	js.mu.Unlock()
	js.wait.Wait()
}

// find returns the job selected by in. js.mu is held.
func (js *jobs) find(in Params) (*job, error) {
	id, err := in.Int64("jobid")
	if err != nil {
		return nil, err
	}
	j, ok := js.all[id]
	if !ok {
		return nil, errNoJob
	}
	return j, nil
}

// status describes j. js.mu is held.
func (j *job) status() Params {
	out := Params{
		"id": j.id, "group": j.group, "startTime": j.began, "endTime": j.ended, "finished": !j.ended.IsZero(),
		"success": !j.ended.IsZero() && j.err == nil, "error": "", "output": j.output, "duration": 0.0,
	}
	if !j.ended.IsZero() {
		out["duration"] = j.ended.Sub(j.began).Seconds()
	}
	if j.err != nil {
		out["error"] = j.err.Error()
	}
	return out
}
