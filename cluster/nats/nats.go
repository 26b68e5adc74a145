// Package nats is the engine that nodes share on servers of NATS with JetStream.
//
// Messages of a subject are a stream in memory, which keeps them for some minutes, so that who was
// cut off for less misses nothing. The values of a bucket are a stream on disk, in the form of
// NATS's own key-value buckets, so that its tools show them. Both are made when they are missing,
// by whichever node comes first: a server that has lost all is as good as a new one.
//
// The files, in which calls lead only to files below:
//
//	messages values         Publish and Subscribe; Get, Create, Update and Watch
//	again consume publish   one link after the other; a stream is read, and written, by one of them
//	streams                 makes streams
//	nats                    the connection, and what there is to say of it
//	errors                  what errors of the library mean
package nats

import (
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"strings"
	"sync"
	"time"

	natsgo "github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"ferry/cluster"
	"ferry/cluster/nats/cause"
)

// Options say where the engine is.
type Options struct {
	Servers []string // URLs, which may hold users and passwords
	Name    string   // what the nodes have in common; names of streams begin with it
	Node    string   // how the servers call the connection
	Creds   string   // file of credentials; "" = none
	CA      string   // file of certificates (PEM); "" = those of the system
	Log     *slog.Logger
}

const (
	dialTime    = 2 * time.Second // for a connection to come about
	callTime    = 3 * time.Second // for an answer
	pingTime    = 5 * time.Second // between signs of life; three that are missing end a connection
	shortWait   = 50 * time.Millisecond
	longestWait = 2 * time.Second // between attempts to connect, and to do what has failed
	complaints  = time.Minute     // between two lines of the log about errors that servers tell
)

// Engine is a cluster.Engine on NATS. It connects while Run runs.
type Engine struct {
	o   Options
	tls *tls.Config // nil = as the URLs say

	mu      sync.Mutex
	changed chan struct{} // closed when link changes
	link    *link         // nil = there is none
	problem error         // why
	seen    bool          // that there is none was told

	refused    error     // guarded by mu; what the user has no right to, nil = nothing is known of that
	complained time.Time // guarded by mu; when an error that a server has told was logged
}

// A link is a connection as long as it lasts.
type link struct {
	js      jetstream.JetStream
	conn    *natsgo.Conn
	times   uint64        // how often conn was connected again
	gone    chan struct{} // closed at its end
	mu      sync.Mutex
	streams map[string]jetstream.Stream // those that were there
}

// State is what there is to say of the connection.
type State struct {
	Reached bool
	Server  string // address of the one that is connected
	Version string // of it
	Problem string // why it is not reached
	Refused string // what the user was found to have no right to since it was; "" = nothing
}

// New returns an Engine. It does not connect; its error is that of a file that the options name.
func New(o Options) (*Engine, error) {
	e := &Engine{o: o, changed: make(chan struct{})}
	if o.Creds != "" {
		if _, err := os.ReadFile(o.Creds); err != nil {
			return nil, fmt.Errorf("--cluster-creds: %w", err)
		}
	}
	if o.CA != "" {
		pem, err := os.ReadFile(o.CA)
		if err != nil {
			return nil, fmt.Errorf("--cluster-ca: %w", err)
		}
		e.tls = &tls.Config{RootCAs: x509.NewCertPool()}
		if !e.tls.RootCAs.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("--cluster-ca %q: there is no certificate in it", o.CA)
		}
	}
	return e, nil
}

// Run connects, again and again where it has to, until ctx ends. That there is no connection, and
// that it is back, is logged once each.
func (e *Engine) Run(ctx context.Context) error {
	for {
		if err := e.keep(ctx); err != nil || ctx.Err() != nil {
			return cmp.Or(context.Cause(ctx), err)
		}
		select {
		case <-ctx.Done():
		case <-time.After(longestWait):
		}
	}
}

