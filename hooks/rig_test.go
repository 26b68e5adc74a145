package hooks

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"ferry/disk"
	"ferry/disk/disktest"
	"ferry/events"
	"ferry/hooks/settings"
)

// A receiver is an address that notes what it is told.
type receiver struct {
	mu     sync.Mutex
	got    []string // "stored /x was /x.part"
	ids    []string
	when   []time.Time
	answer func(path string) (status int, retryAfter string) // nil: 200
	took   time.Duration
	at     int // calls under way
	most   int // at once
}

func (r *receiver) RoundTrip(req *http.Request) (*http.Response, error) {
	list, err := messagesOf(req)
	if err != nil {
		return nil, err
	}
	r.mu.Lock()
	r.at++
	r.most = max(r.most, r.at)
	took := r.took
	r.mu.Unlock()
	if took > 0 {
		select {
		case <-time.After(took):
		case <-req.Context().Done():
		}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.at--
	if err := req.Context().Err(); err != nil {
		return nil, err
	}
	status, after := 200, ""
	if r.answer != nil {
		status, after = r.answer(list[0].Subject)
	}
	r.when = append(r.when, time.Now())
	if status == 0 {
		return nil, io.ErrUnexpectedEOF
	}
	if status == 200 {
		for _, m := range list {
			text := strings.TrimPrefix(strings.TrimPrefix(m.Type, "dev.ferry."), "upload.") + " " + m.Subject
			if m.Data.To != "" {
				text += " to " + m.Data.To
			}
			if len(m.Data.Previous) > 0 {
				text += " was " + strings.Join(m.Data.Previous, " ")
			}
			r.got = append(r.got, text)
			r.ids = append(r.ids, m.ID)
		}
	}
	return &http.Response{StatusCode: status, Status: fmt.Sprint(status), Header: http.Header{"Retry-After": {after}},
		Body: io.NopCloser(strings.NewReader("")), Request: req}, nil
}

// A message is what is sent of an event.
type message struct {
	ID, Type, Subject string
	Data              struct {
		To       string
		Previous []string `json:"previous_names"`
	}
}

func messagesOf(req *http.Request) ([]message, error) {
	body, err := io.ReadAll(req.Body)
	if err != nil {
		return nil, err
	}
	if body[0] == '[' {
		var list []message
		err := json.Unmarshal(body, &list)
		return list, err
	}
	list := make([]message, 1)
	err = json.Unmarshal(body, &list[0])
	return list, err
}

func (r *receiver) told() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.got)
}

func (r *receiver) setAnswer(f func(path string) (int, string)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.answer = f
}

// A rig is an outbox on a disk in memory, with a receiver.
type rig struct {
	*Outbox
	*testing.T
	r    *receiver
	d    *disktest.Disk
	o    Options
	list []settings.Hook
	stop func()
	ids  int
}

// newRig returns one whose hook is told of everything.
func newRig(t *testing.T, o Options, hooks ...settings.Hook) *rig {
	t.Helper()
	if hooks == nil {
		hooks = []settings.Hook{{Events: settings.Kinds()}}
	}
	for i := range hooks {
		if hooks[i].Name == "" {
			hooks[i].Name = fmt.Sprint("h", i)
		}
		if len(hooks[i].Program) == 0 {
			hooks[i].URL = "http://receiver/"
		}
	}
	g := &rig{T: t, r: &receiver{}, d: disktest.New(), o: o, list: hooks}
	g.start()
	t.Cleanup(func() { g.end() })
	return g
}

func (g *rig) start() {
	g.Helper()
	o := g.o
	o.Transport = g.r
	o.Disk = func() (disk.Disk, error) { return g.d, nil }
	g.Outbox = New(o)
	if err := g.Set(g.list); err != nil {
		g.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		if err := g.Outbox.Run(ctx); err != nil {
			g.Error(err)
		}
	}()
	g.stop = func() { cancel(); <-done }
}

func (g *rig) end() {
	g.stop()
	if err := g.Close(); err != nil {
		g.Error(err)
	}
}

// kill ends the outbox as the end of its process does, and starts it anew.
func (g *rig) kill() {
	g.Helper()
	g.d = g.d.Restart(disktest.Nothing())
	g.stop()
	g.start()
}

// happens records an event.
func (g *rig) happens(kind events.Kind, path string, more ...string) {
	g.Helper()
	if err := g.try(kind, path, more...); err != nil {
		g.Error(err)
	}
}

func (g *rig) try(kind events.Kind, path string, more ...string) error {
	g.ids++
	e := &events.Event{Kind: kind, ID: fmt.Sprintf("id%04d", g.ids), User: "bob", Path: path, Time: time.Now()}
	if len(more) > 0 {
		e.To = more[0]
	}
	return g.Record(context.Background(), e)
}

// wants compares what the receiver was told, in order.
func (g *rig) wants(want ...string) {
	g.Helper()
	synctest.Wait()
	if got := g.r.told(); !slices.Equal(got, want) {
		g.Errorf("told %q,\nnot %q", got, want)
	}
}

// after lets time pass.
func (g *rig) after(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

func bubble(t *testing.T, f func(t *testing.T)) { synctest.Test(t, f) }
