package nats

import (
	"context"
	"errors"
	"iter"
	"strings"
	"time"

	natsgo "github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"ferry/cluster"
)

// Headers of a message that is no value: a key was removed, or has expired.
const (
	operation = "KV-Operation"
	purge     = "PURGE"
	reason    = "Nats-Marker-Reason"
)

// Get implements cluster.Engine.
func (e *Engine) Get(ctx context.Context, bucket, key string) (cluster.Value, error) {
	l, err := e.linkFor(bucket, key)
	if err != nil {
		return cluster.Value{}, err
	}
	m, err := l.last(ctx, e.valueStream(bucket), e.key(bucket, key))
	if err != nil {
		return cluster.Value{}, meaning(ctx, err)
	}
	if isMarker(m.Header) {
		return cluster.Value{}, cluster.ErrNoValue
	}
	return value(key, m.Data, m.Sequence), nil
}

func (e *Engine) linkFor(bucket, key string) (*link, error) {
	if err := errors.Join(checkName("bucket", bucket), checkName("key", key)); err != nil {
		return nil, err
	}
	return e.now()
}

// last returns the last message of a subject, or cluster.ErrNoValue.
func (l *link) last(ctx context.Context, config jetstream.StreamConfig, subject string) (*jetstream.RawStreamMsg, error) {
	ctx, cancel := context.WithTimeout(ctx, callTime)
	defer cancel()
	ctx, cancelLink := l.during(ctx)
	defer cancelLink()
	s, err := l.known(ctx, config)
	if err != nil {
		return nil, err
	}
	m, err := s.GetLastMsgForSubject(ctx, subject)
	if errors.Is(err, jetstream.ErrMsgNotFound) || errors.Is(err, jetstream.ErrStreamNotFound) {
		err = cluster.ErrNoValue
	}
	return m, err
}

func isMarker(h natsgo.Header) bool { return h.Get(operation) != "" || h.Get(reason) != "" }

func value(key string, data []byte, revision uint64) cluster.Value {
	if data == nil {
		data = []byte{}
	}
	return cluster.Value{Key: key, Data: data, Revision: revision}
}

// Create implements cluster.Engine.
func (e *Engine) Create(ctx context.Context, bucket, key string, data []byte, life time.Duration) (uint64, error) {
	l, err := e.linkFor(bucket, key)
	if err != nil {
		return 0, err
	}
	config, m := e.valueStream(bucket), &message{subject: e.key(bucket, key), data: data, life: life, expects: true}
	revision, err := l.publish(ctx, config, m)
	if !errors.Is(err, cluster.ErrConflict) {
		return revision, meaning(ctx, err)
	}
	// There may be what is left of an old value.
	old, err := l.last(ctx, config, m.subject)
	switch {
	case errors.Is(err, cluster.ErrNoValue):
	case err != nil:
		return 0, meaning(ctx, err)
	case !isMarker(old.Header):
		return 0, cluster.ErrConflict
	default:
		m.revision = old.Sequence
	}
	revision, err = l.publish(ctx, config, m)
	return revision, meaning(ctx, err)
}

// Update implements cluster.Engine.
func (e *Engine) Update(ctx context.Context, bucket, key string, data []byte, revision uint64, life time.Duration) (uint64, error) {
	l, err := e.linkFor(bucket, key)
	if err != nil {
		return 0, err
	}
	if revision == 0 {
		return 0, cluster.ErrConflict
	}
	m := &message{subject: e.key(bucket, key), data: data, life: life, expects: true, revision: revision}
	if m.removes = data == nil; m.removes {
		m.life = markersKept
	}
	revision, err = l.publish(ctx, e.valueStream(bucket), m)
	return revision, meaning(ctx, err)
}

// Watch implements cluster.Engine.
func (e *Engine) Watch(ctx context.Context, bucket string) iter.Seq2[cluster.Value, error] {
	return func(yield func(cluster.Value, error) bool) {
		if err := checkName("bucket", bucket); err != nil {
			yield(cluster.Value{}, err)
			return
		}
		again(ctx, e, "values", yield, func(ctx context.Context, l *link, yield func(cluster.Value) error) error {
			return e.look(ctx, l, bucket, yield)
		})
	}
}

// look yields the values of a bucket, and what changes, as long as a link lasts.
func (e *Engine) look(ctx context.Context, l *link, bucket string, yield func(cluster.Value) error) error {
	s, err := l.fresh(ctx, e.valueStream(bucket))
	if err != nil {
		return err
	}
	begins := true
	begun := func(waiting uint64) error {
		if waiting > 0 {
			return nil
		}
		begins = false
		return yield(cluster.Value{})
	}
	config := jetstream.ConsumerConfig{DeliverPolicy: jetstream.DeliverLastPerSubjectPolicy, FilterSubject: e.key(bucket, ">")}
	return consume(ctx, s, config, begun, func(m jetstream.Msg, meta *jetstream.MsgMetadata) error {
		v := value(strings.TrimPrefix(m.Subject(), e.key(bucket, "")), m.Data(), meta.Sequence.Stream)
		if isMarker(m.Headers()) {
			v.Data = nil
		}
		if v.Data != nil || !begins {
			if err := yield(v); err != nil {
				return err
			}
		}
		if begins && meta.NumPending == 0 {
			begins = false
			return yield(cluster.Value{})
		}
		return nil
	})
}
