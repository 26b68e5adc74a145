package rc

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"
)

const (
	headerTimeout = 10 * time.Second
	idleTimeout   = 2 * time.Minute
	// callTimeout bounds a synchronous call, as in rclone. Longer calls use _async. It is also the
	// read timeout, after which net/http ends the context of the call.
	callTimeout = time.Hour
	// lastAnswers is how long running requests may take when the server stops.
	lastAnswers = 2 * time.Second
)

// Serve answers requests on all listeners until ctx ends or one of them fails, and closes the
// Server then. It takes over the listeners. It returns nil when ctx has ended.
func (s *Server) Serve(ctx context.Context, listeners ...net.Listener) error {
	h := &http.Server{
		Handler:           s,
		ReadHeaderTimeout: headerTimeout,
		ReadTimeout:       callTimeout,
		WriteTimeout:      callTimeout,
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    64 << 10,
		ErrorLog:          slog.NewLogLogger(s.log.Handler(), slog.LevelDebug),
	}
	var free chan struct{}
	if s.opt.MaxConnections > 0 {
		free = make(chan struct{}, s.opt.MaxConnections)
	}
	failed := make(chan error, len(listeners))
	var wait sync.WaitGroup
	for _, l := range listeners {
		wait.Go(func() { failed <- h.Serve(limited{l, free}) })
	}
	var err error
	select {
	case <-ctx.Done():
	case err = <-failed:
	}
	stop, cancel := context.WithTimeout(context.WithoutCancel(ctx), lastAnswers)
	defer cancel()
	if h.Shutdown(stop) != nil {
		err = errors.Join(err, h.Close())
	}
	s.Close()
	wait.Wait()
	return err
}
