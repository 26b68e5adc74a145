package main

import (
	"context"
	"time"

	"ferry/events"
	"ferry/ftp"
)

// record brings a fact about the process to those who listen. One that cannot take note has logged
// it.
func record(ctx context.Context, stream *events.Stream, e *events.Event) { _ = stream.Record(ctx, e) }

// outcome says in e that something was done, or failed with err.
func outcome(e *events.Event, err error) *events.Event {
	if err != nil {
		e.Result, e.Cause = events.Failed, err.Error()
	}
	return e
}

// happened records a fact about the service as a whole.
func (s *service) happened(ctx context.Context, kind events.Kind) {
	e := &events.Event{Kind: kind}
	if kind == events.Stop {
		e.Duration = time.Since(s.began)
	}
	record(ctx, s.listening.events(), e)
}

// recordRenewals has it recorded when a certificate is replaced, or cannot be.
func recordRenewals(ctx context.Context, stream *events.Stream, certs ...*ftp.KeyPair) {
	if !stream.Wants(events.CertRenewed) {
		return
	}
	for _, pair := range certs {
		pair.Reloaded = func(err error) {
			e := &events.Event{Kind: events.CertRenewed, ModTime: pair.Expires()}
			if names := pair.Names(); len(names) > 0 {
				e.Path = names[0]
			}
			record(ctx, stream, outcome(e, err))
		}
	}
}
