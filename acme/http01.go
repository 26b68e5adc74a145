package acme

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/mholt/acmez/v3/acme"
)

// listenError says that the port of a challenge cannot be opened.
type listenError struct {
	addr string
	err  error
}

func (e *listenError) Error() string { return fmt.Sprintf("listening on %s: %v", e.addr, e.err) }
func (e *listenError) Unwrap() error { return e.err }

type listenFunc = func(ctx context.Context, addr string) ([]net.Listener, error)

// httpSolver answers HTTP-01: the authority fetches a file of the name's port 80.
type httpSolver struct {
	listen  listenFunc
	addr    string
	server  *http.Server
	serving sync.WaitGroup
}

// Present listens, and answers.
func (s *httpSolver) Present(ctx context.Context, c acme.Challenge) error {
	listeners, err := s.listen(ctx, s.addr)
	if err != nil {
		return &listenError{s.addr, err}
	}
	s.server = &http.Server{
		Handler:           answerTo(c),
		ReadHeaderTimeout: 10 * time.Second,
		MaxHeaderBytes:    16 << 10,
		ErrorLog:          log.New(io.Discard, "", 0), // of what others send
	}
	for _, l := range listeners {
		s.serving.Go(func() { _ = s.server.Serve(l) }) // it ends by Close
	}
	return nil
}

// CleanUp closes what Present has opened.
func (s *httpSolver) CleanUp(context.Context, acme.Challenge) error {
	if s.server == nil {
		return nil
	}
	err := s.server.Close()
	s.serving.Wait()
	s.server = nil
	if errors.Is(err, net.ErrClosed) {
		return nil
	}
	return err
}

// answerTo answers the one question of c, and no other.
func answerTo(c acme.Challenge) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		host := r.Host
		if h, _, err := net.SplitHostPort(host); err == nil {
			host = h
		}
		if r.URL.Path != c.HTTP01ResourcePath() || !strings.EqualFold(host, c.Identifier.Value) || r.Method != http.MethodGet && r.Method != http.MethodHead {
			http.Error(w, "An FTP server proves here for a moment that it has this name.", http.StatusNotFound)
			return
		}
		w.Header().Set("Content-Type", "text/plain")
		_, _ = io.WriteString(w, c.KeyAuthorization) // who asks sees what is missing
	})
}
