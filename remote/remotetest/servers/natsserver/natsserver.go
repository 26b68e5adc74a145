// Package natsserver runs NATS with JetStream inside the process of a test.
package natsserver

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
)

// startTime is how long it may take until the server listens.
const startTime = time.Minute

// A Server is NATS on a port of this machine. It can be stopped, and started again on the same
// port.
type Server struct {
	t       testing.TB
	options server.Options
	running *server.Server
}

// Start starts a server, which ends with the test. Its options may be changed before; they begin
// with JetStream on, and the store in a directory of the test.
func Start(t testing.TB, change ...func(*server.Options)) *Server {
	t.Helper()
	s := newServer(t, change...)
	s.Restart(true)
	return s
}

func newServer(t testing.TB, change ...func(*server.Options)) *Server {
	t.Helper()
	s := &Server{t: t, options: server.Options{
		Host: "127.0.0.1", Port: server.RANDOM_PORT, NoLog: true, NoSigs: true,
		JetStream: true, StoreDir: filepath.Join(t.TempDir(), "nats"),
		JetStreamMaxMemory: 256 << 20, JetStreamMaxStore: 256 << 20, MaxPayload: 1 << 20,
	}}
	for _, f := range change {
		f(&s.options)
	}
	t.Cleanup(s.Stop)
	return s
}

// URL is where the server listens, also while it is stopped.
func (s *Server) URL() string { return fmt.Sprintf("nats://127.0.0.1:%d", s.options.Port) }

// Stop stops the server, if it runs, and returns when it is gone.
func (s *Server) Stop() {
	if s.running != nil {
		s.running.Shutdown()
		s.running.WaitForShutdown()
		s.running = nil
	}
}

// Restart starts the server again, on the same port, with what it had kept on disk or without; what
// it had in memory is gone.
func (s *Server) Restart(keep bool) {
	s.t.Helper()
	s.Stop()
	if !keep {
		if err := os.RemoveAll(s.options.StoreDir); err != nil {
			s.t.Fatal(err)
		}
	}
	s.launch()
	s.await()
}

// launch starts the server; it listens some time later.
func (s *Server) launch() {
	s.t.Helper()
	o := s.options // a server changes its own
	running, err := server.NewServer(&o)
	if err != nil {
		s.t.Fatalf("nats-server: %v", err)
	}
	running.Start()
	s.running = running
}

// await waits until the server listens.
func (s *Server) await() {
	s.t.Helper()
	if !s.running.ReadyForConnections(startTime) {
		s.t.Fatal("nats-server does not listen")
	}
	s.options.Port = s.running.Addr().(*net.TCPAddr).Port
}

// Cut closes the connections of all clients, who may come back.
func (s *Server) Cut() {
	s.t.Helper()
	connections, err := s.running.Connz(&server.ConnzOptions{Limit: 10_000})
	if err != nil {
		s.t.Fatal(err)
	}
	for _, c := range connections.Conns {
		_ = s.running.DisconnectClientByID(c.Cid) // it may have gone by itself
	}
}
