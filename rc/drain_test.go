package rc

import (
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// leaver is a program that is drained a while after it was asked.
type leaver struct {
	mu       sync.Mutex
	now      Drained       // guarded by mu; its Changed is that of changed
	changed  chan struct{} // guarded by mu
	handOver bool          // guarded by mu
	refusal  error
}

func (l *leaver) Drain(handOver bool) error {
	if handOver && l.refusal != nil {
		return l.refusal
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.now.State, l.handOver = "sessions", handOver
	return nil
}

func (l *leaver) Undrain() error {
	l.reach("serving")
	return nil
}

func (l *leaver) Drained() Drained {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.now
}

func (l *leaver) reach(state string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.now.State = state
	close(l.changed)
	l.changed = make(chan struct{})
	l.now.Changed = l.changed
}

func TestDrainCalls(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := &leaver{now: Drained{State: "serving", Sessions: 2, Transfers: 1}, refusal: errors.New("there is no --handover")}
		l.changed = make(chan struct{})
		l.now.Changed = l.changed
		s := newServer(t, Options{NoAuth: true, Calls: CoreCalls(Core{Drain: l})})
		state := func(target, want string) {
			t.Helper()
			w := request{target: target}.do(s)
			if out := object(t, w.Body.String()); w.Code != 200 || out["state"] != want || out["sessions"] != 2.0 || out["transfers"] != 1.0 {
				t.Errorf("%s: %d %v, want %s", target, w.Code, out, want)
			}
		}
		state("/core/drained", "serving")
		state("/core/drain", "sessions")
		began := time.Now()
		state("/core/drain?wait=30s", "sessions")
		if took := time.Since(began); took != 30*time.Second {
			t.Errorf("it waited for %v", took)
		}
		go func() {
			time.Sleep(time.Second)
			l.reach("sending")
			time.Sleep(time.Second)
			l.reach("drained")
		}()
		began = time.Now()
		state("/core/drain?wait=1m", "drained")
		if took := time.Since(began); took != 2*time.Second {
			t.Errorf("it waited for %v", took)
		}
		state("/core/undrain", "serving")
		for _, bad := range []string{"wait=x", "wait=-1s", "handover=perhaps"} {
			if w := (request{target: "/core/drain?" + bad}).do(s); w.Code != 400 {
				t.Errorf("%s: %d %s", bad, w.Code, w.Body)
			}
		}
		if w := (request{target: "/core/drain?handover=true"}).do(s); w.Code != 500 || l.handOver {
			t.Errorf("%d %s", w.Code, w.Body)
		}
	})
}
