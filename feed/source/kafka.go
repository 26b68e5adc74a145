package source

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
	"github.com/twmb/franz-go/pkg/sasl"
	"github.com/twmb/franz-go/pkg/sasl/plain"
	"github.com/twmb/franz-go/pkg/sasl/scram"

	"ferry/feed"
	"ferry/remote/network"
)

const (
	// kafkaLook is how often the brokers are asked whether they are there, and how many partitions
	// the topic has.
	kafkaLook = 30 * time.Second
	// kafkaAnswer is how long they may take to answer.
	kafkaAnswer = 20 * time.Second
)

// kafkaSource is a topic of Kafka. It is read without a group, from the end of all partitions, so
// that every process gets everything.
type kafkaSource struct {
	topic   string
	options []kgo.Opt
	look    time.Duration
}

func newKafka(u feed.URL, n network.Options) (*kafkaSource, error) {
	s := &kafkaSource{topic: u.Path, look: kafkaLook}
	s.options = []kgo.Opt{
		kgo.SeedBrokers(u.Hosts...), kgo.ClientID("ferry"), kgo.Dialer(n.Dial), kgo.DisableClientMetrics(),
		kgo.ConsumeResetOffset(kgo.NoResetOffset()), // what is not there any more is an error, and so noticed
		kgo.RetryTimeout(kafkaAnswer), kgo.FetchMaxBytes(8 << 20), kgo.BrokerMaxReadBytes(64 << 20),
	}
	if secure(u, false) {
		s.options = append(s.options, kgo.DialTLSConfig(n.Config()))
	}
	if m := mechanism(u); m != nil {
		s.options = append(s.options, kgo.SASL(m))
	}
	return s, nil
}

// mechanism is how the user logs in, nil where there is none.
func mechanism(u feed.URL) sasl.Mechanism {
	if u.User == "" {
		return nil
	}
	switch u.Options["sasl"] {
	case "scram-sha-256":
		return scram.Auth{User: u.User, Pass: u.Password}.AsSha256Mechanism()
	case "scram-sha-512":
		return scram.Auth{User: u.User, Pass: u.Password}.AsSha512Mechanism()
	}
	return plain.Auth{User: u.User, Pass: u.Password}.AsMechanism()
}

// Listen implements feed.Source. The client finds its way back to brokers by itself; whatever it
// cannot go on after ends it.
func (s *kafkaSource) Listen(ctx context.Context, f *feed.Feed) error {
	ends, err := s.ends(ctx)
	if err != nil {
		return err
	}
	from, next := map[int32]kgo.Offset{}, map[int32]int64{}
	for partition, end := range ends {
		from[partition], next[partition] = kgo.NewOffset().At(end), end
	}
	client, err := kgo.NewClient(append(s.options[:len(s.options):len(s.options)], kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{s.topic: from}))...)
	if err != nil {
		return err
	}
	defer client.Close()
	f.Begun(true)
	for {
		if err := s.poll(ctx, client, next, f); err != nil {
			return err
		}
		now, err := s.partitions(ctx, client)
		switch {
		case err != nil:
			return err
		case len(now) != len(next):
			return fmt.Errorf("the topic %s has %d partitions now", s.topic, len(now)) // it begins again with all
		}
	}
}

// poll brings records for a while. next is the number of the next one in each partition.
func (s *kafkaSource) poll(ctx context.Context, client *kgo.Client, next map[int32]int64, f *feed.Feed) error {
	own, cancel := context.WithTimeout(ctx, s.look)
	defer cancel()
	for {
		got := client.PollFetches(own)
		if own.Err() != nil && got.NumRecords() == 0 {
			return context.Cause(ctx)
		}
		for _, e := range got.Errors() {
			if !errors.Is(e.Err, context.DeadlineExceeded) {
				return e.Err
			}
		}
		got.EachRecord(func(r *kgo.Record) {
			if r.Offset != next[r.Partition] { // they are numbered without a hole
				f.Missed()
			}
			next[r.Partition] = r.Offset + 1
			f.Take(feed.Message{Body: r.Value})
		})
	}
}

// partitions lists those of the topic.
func (s *kafkaSource) partitions(ctx context.Context, client *kgo.Client) ([]int32, error) {
	ctx, cancel := context.WithTimeout(ctx, kafkaAnswer)
	defer cancel()
	ask := kmsg.NewPtrMetadataRequest()
	topic := kmsg.NewMetadataRequestTopic()
	topic.Topic = &s.topic
	ask.Topics = append(ask.Topics, topic)
	answer, err := ask.RequestWith(ctx, client)
	if err != nil {
		return nil, err
	}
	if len(answer.Topics) != 1 {
		return nil, fmt.Errorf("the topic %s is not told of", s.topic)
	}
	if err := kerr.ErrorForCode(answer.Topics[0].ErrorCode); err != nil {
		return nil, fmt.Errorf("the topic %s: %w", s.topic, err)
	}
	var all []int32
	for _, p := range answer.Topics[0].Partitions {
		all = append(all, p.Partition)
	}
	return all, nil
}

// ends returns the number of the next record of each partition.
func (s *kafkaSource) ends(ctx context.Context) (map[int32]int64, error) {
	client, err := kgo.NewClient(s.options...)
	if err != nil {
		return nil, err
	}
	defer client.Close()
	all, err := s.partitions(ctx, client)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, kafkaAnswer)
	defer cancel()
	ask := kmsg.NewPtrListOffsetsRequest()
	ask.ReplicaID = -1
	topic := kmsg.NewListOffsetsRequestTopic()
	topic.Topic = s.topic
	for _, number := range all {
		p := kmsg.NewListOffsetsRequestTopicPartition()
		p.Partition, p.Timestamp = number, -1 // the end
		topic.Partitions = append(topic.Partitions, p)
	}
	ask.Topics = append(ask.Topics, topic)
	answer, err := ask.RequestWith(ctx, client)
	if err != nil {
		return nil, err
	}
	ends := map[int32]int64{}
	for _, t := range answer.Topics {
		for _, p := range t.Partitions {
			if err := kerr.ErrorForCode(p.ErrorCode); err != nil {
				return nil, fmt.Errorf("the topic %s: %w", s.topic, err)
			}
			ends[p.Partition] = p.Offset
		}
	}
	if len(ends) != len(all) || len(all) == 0 {
		return nil, fmt.Errorf("the topic %s: only %d of %d partitions answer", s.topic, len(ends), len(all))
	}
	return ends, nil
}
