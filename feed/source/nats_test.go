package source

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"ferry/remote"
	"ferry/remote/remotetest/servers/natsserver"
)

// connect connects as a store does.
func connect(t *testing.T, s *natsserver.Server) *nats.Conn {
	t.Helper()
	c, err := nats.Connect(s.URL())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

// publish publishes events by a connection of its own: tests cut those that there are.
func publish(t *testing.T, s *natsserver.Server, subject string, keys ...string) {
	t.Helper()
	c := connect(t, s)
	defer c.Close()
	for _, key := range keys {
		if err := c.Publish(subject, []byte(event(key))); err != nil {
			t.Fatal(err)
		}
	}
	if err := c.FlushTimeout(10 * time.Second); err != nil {
		t.Fatal(err)
	}
}

func TestASubjectOfNATS(t *testing.T) {
	t.Parallel()
	s := natsserver.Start(t)
	publish(t, s, "s3.events", "before")
	l := listen(t, s.URL()+"/s3.events")
	l.wants(remote.Everything())
	publish(t, s, "s3.events", "a", "b+c")
	l.wants(stored("a"), stored("b c"))
	s.Restart(false) // what is published without it is lost
	l.wants(remote.Everything())
	publish(t, s, "s3.events", "d")
	l.wants(stored("d"))
	l.wantsNothing()
	if got := l.feed.Status().Gaps; got != 2 {
		t.Errorf("%d gaps", got)
	}
}

func TestAUserOfNATS(t *testing.T) {
	t.Parallel()
	s := natsserver.Start(t, func(o *server.Options) { o.Username, o.Password = "me", "s3cret" })
	host := s.URL()[len("nats://"):]
	l := listen(t, "nats://me:s3cret@"+host+"/s3.events")
	l.wants(remote.Everything())
	refused := open(t, "nats://me:wrong@"+host+"/s3.events")
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	if err := refused.Listen(ctx, l.feed); err == nil || ctx.Err() != nil {
		t.Errorf("a wrong password: %v", err)
	}
}

// newStream makes a stream of subjects.
func newStream(t *testing.T, s *natsserver.Server, most int64, subjects ...string) jetstream.Stream {
	t.Helper()
	js, err := jetstream.New(connect(t, s))
	if err != nil {
		t.Fatal(err)
	}
	stream, err := js.CreateStream(t.Context(), jetstream.StreamConfig{Name: "S3", Subjects: subjects, MaxMsgs: most})
	if err != nil {
		t.Fatal(err)
	}
	return stream
}

// What a stream has kept while the connection was broken is told afterwards, and nothing else.
func TestAStreamOfNATS(t *testing.T) {
	t.Parallel()
	s := natsserver.Start(t)
	stream := newStream(t, s, -1, "s3.>")
	publish(t, s, "s3.events", "before")
	until(t, "the stream does not keep it", func() bool {
		info, err := stream.Info(t.Context())
		return err == nil && info.State.Msgs == 1
	})
	l := listen(t, s.URL()+"/s3.events")
	l.wants(remote.Everything())
	publish(t, s, "s3.events", "a")
	l.wants(stored("a"))
	for round := range 3 {
		s.Cut()
		for n := range 20 {
			publish(t, s, "s3.events", fmt.Sprint(round, " ", n))
		}
		publish(t, s, "s3.other", "of another subject") // its number is missing
		for n := range 20 {
			l.wants(stored(fmt.Sprint(round, " ", n)))
		}
	}
	l.wantsNothing()
	if got := l.feed.Status().Gaps; got != 1 {
		t.Errorf("%d gaps", got)
	}
	s.Restart(true)
	publish(t, s, "s3.events", "after")
	l.wants(stored("after"))
}

func TestAStreamThatHasDroppedMessages(t *testing.T) {
	for name, subject := range map[string]string{"its own": "s3.events", "of several subjects": "s3.>"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := natsserver.Start(t)
			newStream(t, s, 5, subject)
			l := listen(t, s.URL()+"/s3.events")
			l.wants(remote.Everything())
			publish(t, s, "s3.events", "a")
			l.wants(stored("a"))
			s.Stop()
			until(t, "the feed does not notice", func() bool { return !l.feed.Status().Up })
			s.Restart(true)
			for n := range 20 {
				publish(t, s, "s3.events", fmt.Sprint(n))
			}
			// It may be back in the middle of that, or behind it: what is missing is noticed.
			for got := range l.changes {
				if got == remote.Everything() {
					break
				}
			}
			publish(t, s, "s3.events", "last")
			for got := range l.changes {
				if got == stored("last") {
					break
				}
			}
		})
	}
}

func TestAStreamThatIsMadeAnew(t *testing.T) {
	t.Parallel()
	s := natsserver.Start(t)
	newStream(t, s, -1, "s3.events")
	l := listen(t, s.URL()+"/s3.events?stream=S3")
	l.wants(remote.Everything())
	publish(t, s, "s3.events", "a")
	l.wants(stored("a"))
	s.Restart(false)
	publish(t, s, "s3.events", "lost")
	newStream(t, s, -1, "s3.events")
	l.wants(remote.Everything())
	publish(t, s, "s3.events", "b")
	l.wants(stored("b"))
}
