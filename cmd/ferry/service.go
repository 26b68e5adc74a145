package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"slices"
	"sync"
	"syscall"
	"time"

	"ferry/cmd/ferry/internal/logging"
	"ferry/cmd/ferry/internal/metricsbridge"
	"ferry/cmd/ferry/internal/places"
	"ferry/cmd/ferry/internal/rcbridge"
	"ferry/cmd/ferry/internal/systemd"
	"ferry/config"
	"ferry/events"
	"ferry/ftp"
	"ferry/ui"
)

// A service is a server that runs until it is told to stop.
type service struct {
	server    *ftp.Server
	stack     *stack
	listeners []listener
	certs     *ftp.CertificateList // none without TLS
	acme      *acmeCerts           // those of certs that an authority gives by itself
	control   *rcbridge.Control    // nil without remote control
	page      *ui.Page             // nil without remote control
	public    publicIPs            // nil where PASV announces the address of the control connection
	log       *slog.Logger
	logFile   *logging.File // nil = the log goes to standard error
	signals   <-chan os.Signal
	draining  *draining
	grace     time.Duration // for running transfers when it stops
	flush     time.Duration // for what waits for the remote, after that
	watch     *watch
	watched   *metricsbridge.Bridge
	listening *listenings
	manager   *systemd.Manager
	peers     *peers    // nil = there are no other nodes
	accounts  *accounts // nil = one user, that of the flags
	handing   *handing  // nil = what waits stays here
	places    places.Dirs
	feeds     *feeds
	beside    background // of the stack
	began     time.Time  // when it listens
	stopping  time.Time  // when the stop began; zero before
	abandoned bool       // after run: something of it still goes on
	atOnce    bool       // a signal asked for the end at once
	stats     stats
	unwatch   func()     // ends looking at the files of certs
	reloading *reloading // nil = all flags are of the command line and the environment
}

// stoppedAtOnce is the error of an end that did not wait for so many transfers.
func stoppedAtOnce(transfers int) error {
	if transfers == 0 {
		return errors.New("stopped at once: no transfer was running")
	}
	return fmt.Errorf("stopped at once: %d running transfers were aborted", transfers)
}

// run serves until a signal, the end of ctx or a listener that fails. It takes over the listeners.
// It returns nil after an orderly stop.
func (s *service) run(ctx context.Context) error {
	var telling sync.WaitGroup
	defer telling.Wait()
	over, end := context.WithCancel(context.WithoutCancel(ctx)) // ends after await
	defer end()
	// The end of ctx asks for an orderly stop; sessions end when that is over.
	running, cancel := context.WithCancel(context.WithoutCancel(ctx))
	telling.Go(func() { s.peers.stay(over) })
	var wg sync.WaitGroup
	defer s.endHandover(ctx)
	defer s.await(&wg)
	defer cancel()

	recordRenewals(running, s.listening.events(), s.keyPairs()...)
	s.began = time.Now()
	s.listening.answerHooks(running, s.stack, s.accounts)
	s.happened(running, events.Start)
	defer s.happened(running, events.Stop)
	failed := make(chan error, len(s.listeners)+s.listening.count()+4)
	s.start(running, &wg, failed)
	stop := func() error {
		telling.Go(func() { s.manager.Stopping(over, s.status) })
		return s.stop(running)
	}
	for {
		select {
		case err := <-failed:
			s.server.Close()
			return err
		case status := <-s.control.Quitting():
			return errors.Join(stop(), exitStatus(status).err())
		case <-ctx.Done():
			return stop()
		case sig := <-s.signals:
			if sig != syscall.SIGHUP {
				return stop()
			}
			s.manager.Reloading()
			s.reload(running, &wg)
			s.manager.Ready()
		}
	}
}

// start starts all that goes on until ctx ends; failed gets what ends it before.
func (s *service) start(ctx context.Context, wg *sync.WaitGroup, failed chan<- error) {
	s.control.Announce(ctx)
	for _, l := range s.listeners {
		wg.Go(func() { failed <- s.serve(ctx, l) })
		s.log.Log(ctx, logging.Notice, "serving FTP on "+l.url())
		s.tellReached(ctx, l)
	}
	if s.public != nil {
		wg.Go(func() { s.public.check(ctx, s.log) })
	}
	wg.Go(func() { s.drainWhenAsked(ctx) })
	wg.Go(func() { s.takeOver(ctx) })
	wg.Go(func() { s.stats.run(ctx) })
	s.watchPairs(ctx, wg)
	wg.Go(func() { s.acme.run(ctx) })
	s.watch.run(ctx, wg)
	s.listening.run(ctx, wg, func(err error) { failed <- err })
	wg.Go(func() { s.accounts.run(ctx, s.server) })
	wg.Go(func() { s.feeds.set().Run(ctx) })
	wg.Go(func() { s.peers.run(ctx) })
	wg.Go(func() { s.beside.run(ctx, func(err error) { failed <- err }) })
	wg.Go(func() {
		if err := s.watched.Run(ctx); err != nil {
			failed <- err
		}
	})
	wg.Go(func() {
		if err := s.control.Run(ctx); err != nil {
			failed <- err
		}
	})
	if s.page != nil {
		wg.Go(func() { _ = s.page.Run(ctx) }) // it returns when ctx has ended
	}
	s.manager.Ready()
	wg.Go(func() { s.manager.Run(ctx, s.health, s.status) })
}

