package sftp

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/user"
	"slices"
	"strconv"

	"github.com/pkg/sftp"
	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/agent"

	"ferry/remote"

	"ferry/remote/driver/internal/conns"
)

// A dialer makes connections.
type dialer struct {
	// constant
	o    Options
	addr string
	user string
	keys []ssh.Signer
	host hostKeys
}

// newDialer reads the keys that the options name.
func newDialer(o Options) (*dialer, error) {
	if o.Port == 0 {
		o.Port = 22
	}
	d := &dialer{o: o, addr: net.JoinHostPort(o.Host, strconv.Itoa(o.Port)), user: o.User}
	if d.user == "" {
		u, err := user.Current()
		if err != nil {
			return nil, errors.New("sftp: the option user is not set")
		}
		d.user = u.Username
	}
	key, err := privateKey(o)
	if err != nil {
		return nil, err
	}
	if key != nil {
		d.keys = append(d.keys, key)
	}
	d.host, err = newHostKeys(o.KnownHosts, o.Network.KnownHosts)
	return d, err
}

// dial connects and logs in.
func (d *dialer) dial(ctx context.Context) (*conn, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, d.o.Network.Connect(), fmt.Errorf("%s does not answer: %w", d.addr, os.ErrDeadlineExceeded))
	defer cancel()
	tcp, err := d.o.Network.Dial(ctx, "tcp", d.addr)
	if err != nil {
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		return nil, fmt.Errorf("%s cannot be reached, see the options host and port: %w", d.addr, err)
	}
	stop := context.AfterFunc(ctx, func() { tcp.Close() })
	c, err := d.login(ctx, tcp)
	if !stop() && ctx.Err() != nil {
		if err == nil {
			c.Close()
		}
		return nil, context.Cause(ctx)
	}
	if err != nil {
		tcp.Close()
		return nil, err
	}
	return c, nil
}

// login makes an SFTP connection out of a TCP connection.
func (d *dialer) login(ctx context.Context, tcp net.Conn) (*conn, error) {
	methods, done := d.methods()
	defer done()
	var hostErr error
	known := false
	config := &ssh.ClientConfig{
		Config: ssh.Config{
			Ciphers: d.o.Algorithms.Ciphers, MACs: d.o.Algorithms.MACs, KeyExchanges: d.o.Algorithms.KeyExchanges,
		},
		User: d.user,
		Auth: methods,
		HostKeyCallback: func(_ string, addr net.Addr, key ssh.PublicKey) error {
			hostErr = d.host.check(ctx, d.addr, addr, key)
			known = hostErr == nil
			return hostErr
		},
		HostKeyAlgorithms: d.o.Algorithms.HostKeys,
	}
	if len(config.HostKeyAlgorithms) == 0 {
		config.HostKeyAlgorithms = d.host.algorithms(d.addr, tcp.RemoteAddr())
	}
	if d.o.Algorithms.Insecure {
		allowInsecure(config)
	}
	sc, channels, requests, err := ssh.NewClientConn(tcp, d.addr, config)
	switch {
	case hostErr != nil:
		return nil, hostErr
	case err != nil && known && !transport(err):
		return nil, fmt.Errorf("%w: %s does not let %q in with what is configured (pass, key_file, key_pem or the agent)",
			remote.ErrPermission, d.addr, d.user)
	case err != nil:
		return nil, fmt.Errorf("no SSH connection to %s: %w", d.addr, unexpected(err))
	}
	return d.open(ssh.NewClient(sc, channels, requests))
}

// open starts SFTP on a connection.
func (d *dialer) open(client *ssh.Client) (*conn, error) {
	c := &conn{ssh: client, start: d.start}
	rd, wr, err := c.channel()
	if err == nil {
		c.names = newCollected(rd, d.o.Network)
		c.sftp, err = sftp.NewClientPipe(c.names, wr, sftp.UseConcurrentWrites(true), sftp.UseFstat(true),
			sftp.MaxConcurrentRequestsPerFile(d.o.Concurrency))
	}
	if err != nil {
		client.Close()
		return nil, fmt.Errorf("%s offers no SFTP, see the options subsystem and server_command: %w", d.addr, unexpected(err))
	}
	return c, nil
}

// channel opens a channel to an SFTP server of its own.
func (c *conn) channel() (io.Reader, io.WriteCloser, error) {
	s, err := c.ssh.NewSession()
	var refused *ssh.OpenChannelError
	switch {
	case errors.As(err, &refused):
		return nil, nil, fmt.Errorf("the server opens no other channel: %w", err)
	case err != nil: // there is no answer, whatever the library says of that
		c.Lose()
		return nil, nil, fmt.Errorf("%w: %w", conns.ErrLost, err)
	}
	wr, err := s.StdinPipe()
	if err != nil {
		return nil, nil, err
	}
	rd, err := s.StdoutPipe()
	if err != nil {
		return nil, nil, err
	}
	return rd, wr, c.start(s)
}

func (d *dialer) start(s *ssh.Session) error {
	switch {
	case d.o.ServerCommand != "":
		return s.Start(d.o.ServerCommand)
	case d.o.Subsystem != "":
		return s.RequestSubsystem(d.o.Subsystem)
	}
	return s.RequestSubsystem("sftp")
}

// methods returns the ways to log in, in the order in which they are tried; done is called when
// that is over.
func (d *dialer) methods() (methods []ssh.AuthMethod, done func()) {
	done = func() {}
	if len(d.keys) > 0 {
		methods = append(methods, ssh.PublicKeys(d.keys...))
	}
	if d.o.UseAgent || len(d.keys) == 0 && d.o.Password == "" {
		if a, err := net.Dial("unix", os.Getenv("SSH_AUTH_SOCK")); err == nil {
			done = func() { a.Close() }
			methods = append(methods, ssh.PublicKeysCallback(agent.NewClient(a).Signers))
		}
	}
	if d.o.Password != "" {
		methods = append(methods, ssh.Password(d.o.Password), ssh.KeyboardInteractive(d.answer))
	}
	return methods, done
}

// answer gives the password to a server that asks for it as one of several questions (RFC 4256), as
// PAM does.
func (d *dialer) answer(_, _ string, questions []string, echo []bool) ([]string, error) {
	answers := make([]string, len(questions))
	for i := range questions {
		if !echo[i] {
			answers[i] = d.o.Password
		}
	}
	return answers, nil
}

// allowInsecure adds the algorithms that are broken to those that the configuration leaves open.
func allowInsecure(config *ssh.ClientConfig) {
	good, bad := ssh.SupportedAlgorithms(), ssh.InsecureAlgorithms()
	if config.Ciphers == nil {
		config.Ciphers = slices.Concat(good.Ciphers, bad.Ciphers)
	}
	if config.MACs == nil {
		config.MACs = slices.Concat(good.MACs, bad.MACs)
	}
	if config.KeyExchanges == nil {
		config.KeyExchanges = slices.Concat(good.KeyExchanges, bad.KeyExchanges)
	}
	if config.HostKeyAlgorithms == nil {
		config.HostKeyAlgorithms = slices.Concat(good.HostKeys, bad.HostKeys)
	}
}

// transport reports whether err is a failure of the network, rather than an answer.
func transport(err error) bool {
	var netErr net.Error
	return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, net.ErrClosed) || errors.As(err, &netErr)
}

// unexpected replaces io.EOF, which says nothing of what has ended.
func unexpected(err error) error {
	if errors.Is(err, io.EOF) {
		return conns.ErrLost
	}
	return err
}
