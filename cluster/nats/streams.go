package nats

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

const (
	messagesKept = 10 * time.Minute // so long may a node be cut off and miss nothing
	messageBytes = 16 << 20         // of a subject that are kept at most
	markersKept  = time.Minute      // of values that were removed or have expired
	replicas     = 3                // of a stream, where NATS is a cluster
)

// messageStream describes the stream of a subject.
func (e *Engine) messageStream(subject string) jetstream.StreamConfig {
	return jetstream.StreamConfig{
		Name: e.o.Name + "-" + subject, Subjects: []string{e.subject(subject)}, Description: "messages of ferry",
		Storage: jetstream.MemoryStorage, MaxAge: messagesKept, MaxBytes: messageBytes, MaxMsgs: -1, MaxConsumers: -1, MaxMsgSize: -1,
		Discard: jetstream.DiscardOld, Duplicates: time.Second,
	}
}

// subject returns what a subject is called at the server.
func (e *Engine) subject(subject string) string { return e.o.Name + ".node." + subject }

// valueStream describes the stream of a bucket. Reads that any server answers from what it has
// (AllowDirect) may be stale, so they are left to the leader.
func (e *Engine) valueStream(bucket string) jetstream.StreamConfig {
	return jetstream.StreamConfig{
		Name: "KV_" + e.bucket(bucket), Subjects: []string{e.key(bucket, ">")}, Description: "state of ferry",
		Storage: jetstream.FileStorage, MaxMsgsPerSubject: 1, MaxBytes: -1, MaxMsgs: -1, MaxConsumers: -1, MaxMsgSize: -1,
		Discard: jetstream.DiscardNew, AllowRollup: true, DenyDelete: true, Duplicates: time.Second,
		AllowMsgTTL: true, SubjectDeleteMarkerTTL: markersKept,
	}
}

func (e *Engine) bucket(bucket string) string { return e.o.Name + "-" + bucket }

func (e *Engine) key(bucket, key string) string { return "$KV." + e.bucket(bucket) + "." + key }

// known returns a stream, without asking where it was there before.
func (l *link) known(ctx context.Context, config jetstream.StreamConfig) (jetstream.Stream, error) {
	l.mu.Lock()
	s := l.streams[config.Name]
	l.mu.Unlock()
	if s != nil {
		return s, nil
	}
	return l.stream(ctx, config)
}

// fresh returns a stream with what there is to say of it now.
func (l *link) fresh(ctx context.Context, config jetstream.StreamConfig) (jetstream.Stream, error) {
	ctx, cancel := context.WithTimeout(ctx, callTime)
	defer cancel()
	return l.stream(ctx, config)
}

// stream asks for a stream, which is made where it is missing.
func (l *link) stream(ctx context.Context, config jetstream.StreamConfig) (jetstream.Stream, error) {
	s, err := l.js.Stream(ctx, config.Name)
	switch {
	case errors.Is(err, jetstream.ErrStreamNotFound):
		s, err = l.create(ctx, config)
	case err == nil:
		err = l.check(ctx, s.CachedInfo(), config)
	}
	if err != nil {
		return nil, err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.streams[config.Name] = s
	return s, nil
}

// create makes a stream with a copy on three servers, or where NATS has less than that on one.
func (l *link) create(ctx context.Context, config jetstream.StreamConfig) (jetstream.Stream, error) {
	var err error
	for _, config.Replicas = range []int{replicas, 1} {
		if config.Replicas > 1 && l.conn.ConnectedClusterName() == "" {
			continue
		}
		var s jetstream.Stream
		if s, err = l.js.CreateStream(ctx, config); err == nil {
			return s, nil
		}
		if errors.Is(err, jetstream.ErrStreamNameAlreadyInUse) { // another node was quicker
			return l.js.Stream(ctx, config.Name)
		}
	}
	return nil, err
}

// check looks at a stream that is there, made by another node or by hand. It gets its copies where
// NATS has become a cluster since.
func (l *link) check(ctx context.Context, info *jetstream.StreamInfo, want jetstream.StreamConfig) error {
	if have := info.Config; len(have.Subjects) != 1 || have.Subjects[0] != want.Subjects[0] || want.AllowMsgTTL && (!have.AllowMsgTTL || have.SubjectDeleteMarkerTTL <= 0) {
		return fmt.Errorf("the stream %s of NATS was not made by ferry: remove it, or choose another --cluster-name", want.Name)
	}
	l.mu.Lock()
	seen := l.streams[want.Name] != nil
	l.mu.Unlock()
	if !seen && l.conn.ConnectedClusterName() != "" && info.Config.Replicas < replicas {
		more := info.Config
		more.Replicas = replicas
		_, _ = l.js.UpdateStream(ctx, more) // as soon as there are enough servers
	}
	return nil
}
