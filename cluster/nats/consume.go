package nats

import (
	"context"
	"errors"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

const (
	heartbeat = 2 * time.Second // of a consumer; one that is silent for twice that is lost
	pull      = 10 * time.Second
	batch     = 256 // messages that are fetched ahead
	abandoned = time.Minute
)

var errOrder = errors.New("messages came out of order")

// consume yields what a new consumer delivers, in order and without a hole between, until ctx ends,
// the consumer is lost, or yield returns an error, which is its own. begun is called before, with
// how many messages wait.
func consume(ctx context.Context, s jetstream.Stream, config jetstream.ConsumerConfig, begun func(waiting uint64) error,
	yield func(jetstream.Msg, *jetstream.MsgMetadata) error) error {
	config.AckPolicy, config.MemoryStorage, config.Replicas = jetstream.AckNonePolicy, true, 1
	config.InactiveThreshold = abandoned
	creating, cancel := context.WithTimeout(ctx, callTime)
	defer cancel()
	c, err := s.CreateConsumer(creating, config)
	if err != nil {
		return err
	}
	if err := begun(c.CachedInfo().NumPending); err != nil {
		return err
	}
	all, err := c.Messages(jetstream.PullMaxMessages(batch), jetstream.PullExpiry(pull), jetstream.PullHeartbeat(heartbeat))
	if err != nil {
		return err
	}
	defer all.Stop()
	for next := uint64(1); ; next++ {
		m, err := all.Next(jetstream.NextContext(ctx))
		if err != nil {
			return err
		}
		meta, err := m.Metadata()
		if err != nil {
			return err
		}
		if meta.Sequence.Consumer != next {
			return errOrder
		}
		if err := yield(m, meta); err != nil {
			return err
		}
	}
}
