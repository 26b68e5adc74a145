package nats_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"

	"ferry/cluster"
	"ferry/cluster/clustertest"
	"ferry/cluster/nats"
	"ferry/remote/remotetest/servers/natsserver"
)

// A lab is a server of a test and the nodes on it.
type lab struct{ *natsserver.Server }

func (l lab) Node(t *testing.T) cluster.Engine {
	t.Helper()
	return open(t, nats.Options{Servers: []string{l.URL()}, Name: "ferry", Node: "test", Log: slog.New(slog.NewTextHandler(t.Output(), nil))})
}

func (l lab) Stop(*testing.T) { l.Server.Stop() }

func (l lab) Start(_ *testing.T, keep bool) { l.Restart(keep) }

// open opens an engine that runs until the test ends.
func open(t *testing.T, o nats.Options) *nats.Engine {
	t.Helper()
	e, err := nats.New(o)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = e.Run(ctx)
	}()
	t.Cleanup(func() {
		cancel()
		<-ended
	})
	return e
}

func TestSentences(t *testing.T) {
	t.Parallel()
	here := func(t *testing.T, f func(*testing.T)) {
		t.Parallel()
		f(t)
	}
	clustertest.Run(t, here, func(t *testing.T) clustertest.Lab { return lab{natsserver.Start(t)} })
}

// A log is what was logged.
type log struct {
	mu    sync.Mutex
	text  strings.Builder
	wrote chan struct{}
}

func newLog() *log { return &log{wrote: make(chan struct{}, 1000)} }

func (l *log) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.wrote <- struct{}{}
	return l.text.Write(p)
}

func (l *log) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// until waits for a text.
func (l *log) until(t *testing.T, text string) {
	t.Helper()
	late := time.After(time.Minute)
	for !strings.Contains(l.String(), text) {
		select {
		case <-l.wrote:
		case <-late:
			t.Fatalf("the log has no %q:\n%s", text, l)
		}
	}
}

func (l *log) options(url string) nats.Options {
	return nats.Options{Servers: []string{url}, Name: "ferry", Node: "n", Log: slog.New(slog.NewTextHandler(l, &slog.HandlerOptions{Level: slog.LevelWarn}))}
}

func TestItIsToldOnceThatTheEngineIsAwayAndOnceThatItIsBack(t *testing.T) {
	t.Parallel()
	s, l := natsserver.Start(t), newLog()
	s.Stop()
	url := strings.Replace(s.URL(), "nats://", "nats://bob:secret@", 1)
	e := open(t, l.options(url))
	l.until(t, "is not reached: this node goes on by itself")
	if st := e.State(); st.Reached || st.Problem == "" {
		t.Errorf("state %+v", st)
	}
	if err := e.Publish(t.Context(), "s", nil); !errors.Is(err, cluster.ErrAway) {
		t.Error(err)
	}
	s.Restart(true)
	l.until(t, "is reached again")
	if st := e.State(); !st.Reached || st.Version == "" {
		t.Errorf("state %+v", st)
	}
	if n := strings.Count(l.String(), "\n"); n != 2 || strings.Contains(l.String(), "secret") {
		t.Errorf("%d lines:\n%s", n, l)
	}
}

func TestAServerWithoutJetStreamIsToldOf(t *testing.T) {
	t.Parallel()
	s, l := natsserver.Start(t, func(o *server.Options) { o.JetStream = false }), newLog()
	e := open(t, l.options(s.URL()))
	l.until(t, "start nats-server with -js")
	if err := e.Publish(t.Context(), "s", nil); !errors.Is(err, cluster.ErrAway) {
		t.Error(err)
	}
}

func TestAWrongPasswordIsToldOfAndTriedAgain(t *testing.T) {
	t.Parallel()
	s, l := natsserver.Start(t, func(o *server.Options) { o.Username, o.Password = "bob", "right" }), newLog()
	open(t, l.options(strings.Replace(s.URL(), "//", "//bob:wrong@", 1)))
	l.until(t, "are refused")
	if strings.Contains(l.String(), "wrong@") {
		t.Errorf("a password is in the log:\n%s", l)
	}
	e := open(t, newLog().options(strings.Replace(s.URL(), "//", "//bob:right@", 1)))
	for e.Publish(t.Context(), "s", nil) != nil {
		time.Sleep(10 * time.Millisecond)
	}
}

func TestWhatTheUserHasNoRightToIsToldOf(t *testing.T) {
	t.Parallel()
	only := func(subjects ...string) *server.SubjectPermission { return &server.SubjectPermission{Allow: subjects} }
	for want, rights := range map[string]*server.Permissions{
		`the user lacks a right: Publish to \"ferry.node.s\"`: {Publish: only("$JS.API.>"), Subscribe: only("_INBOX.>")},
		`: the user lacks a right: Publish to \"$JS.API`:      {Publish: only("a"), Subscribe: only("_INBOX.>")},
	} {
		s, l := natsserver.Start(t, func(o *server.Options) {
			o.Users = []*server.User{{Username: "bob", Password: "right", Permissions: rights}}
		}), newLog()
		e := open(t, l.options(strings.Replace(s.URL(), "//", "//bob:right@", 1)))
		until(t, "the line of the log", func() error {
			if err := e.Publish(t.Context(), "s", nil); !errors.Is(err, cluster.ErrAway) || !strings.Contains(l.String(), want) {
				return fmt.Errorf("%w: %s", err, l)
			}
			return nil
		})
		if n := strings.Count(l.String(), "reports an error"); n > 1 {
			t.Errorf("%d lines about it:\n%s", n, l)
		}
	}
}

