package auth

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// A service is what an asker asks. It takes a second for each answer.
type service struct {
	mu       sync.Mutex
	password string
	dead     error
	asked    int
	now, max int // questions at a time
}

func (s *service) ask(ctx context.Context, l Login) (Identity, error) {
	s.mu.Lock()
	s.asked++
	s.now++
	s.max = max(s.max, s.now)
	s.mu.Unlock()
	select {
	case <-time.After(time.Second):
	case <-ctx.Done():
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.now--
	switch {
	case ctx.Err() != nil:
		return Identity{}, ctx.Err()
	case s.dead != nil:
		return Identity{}, s.dead
	case l.Password != s.password:
		return Identity{}, fmt.Errorf("%w: status 1", ErrDenied)
	}
	return Identity{User: l.User, Owner: l.User, Grant: &Grant{Start: fmt.Sprint(s.asked)}}, nil
}

func (s *service) set(password string, dead error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.password, s.dead = password, dead
}

// login asks a and says what came of it, the number of the question that an answer is from, and the
// time that it took.
func login(t *testing.T, a *asker, password string) string {
	t.Helper()
	start := time.Now()
	id, err := a.authenticate(t.Context(), Login{User: "bob", Password: password, IP: netip.MustParseAddr("192.0.2.1")})
	result := "answer "
	if id.Grant != nil {
		result += id.Grant.Start
	}
	switch {
	case errors.Is(err, ErrDenied):
		result = "denied"
	case err != nil:
		result = err.Error()
	}
	return fmt.Sprintf("%s, %v", result, time.Since(start))
}

func TestAskerRemembers(t *testing.T) {
	const minute = time.Minute
	for name, tt := range map[string]struct {
		options AskOptions
		sliding bool
		want    string // answers of logins at 0 s, 50 s, 100 s ...
	}{
		"for a time":           {AskOptions{Remember: minute}, false, "answer 1, 1s; answer 1, 0s; answer 2, 1s; answer 2, 0s; answer 3, 1s"},
		"since the last login": {AskOptions{Remember: minute}, true, "answer 1, 1s; answer 1, 0s; answer 1, 0s; answer 1, 0s; answer 1, 0s"},
		"not at all":           {AskOptions{Remember: -1}, false, "answer 1, 1s; answer 2, 1s; answer 3, 1s; answer 4, 1s; answer 5, 1s"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := &service{password: "right"}
				a := newAsker("the service", tt.options, tt.sliding, s.ask)
				var got []string
				start := time.Now()
				for i := range 5 {
					time.Sleep(time.Until(start.Add(time.Duration(i) * 50 * time.Second)))
					got = append(got, login(t, a, "right"))
				}
				if all := strings.Join(got, "; "); all != tt.want {
					t.Errorf("got %s, want %s", all, tt.want)
				}
			})
		})
	}
}

func TestAskerRefuses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &service{password: "right"}
		a := newAsker("the service", AskOptions{}, false, s.ask)
		steps := []struct{ password, want string }{
			{"wrong", "denied, 1s"}, {"wrong", "denied, 0s"}, {"right", "answer 2, 1s"}, {"right", "answer 2, 0s"},
		}
		for _, step := range steps {
			if got := login(t, a, step.password); got != step.want {
				t.Errorf("%s: %s, want %s", step.password, got, step.want)
			}
		}
		time.Sleep(2 * time.Second)
		s.set("wrong", nil) // a new password
		if got := login(t, a, "wrong"); got != "answer 3, 1s" {
			t.Errorf("after the time of a refusal: %s", got)
		}
		time.Sleep(5 * time.Minute)
		if got := login(t, a, "right"); got != "denied, 1s" {
			t.Errorf("the old password: %s", got)
		}
	})
}