// keep keeps one connection until ctx ends, or the library has given it up, as after some errors of
// the server.
func (e *Engine) keep(ctx context.Context) error {
	signal := func() (chan struct{}, func(*natsgo.Conn)) {
		c := make(chan struct{}, 1)
		return c, func(*natsgo.Conn) {
			select {
			case c <- struct{}{}:
			default: // it is looked at soon
			}
		}
	}
	connected, up := signal()
	closed, given := signal()
	conn, err := natsgo.Connect(strings.Join(e.o.Servers, ","), append(e.connectOptions(ctx, up), natsgo.ClosedHandler(given))...)
	if err != nil {
		return fmt.Errorf("--cluster: %w", cause.Of(err))
	}
	defer func() {
		conn.Close()
		e.down(nil)
	}()
	if conn.Status() == natsgo.CONNECTED {
		up(conn)
	}
	var again <-chan time.Time
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-closed:
			return nil
		case <-connected:
		case <-again:
		}
		again = nil
		if err := e.use(ctx, conn); err != nil && ctx.Err() == nil {
			e.down(err)
			again = time.After(longestWait)
		}
	}
}

// connectOptions says how connections are made, kept and told of.
func (e *Engine) connectOptions(ctx context.Context, up func(*natsgo.Conn)) []natsgo.Option {
	all := []natsgo.Option{
		natsgo.Name("ferry " + e.o.Node), natsgo.SetCustomDialer(dialer(func(network, address string) (net.Conn, error) {
			d := net.Dialer{Timeout: dialTime}
			return d.DialContext(ctx, network, address)
		})),
		natsgo.Timeout(dialTime), natsgo.RetryOnFailedConnect(true), natsgo.MaxReconnects(-1),
		natsgo.CustomReconnectDelay(wait), natsgo.ReconnectBufSize(-1), natsgo.IgnoreAuthErrorAbort(),
		natsgo.PingInterval(pingTime), natsgo.MaxPingsOutstanding(2), natsgo.NoCallbacksAfterClientClose(),
		natsgo.ConnectHandler(up), natsgo.ReconnectHandler(up),
		natsgo.DisconnectErrHandler(func(c *natsgo.Conn, err error) { e.down(cmp.Or(err, c.LastError(), errClosed)) }),
		natsgo.ReconnectErrHandler(func(_ *natsgo.Conn, err error) {
			if !errors.Is(err, natsgo.ErrNoServers) { // the next one says why
				e.down(err)
			}
		}),
		natsgo.ErrorHandler(func(_ *natsgo.Conn, _ *natsgo.Subscription, err error) { e.complain(ctx, err) }),
	}
	if e.o.Creds != "" {
		all = append(all, natsgo.UserCredentials(e.o.Creds))
	}
	if e.tls != nil {
		all = append(all, natsgo.Secure(e.tls))
	}
	return all
}

// errClosed is why there is no connection where the library does not say.
var errClosed = errors.New("the connection was closed")

// A dialer is a natsgo.CustomDialer.
type dialer func(network, address string) (net.Conn, error)

// Dial implements natsgo.CustomDialer.
func (d dialer) Dial(network, address string) (net.Conn, error) { return d(network, address) }

// complain notes what a server says of something that it does not do. It may say the same each time
// that something is tried.
func (e *Engine) complain(ctx context.Context, err error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if errors.Is(err, natsgo.ErrPermissionViolation) {
		e.refused = cause.Of(err)
	}
	if time.Since(e.complained) < complaints {
		return
	}
	e.complained = time.Now()
	e.o.Log.WarnContext(ctx, "the engine that nodes share reports an error", "error", cause.Of(err))
}

// wait is how long is waited before another attempt.
func wait(attempts int) time.Duration {
	return min(shortWait<<min(max(attempts, 0), 10), longestWait)
}

