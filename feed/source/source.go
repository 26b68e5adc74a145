// Package source has the places where notifications of object stores come from, each a feed.Source.
// Every process is told of everything: a stream is read by each from where it is now, and of a
// queue each has its own. The files, in reading order:
//
//	source.go   Open
//	nats.go     a subject of NATS; jetstream.go: one that JetStream keeps
//	kafka.go    a topic of Kafka
//	webhook.go  an address that senders post to; hello.go how some of them begin
//	sqs.go      a queue of Amazon SQS
//	pubsub.go   a subscription of Google Pub/Sub
//	azqueue.go  a queue of Azure Storage
//	queue.go    what is common to queues
//	call.go     requests, and what else several need
package source

import (
	"fmt"

	"ferry/feed"
	"ferry/remote/network"
)

// Open returns the source that a URL names. It connects to nothing yet. An error is one line that
// shows no secret.
func Open(u feed.URL, n network.Options) (feed.Source, error) {
	switch u.Kind {
	case "nats":
		return newNATS(u, n)
	case "kafka":
		return newKafka(u, n)
	case "sqs":
		return newSQS(u, n)
	case "pubsub":
		return newPubSub(u, n)
	case "azqueue":
		return newAzureQueue(u, n)
	case "webhook":
		return newWebhook(u, n)
	}
	return nil, fmt.Errorf("there is no source of the kind %q", u.Kind)
}
