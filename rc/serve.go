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
	return Serve(ctx, s, s.Close, s.log, s.opt.MaxConnections, listeners...)
}

// Serve answers requests by handler as Server.Serve does, and calls end when no more are answered.
// most limits concurrent connections, 0 = no limit.
func Serve(ctx context.Context, handler http.Handler, end func(), log *slog.Logger, most int, listeners ...net.Listener) error {
	h := &http.Server{
		Handler:           handler,
		ReadHeaderTimeout: headerTimeout,
		ReadTimeout:       callTimeout,
		WriteTimeout:      callTimeout,
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    64 << 10,
		ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelDebug),
	}
	var free chan struct{}
	if most > 0 {
		free = make(chan struct{}, most)
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
	end()
	wait.Wait()
	return err
}