// use takes a connection into use that has come about, unless its server is not good enough.
func (e *Engine) use(ctx context.Context, conn *natsgo.Conn) error {
	times := conn.Stats().Reconnects
	if conn.Status() != natsgo.CONNECTED || e.uses(times) {
		return nil // it will be back, or was told of twice
	}
	server, version := conn.ConnectedAddr(), conn.ConnectedServerVersion()
	if !newEnough(version) {
		return fmt.Errorf("%s is NATS %s: at least 2.11 is needed", server, version)
	}
	js, err := jetstream.New(conn)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, callTime)
	defer cancel()
	err = e.try(ctx, js)
	e.mu.Lock()
	defer e.mu.Unlock()
	if conn.Status() != natsgo.CONNECTED || conn.Stats().Reconnects != times {
		return nil // who has noticed that knows why
	}
	if err != nil {
		// What the user has no right to gets no answer, but a word besides.
		return fmt.Errorf("%s: %w", server, cmp.Or(e.refused, err))
	}
	e.end()
	e.link, e.problem = &link{js: js, conn: conn, times: times, gone: make(chan struct{}), streams: map[string]jetstream.Stream{}}, nil
	e.wake()
	if e.seen {
		e.o.Log.WarnContext(ctx, "the engine that nodes share is reached again", "server", server)
	} else {
		e.o.Log.InfoContext(ctx, "the engine that nodes share is reached", "server", server, "version", version)
	}
	e.seen = false
	return nil
}

// try tries whether a server has JetStream.
func (e *Engine) try(ctx context.Context, js jetstream.JetStream) error {
	e.mu.Lock()
	e.refused = nil
	e.mu.Unlock()
	_, err := js.AccountInfo(ctx)
	if errors.Is(err, jetstream.ErrJetStreamNotEnabled) || errors.Is(err, natsgo.ErrNoResponders) {
		return errors.New("JetStream is not enabled there: start nats-server with -js")
	}
	return cause.Of(err)
}

// uses reports whether the link is that of a connection.
func (e *Engine) uses(times uint64) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.link != nil && e.link.times == times
}

// newEnough reports whether a server knows lives of single messages.
func newEnough(version string) bool {
	var major, minor int
	if _, err := fmt.Sscanf(version, "%d.%d", &major, &minor); err != nil {
		return true // it has another scheme by now
	}
	return major > 2 || major == 2 && minor >= 11
}

// down notes that there is no connection. An error of nil is that of the end.
func (e *Engine) down(err error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.end()
	if err == nil {
		return
	}
	e.problem = cause.Of(err)
	if !e.seen {
		e.seen = true
		e.o.Log.Warn("the engine that nodes share is not reached: this node goes on by itself", "error", e.problem)
	}
}

// end ends the link. The lock is held.
func (e *Engine) end() {
	if e.link != nil {
		close(e.link.gone)
		e.link = nil
	}
	e.wake()
}

func (e *Engine) wake() {
	close(e.changed)
	e.changed = make(chan struct{})
}

// State returns what there is to say of the connection.
func (e *Engine) State() State {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.link != nil {
		s := State{Reached: true, Server: e.link.conn.ConnectedAddr(), Version: e.link.conn.ConnectedServerVersion()}
		if e.refused != nil {
			s.Refused = e.refused.Error()
		}
		return s
	}
	s := State{Problem: "not connected yet"}
	if e.problem != nil {
		s.Problem = e.problem.Error()
	}
	return s
}

// now returns the link, or an error that is cluster.ErrAway.
func (e *Engine) now() (*link, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.link == nil {
		return nil, cluster.ErrAway
	}
	return e.link, nil
}

// await returns the link as soon as there is one.
func (e *Engine) await(ctx context.Context) (*link, error) {
	for {
		e.mu.Lock()
		l, changed := e.link, e.changed
		e.mu.Unlock()
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		if l != nil {
			return l, nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
		}
	}
}

// during returns a context that ends with the link, too.
func (l *link) during(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(ctx)
	go func() {
		select {
		case <-l.gone:
			cancel()
		case <-ctx.Done():
		}
	}()
	return ctx, cancel
}
