package ftp_test

import (
	"context"
	"fmt"
	"net"
	"net/textproto"
	"sync"
	"testing"
	"time"

	"ferry/ftp"
	"ferry/remote/driver/memory"
)

// The number of guesses that doc/trust.md promises: what one address gets looked at, with as many
// sessions as it likes and without a pause, where a look takes as long as a hash does.
func TestGuessesOfOneAddress(t *testing.T) {
	srv := newServer(t, memory.New(), map[string]bool{"password": true})
	srv.Backend = slowLogins{srv.Backend}
	withVisitors(t, srv, func(l *pipeListener) {
		var all sync.WaitGroup
		stop := make(chan struct{})
		for i := range 60 {
			all.Go(func() {
				for {
					guess(l, fmt.Sprintf("192.0.2.1:%d", 1000+i))
					select {
					case <-stop:
						return
					case <-time.After(time.Second):
					}
				}
			})
		}
		last := uint64(0)
		for minute := range 3 {
			time.Sleep(time.Minute)
			denied := srv.Stats().Denied
			guesses := denied - last
			last = denied
			t.Logf("minute %d: %d guesses", minute+1, guesses)
			if least, most := uint64(18), uint64(22); minute > 0 && (guesses < least || guesses > most) {
				t.Errorf("%d guesses in minute %d, not 20", guesses, minute+1)
			}
			if minute == 0 && (guesses < 20 || guesses > 62) {
				t.Errorf("%d guesses in the first minute, not 20 to 60", guesses)
			}
		}
		close(stop)
		srv.Close()
		all.Wait()
	})
}

// guess tries wrong passwords in one session until it is ended.
func guess(l *pipeListener, from string) {
	ours, theirs := net.Pipe()
	select {
	case l.conns <- addressed{theirs, from}:
	case <-l.done:
		return
	}
	defer ours.Close()
	replies := textproto.NewConn(ours)
	if _, _, err := replies.ReadResponse(220); err != nil {
		return
	}
	for {
		for _, line := range []string{"USER bob", "PASS wrong"} {
			if replies.PrintfLine("%s", line) != nil {
				return
			}
			if _, _, err := replies.ReadResponse(0); err != nil {
				return
			}
		}
	}
}

// slowLogins are those of a Backend that hashes.
type slowLogins struct{ ftp.Backend }

func (s slowLogins) Login(ctx context.Context, c ftp.Client, user, password string) (ftp.FS, error) {
	time.Sleep(100 * time.Millisecond)
	return s.Backend.Login(ctx, c, user, password)
}
