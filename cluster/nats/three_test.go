package nats_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	natsgo "github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"ferry/cluster"
	"ferry/cluster/nats"
	"ferry/remote/remotetest/servers/natsserver"
)

// until does something until it is done.
func until(t *testing.T, what string, do func() error) {
	t.Helper()
	var err error
	for late := time.Now().Add(30 * time.Second); time.Now().Before(late); time.Sleep(20 * time.Millisecond) {
		if err = do(); err == nil {
			return
		}
	}
	t.Fatalf("%s: %v", what, err)
}

// NATS may be a cluster itself, with TLS and credentials: each of its servers may be away.
func TestNodesGoOnWhileAServerOfThreeIsAway(t *testing.T) {
	t.Parallel()
	three := natsserver.StartThree(t)
	three.AwaitAll(t)
	l := newLog()
	o := l.options("")
	o.Servers, o.Creds, o.CA = three.URLs(), three.Creds, three.CA
	a, b := open(t, o), open(t, o)
	until(t, "publish", func() error { return a.Publish(t.Context(), "changes", []byte("first")) })
	var revision uint64
	until(t, "create", func() (err error) {
		revision, err = a.Create(t.Context(), "state", "k", []byte("0"), 0)
		return err
	})
	expectCopies(t, three, "ferry-changes", "KV_ferry-state")

	say := talk(t, a, b, revision)
	say("all are there")
	for _, s := range three.Servers {
		if !strings.HasSuffix(s.URL(), a.State().Server) {
			continue
		}
		s.Stop()
		say("the server of a node is away")
		s.Restart(true)
		three.AwaitAll(t)
		say("it is back")
		break
	}
	if strings.Contains(l.String(), "eyJ") {
		t.Errorf("credentials are in the log:\n%s", l)
	}
}

// talk returns what has a node say something, which another one hears, and write it to a value.
func talk(t *testing.T, a, b *nats.Engine, revision uint64) func(what string) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	heard, ended := make(chan cluster.Message, 1000), make(chan struct{})
	go func() {
		defer close(ended)
		for m, err := range b.Subscribe(ctx, "changes") {
			if err != nil {
				return
			}
			heard <- m
		}
	}()
	t.Cleanup(func() {
		cancel()
		<-ended
	})
	if m := <-heard; !m.Gap {
		t.Fatalf("%q came first", m.Data)
	}
	last := ""
	return func(what string) {
		t.Helper()
		until(t, what, func() error { return a.Publish(t.Context(), "changes", []byte(what)) })
		for m := range heard {
			if m.Gap {
				t.Fatalf("a gap before %s", what)
			}
			if got := string(m.Data); got == what {
				break
			} else if got != last { // one whose answer was lost came twice
				t.Fatalf("%q before %s", got, what)
			}
		}
		last = what
		until(t, "update", func() (err error) {
			if next, err := a.Update(t.Context(), "state", "k", []byte(what), revision, 0); err == nil {
				revision = next
				return nil
			}
			v, err := b.Get(t.Context(), "state", "k")
			if err == nil && string(v.Data) != what {
				err = fmt.Errorf("it is %q", v.Data)
			}
			revision = v.Revision
			return err
		})
	}
}

// expectCopies looks whether streams are on all servers.
func expectCopies(t *testing.T, three *natsserver.Three, streams ...string) {
	t.Helper()
	conn, err := natsgo.Connect(strings.Join(three.URLs(), ","), natsgo.UserCredentials(three.Creds), natsgo.RootCAs(three.CA))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	js, err := jetstream.New(conn)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range streams {
		s, err := js.Stream(t.Context(), name)
		if err != nil {
			t.Fatal(err)
		}
		if n := s.CachedInfo().Config.Replicas; n != 3 {
			t.Errorf("%s has %d copies", name, n)
		}
	}
}

func TestACertificateThatIsNotTrustedIsToldOf(t *testing.T) {
	t.Parallel()
	three := natsserver.StartThree(t)
	l := newLog()
	o := l.options("")
	o.Servers, o.Creds = three.URLs(), three.Creds
	open(t, o)
	l.until(t, "its certificate is not trusted")
}