// leastWait is how long the end waits at least for what was cancelled.
const leastWait = time.Second

// await waits for what was cancelled, within the time of grace: what was asked of the remote may
// take its time to be answered, and is noted in the cache.
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
		s.log.Warn("stopped without waiting any longer for answers of the remote")
	}
}

// tellReached logs what to type into a device, where the address of l says nothing of it.
func (s *service) tellReached(ctx context.Context, l listener) {
	for _, at := range l.reached() {
		if at == l.Addr().String() {
			continue
		}
		if host, port, err := net.SplitHostPort(at); err == nil {
			s.log.Log(ctx, logging.Notice, "other devices reach it at", "address", host, "port", port)
		}
	}
}

func (s *service) serve(ctx context.Context, l listener) error {
	if l.implicitTLS {
		return s.server.ServeTLS(ctx, l)
	}
	return s.server.Serve(ctx, l)
}

// reload reads the server configuration again, opens the log file again, forgets what is remembered
// of directories and reads the certificate again.
func (s *service) reload(ctx context.Context, wg *sync.WaitGroup) {
	s.reloading.run(ctx, s, wg)
	if s.logFile != nil {
		if err := s.logFile.Reopen(); err != nil {
			s.log.ErrorContext(ctx, "the old log file stays", "error", err)
		} else {
			s.log.Log(ctx, logging.Notice, "opened the log file again", "file", s.logFile.Name)
		}
	}
	s.watch.reopen(ctx, s.log)
	s.listening.reopen(ctx, s.log)
	s.accounts.readAgain()
	s.forget()
	s.log.Log(ctx, logging.Notice, "forgot all directories")
	for _, pair := range s.keyPairs() {
		if pair.HasFiles() {
			s.reloadPair(ctx, pair)
		}
	}
	s.acme.retry()
}

// keyPairs returns all certificates, with that of the remote control.
func (s *service) keyPairs() []*ftp.KeyPair {
	pairs := slices.Clone(s.certs.All())
	if s.control != nil && s.control.Pair != nil {
		pairs = append(pairs, s.control.Pair)
	}
	return pairs
}

func (s *service) reloadPair(ctx context.Context, pair *ftp.KeyPair) {
	if err := pair.Reload(); err != nil {
		s.log.ErrorContext(ctx, "the old certificate stays", "error", err)
		return
	}
	s.log.Log(ctx, logging.Notice, "read the certificate again")
}

// announce lets health checks see for a while that the service is about to leave. It returns false
// if a signal asks for the end at once.
func (s *service) announce() bool {
	delay := s.draining.pause()
	if delay <= 0 {
		return true
	}
	s.log.Log(context.Background(), logging.Notice, "stopping soon: health checks are told so", "in", config.FormatDuration(delay))
	timer := time.NewTimer(delay)
	defer timer.Stop()
	for {
		select {
		case <-timer.C:
			return true
		case sig := <-s.signals:
			if sig != syscall.SIGHUP {
				return false
			}
		}
	}
}

// stop lets running transfers finish for the time of grace. Another signal ends that.
func (s *service) stop(ctx context.Context) error {
	refused := s.draining.stop()
	if !refused && !s.announce() {
		s.atOnce = true
		n := s.transfers()
		s.server.Close()
		return stoppedAtOnce(n)
	}
	s.stopping = time.Now()
	if !refused {
		s.happened(ctx, events.Drain)
	}
	s.log.Log(ctx, logging.Notice, "stopping: no new connections; running transfers may finish", "within", config.FormatDuration(s.grace))
	stopping, cancel := context.WithCancel(ctx)
	defer cancel()
	done := make(chan error, 1)
	go func() { done <- s.server.Shutdown(stopping) }()
	// cut aborts what still runs; it returns how many transfers that were, and whether anything had
	// to be cut.
	cut := func() (transfers int, anything bool) {
		transfers = s.transfers()
		cancel()
		return transfers, <-done != nil
	}
	grace := time.NewTimer(s.grace)
	defer grace.Stop()
	for {
		select {
		case <-done:
			return s.drain(ctx)
		case <-grace.C:
			if n, anything := cut(); anything && n > 0 {
				s.log.Log(ctx, logging.Notice, "stopped: aborted the transfers that were still running", "transfers", n)
			}
			return s.drain(ctx)
		case sig := <-s.signals:
			if sig == syscall.SIGHUP {
				continue
			}
			s.atOnce = true
			if n, anything := cut(); anything {
				return stoppedAtOnce(n)
			}
			s.flush = 0 // which is not waited for either
			return s.drain(ctx)
		}
	}
}
