package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"sync"
	"syscall"
	"time"

	"ferry/config"
	"ferry/ftp"
	"ferry/vfs"
)

// A service is a server that runs until it is told to stop.
type service struct {
	server    *ftp.Server
	tree      *vfs.FS
	listeners []listener
	pair      *ftp.KeyPair   // nil without TLS
	control   *remoteControl // nil without remote control
	public    *publicIP      // nil where PASV announces the address of the control connection
	log       *slog.Logger
	signals   <-chan os.Signal
	grace     time.Duration // for running transfers when it stops
	flush     time.Duration // for what waits for the remote, after that
	polling   polling
	root      *rootCheck
	stopping  time.Time // when the stop began; zero before
	abandoned bool      // after run: something of it still goes on
	stats     stats
	warm      int // how many directories are listed at a time at the start; 0 = none
}

var errStoppedAtOnce = errors.New("stopped at once: running transfers were aborted")

// run serves until a signal, the end of ctx or a listener that fails. It takes over the listeners. It returns nil after
// an orderly stop.
func (s *service) run(ctx context.Context) error {
	// The end of ctx asks for an orderly stop; sessions end when that is over.
	running, cancel := context.WithCancel(context.WithoutCancel(ctx))
	var wg sync.WaitGroup
	defer s.await(&wg)
	defer cancel()

	failed := make(chan error, len(s.listeners)+3)
	s.control.announce(running)
	for _, l := range s.listeners {
		wg.Go(func() { failed <- s.serve(running, l) })
		s.log.Log(running, levelNotice, "Serving FTP on "+l.url())
		s.tellReached(running, l)
	}
	if s.public != nil {
		wg.Go(func() { s.public.check(running, s.log) })
	}
	wg.Go(func() { s.stats.run(running) })
	if s.pair != nil {
		wg.Go(func() { _ = s.pair.Run(running) }) // it returns when running has ended
	}
	wg.Go(func() {
		if err := s.root.finish(running); err != nil {
			failed <- err
		}
	})
	settled := make(chan struct{})
	wg.Go(func() { s.watch(running, settled) })
	if s.warm > 0 {
		wg.Go(func() {
			settle(running, settled)
			s.refresh(running)
		})
	}
	wg.Go(func() {
		if err := s.tree.Run(running); err != nil {
			failed <- fmt.Errorf("the cache: %w", err)
		}
	})
	wg.Go(func() {
		if err := s.control.run(running); err != nil {
			failed <- err
		}
	})
	for {
		select {
		case err := <-failed:
			s.server.Close()
			return err
		case status := <-s.control.quitting():
			return errors.Join(s.stop(running), exitStatus(status).err())
		case <-ctx.Done():
			return s.stop(running)
		case sig := <-s.signals:
			if sig != syscall.SIGHUP {
				return s.stop(running)
			}
			s.reload(running)
		}
	}
}

// leastWait is how long the end waits at least for what was cancelled.
const leastWait = time.Second

// await waits for what was cancelled, within the time of grace: what was asked of the remote may take its time to be
// answered, and is noted in the cache.
func (s *service) await(wg *sync.WaitGroup) {
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		wg.Wait()
	}()
	left := s.grace
	if !s.stopping.IsZero() {
		left -= time.Since(s.stopping)
	}
	select {
	case <-ended:
	case <-time.After(max(left, leastWait)):
		s.abandoned = true
		s.log.Warn("Stopped without waiting any longer for answers of the remote")
	}
}

// tellReached logs what to type into a device, where the address of l says nothing of it.
func (s *service) tellReached(ctx context.Context, l listener) {
	for _, at := range l.reached() {
		if at == l.Addr().String() {
			continue
		}
		if host, port, err := net.SplitHostPort(at); err == nil {
			s.log.Log(ctx, levelNotice, "Other devices reach it at", "address", host, "port", port)
		}
	}
}

func (s *service) serve(ctx context.Context, l listener) error {
	if l.implicitTLS {
		return s.server.ServeTLS(ctx, l)
	}
	return s.server.Serve(ctx, l)
}

// reload forgets what is remembered of directories and reads the certificate again.
func (s *service) reload(ctx context.Context) {
	s.tree.Forget()
	s.log.Log(ctx, levelNotice, "Forgot all directories")
	s.reloadPair(ctx, s.pair)
	if s.control != nil {
		s.reloadPair(ctx, s.control.pair)
	}
}

func (s *service) reloadPair(ctx context.Context, pair *ftp.KeyPair) {
	if pair == nil {
		return
	}
	if err := pair.Reload(); err != nil {
		s.log.ErrorContext(ctx, "The old certificate stays", "error", err)
		return
	}
	s.log.Log(ctx, levelNotice, "Read the certificate again")
}

// stop lets running transfers finish for the time of grace. Another signal ends that.
func (s *service) stop(ctx context.Context) error {
	s.stopping = time.Now()
	s.log.Log(ctx, levelNotice, "Stopping: no new connections; running transfers may finish", "within", config.FormatDuration(s.grace))
	ctx, cancel := context.WithTimeout(ctx, s.grace)
	defer cancel()
	done := make(chan error, 1)
	go func() { done <- s.server.Shutdown(ctx) }()
	for {
		select {
		case err := <-done:
			if err != nil {
				s.log.Log(context.WithoutCancel(ctx), levelNotice, "Stopped: aborted the transfers that were still running")
			}
			return s.drain(context.WithoutCancel(ctx))
		case sig := <-s.signals:
			if sig == syscall.SIGHUP {
				continue
			}
			cancel()
			<-done
			return errStoppedAtOnce
		}
	}
}
