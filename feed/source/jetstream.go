package source

import (
	"context"
	"slices"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"ferry/feed"
)

// A position is how far a stream was read.
type position struct {
	stream string
	last   uint64    // number of the message that was read last
	at     time.Time // when the stream took it; zero = none was read
	end    bool      // there was none behind it
}

// start returns the number of the first message to read, and whether some may be missed before it.
// A stream that was lost and made anew counts from one: only where the message that was read last
// is still there, the same one, it is gone on behind it.
func (p *position) start(ctx context.Context, stream jetstream.Stream) (first uint64, missed bool) {
	info := stream.CachedInfo()
	if p.stream == info.Config.Name && !p.at.IsZero() {
		if m, err := stream.GetMsg(ctx, p.last); err == nil && m.Time.Equal(p.at) {
			return p.last + 1, false
		}
	}
	return info.State.LastSeq + 1, true
}

// follow brings what a stream keeps, from where it was left if that is still there. Nothing is
// acknowledged: where it goes on from is known here, and a process that begins remembers nothing
// that could be wrong.
func (s *natsSource) follow(ctx context.Context, stream jetstream.Stream, f *feed.Feed) error {
	asking, cancel := context.WithTimeout(ctx, natsAnswer)
	defer cancel()
	first, missed := s.at.start(asking, stream)
	if missed {
		s.at = position{stream: stream.CachedInfo().Config.Name, last: first - 1}
	}
	consumer, err := stream.OrderedConsumer(asking, jetstream.OrderedConsumerConfig{
		FilterSubjects: []string{s.url.Path}, DeliverPolicy: jetstream.DeliverByStartSequencePolicy, OptStartSeq: first,
	})
	if err != nil {
		return err
	}
	messages, err := consumer.Messages()
	if err != nil {
		return err
	}
	defer messages.Stop()
	f.Begun(missed)
	for {
		m, err := messages.Next(jetstream.NextContext(ctx))
		if err != nil {
			return err
		}
		meta, err := m.Metadata()
		if err != nil {
			return err
		}
		if n := meta.Sequence.Stream; n > s.at.last {
			if n > s.at.last+1 && s.dropped(ctx, stream, meta.Sequence.Consumer == 1) {
				f.Missed()
			}
			f.Take(feed.Message{Body: m.Data()})
			s.at.last, s.at.at, s.at.end = n, meta.Timestamp, meta.NumPending == 0
		}
	}
}

// dropped reports whether the stream may have dropped messages behind the last one that was read.
// The numbers of one that has other subjects, too, have holes where nothing is missing. anew says
// that the server began anew to send, after the connection was disturbed.
func (s *natsSource) dropped(ctx context.Context, stream jetstream.Stream, anew bool) bool {
	if slices.Equal(stream.CachedInfo().Config.Subjects, []string{s.url.Path}) {
		return true
	}
	if s.at.end && !anew {
		return false // all were read that there were
	}
	ctx, cancel := context.WithTimeout(ctx, natsAnswer)
	defer cancel()
	info, err := stream.Info(ctx)
	return err != nil || info.State.FirstSeq > s.at.last+1
}
