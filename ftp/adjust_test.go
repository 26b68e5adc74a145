package ftp_test

import (
	"context"
	"net/netip"
	"sync"
	"testing"
	"time"

	"ferry/ftp"
	"ferry/remote/driver/memory"
)

// What is adjusted holds for a session that is there.
func TestAdjustChangesASessionThatIsThere(t *testing.T) {
	var srv *ftp.Server
	d := talk(t, memory.New(), func(s *ftp.Server) { srv = s })
	d.steps("> PORT 127,0,0,1,200,1", "<< 200", "> PASV", "<< 227")
	srv.Adjust(func(now *ftp.Tunable) {
		now.NoActive = true
		now.RequireTLS = true
		now.PublicIP = func(context.Context, netip.Addr) (netip.Addr, error) { return netip.MustParseAddr("192.0.2.7"), nil }
		now.MaxSessions = 1
	})
	d.steps("> PORT 127,0,0,1,200,1", "<< 502", "> PASV", "< 227 *(192,0,2,7,*", "> LIST", "<< 521")
	second := &dialogue{t: t, where: t.Name(), addr: d.addr}
	second.dial()
	defer second.hangUp()
	second.steps("<< 421")
}

// The new idle timeout counts from the next command on.
func TestAdjustTheIdleTimeoutOfASession(t *testing.T) {
	srv := newServer(t, memory.New(), nil)
	overPipe(t, srv, func(d *dialogue) {
		srv.Adjust(func(now *ftp.Tunable) { now.IdleTimeout = time.Hour })
		d.steps("> NOOP", "<< 200")
		began := time.Now()
		d.steps("<< 421")
		if took := time.Since(began); took < 59*time.Minute || took > 61*time.Minute {
			t.Errorf("it ended after %v", took)
		}
	})
}

// What was adjusted before the first Serve holds too.
func TestAdjustBeforeServe(t *testing.T) {
	srv := newServer(t, memory.New(), nil)
	srv.Adjust(func(now *ftp.Tunable) { now.NoActive = true })
	d := &dialogue{t: t, where: t.Name(), addr: serveOn(t, srv, "127.0.0.1:0")}
	d.connect()
	defer d.hangUp()
	d.steps("> USER bob", "<< 331", "> PASS x", "<< 230", "> PORT 127,0,0,1,200,1", "<< 502")
}

// Sessions go on while what they use changes under them.
func TestAdjustWhileASessionRuns(t *testing.T) {
	var srv *ftp.Server
	d := talk(t, memory.New(), func(s *ftp.Server) { srv = s })
	stop := make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		for i := 0; ; i++ {
			select {
			case <-stop:
				return
			default:
			}
			srv.Adjust(func(now *ftp.Tunable) {
				now.DataStall, now.IdleTimeout, now.MinRate = time.Minute+time.Duration(i), time.Hour+time.Duration(i), int64(i%2)
				now.MaxSessionsPerHost = 100 + i%7
				now.Passive = ftp.PortRange{First: 40000, Last: 50000 + uint16(i%100)}
			})
		}
	})
	for range 20 {
		d.steps("passive", "> STOR f", "<< 150", "send hello", "<< 226", "passive", "> RETR f", "<< 150", "recv hello", "<< 226")
	}
	close(stop)
	wg.Wait()
}

// A server out of service refuses sessions and ends those that are there; put back, it takes new
// ones.
func TestDrain(t *testing.T) {
	var srv *ftp.Server
	idle := talk(t, memory.New(), func(s *ftp.Server) { srv = s })
	guest := &dialogue{t: t, where: t.Name(), addr: idle.addr}
	guest.connect()
	defer guest.hangUp()
	srv.Drain(true)
	idle.steps("< 421 The server takes no sessions at the moment; connect again.")
	guest.steps("<< 421")
	if now := srv.Accepting(); !now.Draining || now.Closing || now.Listeners != 1 {
		t.Errorf("while it is drained: %+v", now)
	}
	refused := &dialogue{t: t, where: t.Name(), addr: idle.addr}
	refused.dial()
	defer refused.hangUp()
	refused.steps("< 421 The server takes no sessions at the moment; connect again.")
	srv.Drain(false)
	d := &dialogue{t: t, where: t.Name(), addr: idle.addr}
	d.connect()
	defer d.hangUp()
	d.steps("> NOOP", "<< 200")
}