// The library gives a connection up after errors that it does not know.
func TestAConnectionThatIsGivenUpIsMadeAgain(t *testing.T) {
	t.Parallel()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	times := make(chan struct{}, 100)
	var all sync.WaitGroup
	all.Go(func() {
		for {
			c, err := listener.Accept()
			if err != nil {
				return
			}
			times <- struct{}{}
			all.Go(func() {
				defer c.Close()
				_, _ = io.WriteString(c, `INFO {"server_id":"x","version":"2.12.0","headers":true,"max_payload":1048576}`+"\r\n")
				for lines := bufio.NewScanner(c); lines.Scan(); {
					if strings.HasPrefix(lines.Text(), "PING") {
						_, _ = io.WriteString(c, "PONG\r\n-ERR 'Maximum Patience Violation'\r\n")
					}
				}
			})
		}
	})
	t.Cleanup(func() {
		listener.Close()
		all.Wait()
	})
	l := newLog()
	open(t, l.options("nats://"+listener.Addr().String()))
	for range 2 {
		select {
		case <-times:
		case <-time.After(20 * time.Second):
			t.Fatalf("it is not tried again:\n%s", l)
		}
	}
	l.until(t, "Maximum Patience Violation")
}

// A node that is cut off for a moment gets what was published meanwhile, and no gap.
func TestNothingIsMissedWhenAConnectionIsCut(t *testing.T) {
	t.Parallel()
	s := natsserver.Start(t)
	a, b := lab{s}.Node(t), lab{s}.Node(t)
	for a.Publish(t.Context(), "s", nil) != nil {
		time.Sleep(10 * time.Millisecond)
	}
	next := 0
	for m, err := range b.Subscribe(t.Context(), "s") {
		if err != nil {
			t.Fatal(err)
		}
		if next > 0 && string(m.Data) == strconv.Itoa(next-1) {
			continue // it was published twice: the first answer was lost
		}
		if m.Gap != (next == 0) || !m.Gap && string(m.Data) != strconv.Itoa(next) {
			t.Fatalf("message %q, gap: %v, after %d", m.Data, m.Gap, next)
		}
		if next++; next == 100 {
			break
		}
		if next%20 == 0 {
			s.Cut()
		}
		for a.Publish(t.Context(), "s", []byte(strconv.Itoa(next))) != nil {
			time.Sleep(10 * time.Millisecond)
		}
	}
}

func TestFilesThatAreNotThereAreRefused(t *testing.T) {
	empty := filepath.Join(t.TempDir(), "empty")
	if err := os.WriteFile(empty, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for want, o := range map[string]nats.Options{
		"--cluster-creds":               {Creds: "/not/there"},
		"--cluster-ca: ":                {CA: "/not/there"},
		"there is no certificate in it": {CA: empty},
	} {
		if _, err := nats.New(o); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
}

// What doc/cluster.md says that a user needs is enough.
func TestAUserWithFewRights(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile(filepath.Join("..", "..", "doc", "cluster.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(text), "A user of NATS with few rights needs ")
	sentence, _, _ := strings.Cut(rest, ". ")
	var rights []string
	for i, part := range strings.Split(sentence, "`") {
		if i%2 == 1 {
			rights = append(rights, strings.ReplaceAll(part, "NAME", "ferry"))
		}
	}
	only := &server.SubjectPermission{Allow: rights}
	s := natsserver.Start(t, func(o *server.Options) {
		o.Users = []*server.User{{Username: "bob", Password: "right", Permissions: &server.Permissions{Publish: only, Subscribe: only}}}
	})
	l := newLog()
	e := open(t, l.options(strings.Replace(s.URL(), "//", "//bob:right@", 1)))
	until(t, "publish", func() error { return e.Publish(t.Context(), "s", nil) })
	revision, err := e.Create(t.Context(), "b", "k", []byte("1"), 0)
	if err != nil {
		t.Fatal(err)
	}
	if revision, err = e.Update(t.Context(), "b", "k", []byte("2"), revision, 0); err != nil {
		t.Fatal(err)
	}
	for m, err := range e.Subscribe(t.Context(), "s") {
		if err != nil || !m.Gap {
			t.Errorf("%+v, %v", m, err)
		}
		break
	}
	for v, err := range e.Watch(t.Context(), "b") {
		if err != nil || string(v.Data) != "2" {
			t.Errorf("%+v, %v", v, err)
		}
		break
	}
	if _, err := e.Update(t.Context(), "b", "k", nil, revision, 0); err != nil {
		t.Error(err)
	}
	if l.String() != "" {
		t.Errorf("the log:\n%s", l)
	}
}
