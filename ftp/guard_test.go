package ftp_test

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"ferry/ftp"
	"ferry/remote/driver/memory"
)

// A porter is a Guard that writes down what it is told, and lets nobody in whom it was told to ban.
type porter struct {
	mu     sync.Mutex
	heard  []string
	banned map[netip.Addr]bool
	banOn  ftp.GuardKind
}

func (p *porter) Admit(addr netip.Addr) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.banned[addr] {
		return errors.New("it is banned")
	}
	return nil
}

func (p *porter) Note(addr netip.Addr, e ftp.GuardEvent, user string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.heard = append(p.heard, fmt.Sprintf("%v %d %s %q %s", addr, e.Kind, user, e.Password, e.Reason))
	if p.banOn != 0 && e.Kind == p.banOn {
		p.banned[addr] = true
	}
}

func (p *porter) said() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.heard)
}

func newPorter() *porter { return &porter{banned: map[netip.Addr]bool{}} }

func TestGuardIsTold(t *testing.T) {
	srv := newServer(t, memory.New(), map[string]bool{"password": true})
	srv.MaxSessionsPerHost = 2
	guard := newPorter()
	srv.Guard = guard
	withVisitors(t, srv, func(l *pipeListener) {
		from := "192.0.2.1:1001"
		talk := func(steps ...string) {
			d := visit(t, l, from, "220")
			d.steps(steps...)
			d.hangUp()
			synctest.Wait()
		}
		talk("> USER eve", "<< 331", "> PASS x", "<< 530", "> USER bob", "<< 331", "> PASS y", "<< 530",
			"> USER bob", "<< 331", "> PASS secret", "<< 230")
		talk("> GET / HTTP/1.1", "<< 500")
		talk("> \x01\x02", "<< 500", "> \x03", "<< 500")
		from = "192.0.2.2:1001"
		first, second := visit(t, l, from, "220"), visit(t, l, from, "220")
		visit(t, l, from, "421").hangUp()
		first.steps("> USER bob", "<< 331", "> PASS secret", "<< 230")
		visit(t, l, from, "421").hangUp() // one of them has logged in
		time.Sleep(2 * time.Minute)
		synctest.Wait()
		first.hangUp()
		second.hangUp()
		want := []string{
			fmt.Sprintf(`192.0.2.1 %d eve "x" unknown user`, ftp.UnknownUser),
			fmt.Sprintf(`192.0.2.1 %d bob "y" wrong password`, ftp.WrongPassword),
			fmt.Sprintf(`192.0.2.1 %d bob "" `, ftp.LoggedIn),
			fmt.Sprintf(`192.0.2.1 %d  "" an HTTP request`, ftp.Noise),
			fmt.Sprintf(`192.0.2.1 %d  "" a line that is no command`, ftp.Noise),
			fmt.Sprintf(`192.0.2.2 %d  "" too many sessions`, ftp.TooManySessions),
			fmt.Sprintf(`192.0.2.2 %d bob "" `, ftp.LoggedIn),
			fmt.Sprintf(`192.0.2.2 %d  "" no login before the timeout`, ftp.NoLogin),
		}
		if got := guard.said(); !slices.Equal(got, want) {
			t.Errorf("told %q\nwant %q", got, want)
		}
	})
}

// A ban ends what has not logged in, and nothing else.
func TestGuardSendsGuestsAway(t *testing.T) {
	srv := newServer(t, memory.New(), map[string]bool{"password": true})
	guard := newPorter()
	guard.banOn = ftp.WrongPassword
	srv.Guard = guard
	withVisitors(t, srv, func(l *pipeListener) {
		member := visit(t, l, "192.0.2.1:1001", "220")
		member.steps("> USER bob", "<< 331", "> PASS secret", "<< 230")
		guest := visit(t, l, "192.0.2.1:1002", "220")
		other := visit(t, l, "192.0.2.9:1003", "220")
		bad := visit(t, l, "192.0.2.1:1004", "220")
		bad.steps("> USER bob", "<< 331", "> PASS wrong", "<< 530")
		bad.reply("421")
		guest.reply("421")
		begun := time.Now()
		visit(t, l, "192.0.2.1:1005", "421").hangUp()
		if took := time.Since(begun); took != 0 {
			t.Errorf("the refusal took %v", took)
		}
		member.steps("> NOOP", "<< 200")
		other.steps("> NOOP", "<< 200")
		for _, d := range []*dialogue{member, guest, other, bad} {
			d.hangUp()
		}
		synctest.Wait()
	})
}
