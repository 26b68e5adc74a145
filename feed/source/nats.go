package source

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"ferry/cluster/nats/cause"
	"ferry/feed"
	"ferry/remote/network"
)

const (
	natsPing   = 20 * time.Second // how often a silent server is asked whether it is there
	natsAnswer = 10 * time.Second // how long it may take to answer
)

// natsSource is a subject of NATS. Where a stream of JetStream keeps it, what is told while the
// connection is broken is told afterwards; without one it is missed, and that is noticed.
type natsSource struct {
	url     feed.URL
	network network.Options
	at      position // where in the stream the last connection ended
}

func newNATS(u feed.URL, n network.Options) (*natsSource, error) {
	if file := u.Options["creds"]; file != "" {
		if _, err := os.ReadFile(file); err != nil {
			return nil, fmt.Errorf("option creds: %w", err)
		}
	}
	return &natsSource{url: u, network: n}, nil
}

// Listen implements feed.Source.
func (s *natsSource) Listen(ctx context.Context, f *feed.Feed) error {
	own, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	conn, err := s.connect(own, func(err error) { cancel(cmp.Or(err, errDisconnected)) })
	if err != nil {
		return cause.Of(err)
	}
	defer conn.Close()
	kept, err := s.stream(own, conn)
	switch {
	case err != nil:
	case kept != nil:
		err = s.follow(own, kept, f)
	default:
		err = s.subscribe(own, conn, f)
	}
	if own.Err() != nil {
		err = context.Cause(own)
	}
	return cause.Of(err)
}

var errDisconnected = errors.New("the server has closed the connection")

// connect connects once: this package tries again.
func (s *natsSource) connect(ctx context.Context, lost func(error)) (*nats.Conn, error) {
	var servers []string
	for _, host := range s.url.Hosts {
		servers = append(servers, "nats://"+host)
	}
	var why error // no server is connected to; the library does not say it
	dial := func(network, address string) (conn net.Conn, err error) {
		conn, err = s.network.Dial(ctx, network, address)
		why = cmp.Or(err, why)
		return conn, err
	}
	options := []nats.Option{
		nats.Name("ferry change feed"), nats.NoReconnect(), nats.Timeout(s.network.Connect()), nats.SetCustomDialer(dialer(dial)),
		nats.PingInterval(natsPing), nats.MaxPingsOutstanding(2),
		nats.DisconnectErrHandler(func(_ *nats.Conn, err error) { lost(err) }),
		nats.ErrorHandler(func(*nats.Conn, *nats.Subscription, error) {}), nats.PermissionErrOnSubscribe(true), // NextMsg returns it
	}
	if secure(s.url, false) {
		options = append(options, nats.Secure(s.network.Config()))
	}
	switch {
	case s.url.Options["creds"] != "":
		options = append(options, nats.UserCredentials(s.url.Options["creds"]))
	case s.url.Password != "":
		options = append(options, nats.UserInfo(s.url.User, s.url.Password))
	case s.url.User != "":
		options = append(options, nats.Token(s.url.User))
	}
	conn, err := nats.Connect(strings.Join(servers, ","), options...)
	if errors.Is(err, nats.ErrNoServers) {
		err = cmp.Or(why, err)
	}
	return conn, err
}

// A dialer connects as the remotes do.
type dialer func(network, address string) (net.Conn, error)

// Dial implements nats.CustomDialer.
func (d dialer) Dial(network, address string) (net.Conn, error) { return d(network, address) }

// stream returns the stream that keeps the subject, nil where there is none.
func (s *natsSource) stream(ctx context.Context, conn *nats.Conn) (jetstream.Stream, error) {
	js, err := jetstream.New(conn)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, natsAnswer)
	defer cancel()
	name := s.url.Options["stream"]
	if name == "" {
		name, err = js.StreamNameBySubject(ctx, s.url.Path)
		if errors.Is(err, jetstream.ErrStreamNotFound) || errors.Is(err, jetstream.ErrJetStreamNotEnabled) ||
			errors.Is(err, jetstream.ErrJetStreamNotEnabledForAccount) || errors.Is(err, nats.ErrNoResponders) {
			return nil, nil
		}
	}
	if err != nil {
		return nil, err
	}
	return js.Stream(ctx, name)
}

// subscribe brings what is published from now on.
func (s *natsSource) subscribe(ctx context.Context, conn *nats.Conn, f *feed.Feed) error {
	sub, err := conn.SubscribeSync(s.url.Path)
	if err != nil {
		return err
	}
	answer, cancel := context.WithTimeout(ctx, natsAnswer)
	defer cancel()
	if err := conn.FlushWithContext(answer); err != nil { // then the server knows of it
		return err
	}
	m, err := sub.NextMsg(time.Nanosecond)
	if errors.Is(err, nats.ErrPermissionViolation) { // it came before the answer
		return err
	}
	f.Begun(true)
	for ; ; m, err = sub.NextMsgWithContext(ctx) {
		switch {
		case errors.Is(err, nats.ErrTimeout): // there was none yet
		case errors.Is(err, nats.ErrSlowConsumer):
			f.Missed()
		case err != nil:
			return err
		default:
			f.Take(feed.Message{Body: m.Data})
		}
	}
}
