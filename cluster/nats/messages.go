package nats

import (
	"context"
	"iter"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"ferry/cluster"
)

// Publish implements cluster.Engine.
func (e *Engine) Publish(ctx context.Context, subject string, data []byte) error {
	if err := checkName("subject", subject); err != nil {
		return err
	}
	l, err := e.now()
	if err != nil {
		return err
	}
	_, err = l.publish(ctx, e.messageStream(subject), &message{subject: e.subject(subject), data: data})
	return meaning(ctx, err)
}

// A position is where a subscription is in its stream.
type position struct {
	begun    bool
	sequence uint64    // of the last message, whether it was yielded or was there before
	time     time.Time // of that message
}

// Subscribe implements cluster.Engine.
func (e *Engine) Subscribe(ctx context.Context, subject string) iter.Seq2[cluster.Message, error] {
	return func(yield func(cluster.Message, error) bool) {
		if err := checkName("subject", subject); err != nil {
			yield(cluster.Message{}, err)
			return
		}
		var at position
		again(ctx, e, "messages", yield, func(ctx context.Context, l *link, yield func(cluster.Message) error) error {
			return e.follow(ctx, l, subject, &at, yield)
		})
	}
}

// follow yields the messages behind a position as long as a link lasts.
func (e *Engine) follow(ctx context.Context, l *link, subject string, at *position, yield func(cluster.Message) error) error {
	s, err := l.fresh(ctx, e.messageStream(subject))
	if err != nil {
		return err
	}
	info := s.CachedInfo().State
	gap := !continues(ctx, s, info, *at)
	if gap {
		*at = position{true, info.LastSeq, info.LastTime}
	}
	config := jetstream.ConsumerConfig{DeliverPolicy: jetstream.DeliverByStartSequencePolicy, OptStartSeq: at.sequence + 1}
	begun := func(uint64) error {
		if gap {
			return yield(cluster.Message{Gap: true})
		}
		return nil
	}
	return consume(ctx, s, config, begun, func(m jetstream.Msg, meta *jetstream.MsgMetadata) error {
		if meta.Sequence.Stream != at.sequence+1 { // those between were too old, or too many
			if err := yield(cluster.Message{Gap: true}); err != nil {
				return err
			}
		}
		*at = position{true, meta.Sequence.Stream, meta.Timestamp}
		return yield(cluster.Message{Data: m.Data()})
	})
}

// continues reports whether a stream goes on behind a position. One that was lost and made anew
// counts from the beginning, and may have as many messages by now: it has not the same.
func continues(ctx context.Context, s jetstream.Stream, now jetstream.StreamState, at position) bool {
	switch {
	case !at.begun || at.sequence == 0 || now.LastSeq < at.sequence:
		return false
	case now.LastSeq == at.sequence:
		return now.LastTime.Equal(at.time)
	}
	ctx, cancel := context.WithTimeout(ctx, callTime)
	defer cancel()
	m, err := s.GetMsg(ctx, at.sequence)
	return err == nil && m.Time.Equal(at.time)
}
