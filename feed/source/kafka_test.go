package source

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"ferry/remote"
)

// startKafka runs brokers with a topic of three partitions, and connects as a store does.
func startKafka(t *testing.T, more ...kfake.Opt) (brokers string, store *kgo.Client) {
	t.Helper()
	cluster, err := kfake.NewCluster(append(more, kfake.NumBrokers(2), kfake.SeedTopics(3, "s3"))...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(cluster.Close)
	brokers = strings.Join(cluster.ListenAddrs(), ",")
	if len(more) > 0 {
		return brokers, nil
	}
	store, err = kgo.NewClient(kgo.SeedBrokers(cluster.ListenAddrs()...), kgo.DefaultProduceTopic("s3"), kgo.RecordPartitioner(kgo.RoundRobinPartitioner()), kgo.ProducerLinger(0))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(store.Close)
	return brokers, store
}

func produce(t *testing.T, store *kgo.Client, keys ...string) {
	t.Helper()
	for _, key := range keys {
		if err := store.ProduceSync(t.Context(), kgo.StringRecord(event(key))).FirstErr(); err != nil {
			t.Fatal(err)
		}
	}
}

func TestATopicOfKafka(t *testing.T) {
	t.Parallel()
	brokers, store := startKafka(t)
	produce(t, store, "before", "before", "before")
	one, two := listen(t, "kafka://"+brokers+"/s3"), listen(t, "kafka://"+brokers+"/s3")
	for _, l := range []*listener{one, two} { // each gets everything
		l.wants(remote.Everything())
	}
	for n := range 6 { // in all partitions
		produce(t, store, fmt.Sprint(n))
		one.wants(stored(fmt.Sprint(n)))
		two.wants(stored(fmt.Sprint(n)))
	}
	one.wantsNothing()
}

func TestATopicThatGrows(t *testing.T) {
	t.Parallel()
	brokers, store := startKafka(t)
	s, ok := open(t, "kafka://"+brokers+"/s3").(*kafkaSource)
	if !ok {
		t.Fatal("it is none of Kafka")
	}
	s.look = 50 * time.Millisecond
	l := listenTo(t, s)
	l.wants(remote.Everything())
	grow := kmsg.NewPtrCreatePartitionsRequest()
	topic := kmsg.NewCreatePartitionsRequestTopic()
	topic.Topic, topic.Count = "s3", 4
	grow.Topics = append(grow.Topics, topic)
	if _, err := grow.RequestWith(t.Context(), store); err != nil {
		t.Fatal(err)
	}
	l.wants(remote.Everything())
	record := kgo.StringRecord(event("new"))
	record.Topic, record.Partition = "s3", 3
	manual, err := kgo.NewClient(kgo.SeedBrokers(strings.Split(brokers, ",")...), kgo.RecordPartitioner(kgo.ManualPartitioner()))
	if err != nil {
		t.Fatal(err)
	}
	defer manual.Close()
	if err := manual.ProduceSync(t.Context(), record).FirstErr(); err != nil {
		t.Fatal(err)
	}
	l.wants(stored("new"))
}

func TestATopicThatIsNotThere(t *testing.T) {
	t.Parallel()
	brokers, _ := startKafka(t)
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	err := open(t, "kafka://"+brokers+"/none").Listen(ctx, nil)
	if err == nil || !strings.Contains(err.Error(), "the topic none") {
		t.Error(err)
	}
}

func TestAUserOfKafka(t *testing.T) {
	t.Parallel()
	brokers, _ := startKafka(t, kfake.EnableSASL(), kfake.Superuser("SCRAM-SHA-256", "me", "s3cret"), kfake.Superuser("PLAIN", "me", "s3cret"))
	for _, way := range []string{"plain", "scram-sha-256"} {
		listen(t, "kafka://me:s3cret@"+brokers+"/s3?sasl="+way).wants(remote.Everything())
	}
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	wrong, ok := open(t, "kafka://me:wrong@"+brokers+"/s3").(*kafkaSource)
	if !ok {
		t.Fatal("it is none of Kafka")
	}
	wrong.options = append(wrong.options, kgo.RetryTimeout(time.Second)) // it is tried again
	if err := wrong.Listen(ctx, nil); err == nil || ctx.Err() != nil || strings.Contains(err.Error(), "wrong@") {
		t.Errorf("a wrong password: %v", err)
	}
}
