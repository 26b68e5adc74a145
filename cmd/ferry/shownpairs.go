package main

import (
	"context"
	"sync"

	"ferry/ftp"
)

// watchPairs reads the files of the certificates again when they change, in place of those before.
func (s *service) watchPairs(ctx context.Context, wg *sync.WaitGroup) {
	if s.unwatch != nil {
		s.unwatch()
	}
	ctx, s.unwatch = context.WithCancel(ctx)
	for _, pair := range s.certs.All() {
		wg.Go(func() { _ = pair.Run(ctx) }) // it returns when ctx has ended
	}
}

// showPairs shows clients pairs in place of those of files before.
func (s *service) showPairs(ctx context.Context, pairs ftp.Certificates, wg *sync.WaitGroup) {
	recordRenewals(ctx, s.listening.events(), pairs...)
	s.certs.Set(append(pairs, s.acme.certificates()...))
	s.watchPairs(ctx, wg)
}
