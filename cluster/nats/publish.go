package nats

import (
	"context"
	"time"

	natsgo "github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"ferry/cluster"
)

// A message is what is published: a message of a subject, or a value.
type message struct {
	subject  string
	data     []byte
	life     time.Duration // 0 = as long as the stream keeps it
	expects  bool          // that the subject has revision
	revision uint64        // 0 = none
	removes  bool          // the value
}

// publish adds a message to a stream, and makes that where it is missing. It returns the number of
// the message, or cluster.ErrConflict.
func (l *link) publish(ctx context.Context, config jetstream.StreamConfig, m *message) (uint64, error) {
	ctx, cancel := context.WithTimeout(ctx, callTime)
	defer cancel()
	ctx, cancelLink := l.during(ctx)
	defer cancelLink()
	if _, err := l.known(ctx, config); err != nil {
		return 0, err
	}
	sequence, err := l.send(ctx, config.Name, m)
	if lacksStream(err) {
		if _, err := l.stream(ctx, config); err != nil {
			return 0, err
		}
		sequence, err = l.send(ctx, config.Name, m)
	}
	if isConflict(err) {
		err = cluster.ErrConflict
	}
	return sequence, err
}

func (l *link) send(ctx context.Context, stream string, m *message) (uint64, error) {
	msg := natsgo.NewMsg(m.subject)
	msg.Data = m.data
	options := []jetstream.PublishOpt{jetstream.WithRetryAttempts(0), jetstream.WithExpectStream(stream)}
	if m.expects {
		options = append(options, jetstream.WithExpectLastSequencePerSubject(m.revision))
	}
	if m.life > 0 { // whole seconds, and at least one
		options = append(options, jetstream.WithMsgTTL((m.life + time.Second - 1).Truncate(time.Second)))
	}
	if m.removes {
		msg.Header.Set(operation, purge)
		msg.Header.Set(jetstream.MsgRollup, jetstream.MsgRollupSubject)
	}
	ack, err := l.js.PublishMsg(ctx, msg, options...)
	if err != nil {
		return 0, err
	}
	return ack.Sequence, nil
}