// While nobody can be asked, those who are known are let in for the time that Stale allows, and all
// others learn that it could not be checked.
func TestAskerGoesOnWithoutItsSource(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &service{password: "right"}
		a := newAsker("the service", AskOptions{Remember: time.Minute, Stale: time.Hour}, false, s.ask)
		check := func(password, want string) {
			t.Helper()
			if got := login(t, a, password); got != want {
				t.Errorf("%s: %s, want %s", password, got, want)
			}
		}
		check("right", "answer 1, 1s")
		s.set("right", errors.New("connection refused"))
		time.Sleep(2 * time.Minute)
		check("right", "answer 1, 1s") // it was asked
		check("right", "answer 1, 0s") // it was away a moment ago
		check("other", "the service: connection refused, 1s")
		check("other", "the service: connection refused, 1s")
		time.Sleep(time.Minute)
		check("right", "answer 1, 1s")
		s.set("new", nil)
		time.Sleep(time.Minute)
		check("right", "denied, 1s")
		s.set("right", errors.New("connection refused"))
		time.Sleep(time.Minute)
		check("right", "the service: connection refused, 1s") // it was refused in between
		s.set("right", nil)
		check("right", "answer 8, 1s")
		s.set("right", errors.New("connection refused"))
		time.Sleep(61 * time.Minute)
		check("right", "the service: connection refused, 1s")
	})
}

func TestAskerDoesNotWaitForEver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &service{password: "right"}
		a := newAsker("the service", AskOptions{Timeout: time.Second / 2}, false, s.ask)
		if got := login(t, a, "right"); got != "the service: no answer in 500ms, 500ms" {
			t.Error(got)
		}
		reason := errors.New("the client has gone")
		ctx, cancel := context.WithCancelCause(t.Context())
		time.AfterFunc(time.Second/4, func() { cancel(reason) })
		if _, err := a.authenticate(ctx, Login{User: "bob", Password: "right"}); !errors.Is(err, reason) || errors.Is(err, ErrDenied) {
			t.Errorf("a client that went: %v", err)
		}
	})
}

func TestAskerAsksAFewAtATime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &service{password: "right"}
		a := newAsker("the service", AskOptions{Parallel: 3}, false, s.ask)
		var all sync.WaitGroup
		for i := range 30 {
			for range 2 { // the same login twice is one question
				all.Go(func() {
					if _, err := a.authenticate(t.Context(), Login{User: fmt.Sprint(i), Password: "right"}); err != nil {
						t.Error(err)
					}
				})
			}
		}
		all.Wait()
		if s.asked != 30 || s.max != 3 {
			t.Errorf("%d questions, %d at a time", s.asked, s.max)
		}
	})
}

func TestAskerIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &service{password: "right"}
		a := newAsker("the service", AskOptions{}, false, s.ask)
		for i := range maxAnswers + 10 {
			a.keep(a.key.prove(fmt.Sprint(i)), Identity{})
			a.refuse(a.key.prove("no", fmt.Sprint(i)))
		}
		if len(a.known) != maxAnswers || len(a.refused) != maxAnswers {
			t.Errorf("%d answers and %d refusals are kept", len(a.known), len(a.refused))
		}
		time.Sleep(10 * time.Minute)
		login(t, a, "wrong")
		if len(a.known) != 0 || len(a.refused) != 1 {
			t.Errorf("%d answers and %d refusals are kept after the time", len(a.known), len(a.refused))
		}
	})
}

// Another address, or a connection without TLS, is another login: the answer may depend on it.
func TestAskerTellsLoginsApart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &service{password: "right"}
		a := newAsker("the service", AskOptions{}, false, s.ask)
		one := Login{User: "bob", Password: "right", IP: netip.MustParseAddr("192.0.2.1")}
		ip, tls, user := one, one, one
		ip.IP, tls.TLS, user.User = netip.MustParseAddr("192.0.2.2"), true, "ann"
		for _, l := range []Login{one, ip, tls, user, one, ip, tls, user} {
			if _, err := a.authenticate(t.Context(), l); err != nil {
				t.Error(err)
			}
		}
		if s.asked != 4 {
			t.Errorf("%d questions", s.asked)
		}
		if _, err := a.authenticate(t.Context(), Login{User: "b\xf6b", Password: "right"}); !errors.Is(err, ErrDenied) || s.asked != 4 {
			t.Errorf("a name that is not UTF-8: %v", err)
		}
	})
}
