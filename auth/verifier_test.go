package auth

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// slow returns a Verifier whose hashes are "cost:password", where the cost is the milliseconds that
// a verification takes, and the number of its verifications.
func slow(remember time.Duration, parallel int) (*Verifier, *atomic.Int32) {
	v, calls := NewVerifier(remember, parallel), new(atomic.Int32)
	v.verify = func(hash, password string) (bool, error) {
		calls.Add(1)
		cost, right, ok := strings.Cut(hash, ":")
		ms, err := strconv.Atoi(cost)
		if !ok || err != nil {
			return false, fmt.Errorf("%q is no hash", hash)
		}
		time.Sleep(time.Duration(ms) * time.Millisecond)
		return password == right, nil
	}
	return v, calls
}

// timed calls Verify and returns how long it took.
func timed(t *testing.T, v *Verifier, user, password string, hashes ...string) (bool, time.Duration) {
	t.Helper()
	start := time.Now()
	right, err := v.Verify(t.Context(), user, password, hashes)
	if err != nil {
		t.Errorf("%s, %s: %v", user, password, err)
	}
	return right, time.Since(start)
}

func TestVerifierRemembers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v, _ := slow(time.Minute, 1)
		check := func(what, user, password string, hashes []string, want bool, cost time.Duration) {
			t.Helper()
			if right, took := timed(t, v, user, password, hashes...); right != want || took != cost {
				t.Errorf("%s: %v after %v, want %v after %v", what, right, took, want, cost)
			}
		}
		const one = 100 * time.Millisecond
		mine, new := []string{"100:a"}, []string{"100:b"}
		check("the first login", "bob", "a", mine, true, one)
		check("the second login", "bob", "a", mine, true, 0)
		check("a wrong password", "bob", "b", mine, false, one)
		check("the same wrong password", "bob", "b", mine, false, one)
		check("the password of another user", "ann", "a", mine, true, one)
		check("a new password", "bob", "b", new, true, one)
		check("the old password", "bob", "a", new, false, one)
		check("the old password with the old hash", "bob", "a", mine, true, one)
		time.Sleep(time.Minute)
		check("after the time", "bob", "a", mine, true, one)
		both := []string{"100:a", "100:b"}
		check("one of two passwords", "bob", "a", both, true, 0)
		check("the other of two passwords", "bob", "b", both, true, 2*one)
		check("the other one again", "bob", "b", both, true, 0)
		check("the first one again", "bob", "a", both, true, 0)
		check("when the second one has gone", "bob", "b", mine, false, one)
	})
}

func TestVerifierForgetsAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v, calls := slow(0, 1)
		for range 3 {
			if right, _ := timed(t, v, "bob", "a", "100:a"); !right {
				t.Error("denied")
			}
		}
		if calls.Load() != 3 || len(v.proven) != 0 {
			t.Errorf("%d verifications, %d remembered", calls.Load(), len(v.proven))
		}
	})
}

func TestVerifierIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v, _ := slow(time.Minute, 1)
		for i := range maxProven + 10 {
			v.keep(fmt.Sprint(i), "a", "1:a")
		}
		if len(v.proven) != maxProven {
			t.Errorf("%d users are remembered, want %d", len(v.proven), maxProven)
		}
		time.Sleep(time.Minute)
		v.keep("bob", "a", "1:a")
		if len(v.proven) != 1 {
			t.Errorf("%d users are remembered after the time", len(v.proven))
		}
	})
}

func TestVerifierSaysWhatItCannotVerify(t *testing.T) {
	v := NewVerifier(time.Minute, 1)
	if right, err := v.Verify(t.Context(), "bob", "x", []string{"plain", cheapHash(t, "x")}); !right || err != nil {
		t.Errorf("beside a hash that is not supported: %v, %v", right, err)
	}
	if right, err := v.Verify(t.Context(), "bob", "y", []string{"plain"}); right || err == nil {
		t.Errorf("a hash that is not supported: %v, %v", right, err)
	}
}

// A flood of wrong passwords takes the processors that are meant for them, and those who are
// remembered do not notice it.
func TestAFloodDelaysNobodyWhoIsRemembered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v, _ := slow(time.Hour, 2)
		timed(t, v, "bob", "a", "100:a")
		var flood sync.WaitGroup
		start := time.Now()
		for i := range 200 {
			flood.Go(func() {
				if right, _ := timed(t, v, "bob", fmt.Sprint("wrong", i), "100:a"); right {
					t.Error("a wrong password is right")
				}
			})
		}
		synctest.Wait()
		for range 10 {
			if right, took := timed(t, v, "bob", "a", "100:a"); !right || took != 0 {
				t.Errorf("%v after %v", right, took)
			}
		}
		flood.Wait()
		if took := time.Since(start); took != 200*100*time.Millisecond/2 {
			t.Errorf("the flood took %v", took)
		}
	})
}

func TestLoginsAtOnceShareAVerification(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v, calls := slow(0, 4)
		var all sync.WaitGroup
		for range 50 {
			all.Go(func() {
				if right, took := timed(t, v, "bob", "a", "100:a"); !right || took != 100*time.Millisecond {
					t.Errorf("%v after %v", right, took)
				}
			})
		}
		all.Wait()
		if calls.Load() != 1 {
			t.Errorf("%d verifications", calls.Load())
		}
	})
}

// One who gives up does not take the result from those who wait with him.
func TestVerifierHonoursContexts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v, calls := slow(0, 1)
		var all sync.WaitGroup
		all.Go(func() { timed(t, v, "ann", "x", "1000:a") }) // takes the processor
		synctest.Wait()
		reason := errors.New("the client has gone")
		ctx, cancel := context.WithCancelCause(t.Context())
		for range 2 {
			all.Go(func() {
				if right, err := v.Verify(ctx, "bob", "a", []string{"100:a"}); right || !errors.Is(err, reason) {
					t.Errorf("cancelled: %v, %v", right, err)
				}
			})
			synctest.Wait() // the first one leads
			all.Go(func() {
				if right, took := timed(t, v, "bob", "a", "100:a"); !right || took != 1100*time.Millisecond {
					t.Errorf("the other: %v after %v", right, took)
				}
			})
			synctest.Wait()
		}
		cancel(reason)
		all.Wait()
		if calls.Load() != 2 || len(v.processors.waiting) != 0 || v.processors.free != 1 {
			t.Errorf("%d verifications, %d wait, %d free", calls.Load(), len(v.processors.waiting), v.processors.free)
		}
	})
}

// A hash of several lanes takes as many processors, and one who waits for them is overtaken by
// nobody.
func TestSlots(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSlots(3)
		one, err := s.take(t.Context(), 2)
		if err != nil {
			t.Fatal(err)
		}
		var order []string
		var mu sync.Mutex
		var all sync.WaitGroup
		join := func(name string, ctx context.Context, n int) {
			all.Go(func() {
				giveBack, err := s.take(ctx, n)
				mu.Lock()
				order = append(order, fmt.Sprint(name, " ", err))
				mu.Unlock()
				if err == nil {
					giveBack()
				}
			})
			synctest.Wait()
		}
		ctx, cancel := context.WithCancel(t.Context())
		join("all", ctx, 16)
		join("small", t.Context(), 1)
		if len(order) != 0 {
			t.Errorf("%v overtook", order)
		}
		cancel()
		synctest.Wait()
		if len(order) != 2 {
			t.Errorf("with the first one gone: %v", order)
		}
		join("large", t.Context(), 3)
		one()
		all.Wait()
		slices.Sort(order[:2]) // both left the line at the same moment
		if want := []string{"all context canceled", "small <nil>", "large <nil>"}; !slices.Equal(order, want) || s.free != 3 {
			t.Errorf("order %q, want %q; %d free", order, want, s.free)
		}
	})
}

// The times of unknown users are distributed as those of wrong passwords of known ones are, and
// each user has his own.
func TestTheTimeDoesNotTellWhoIsKnown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v, _ := slow(time.Hour, 1)
		var users [][]string
		for i := range 1000 {
			hashes := []string{[]string{"20:x", "20:x", "20:x", "300:x"}[i%4]}
			if i%10 == 0 {
				hashes = append(hashes, "70:y") // a password that is being replaced
			}
			users = append(users, hashes)
		}
		v.SetDecoys(users)
		var known, unknown []time.Duration
		for i, hashes := range users {
			for _, of := range []struct {
				user   string
				hashes []string
				times  *[]time.Duration
			}{{fmt.Sprint("known", i), hashes, &known}, {fmt.Sprint("unknown", i), nil, &unknown}} {
				_, first := timed(t, v, of.user, "wrong", of.hashes...)
				right, again := timed(t, v, of.user, "x1", of.hashes...)
				if right || first != again {
					t.Fatalf("%s: %v, %v and then %v", of.user, right, first, again)
				}
				*of.times = append(*of.times, first)
			}
		}
		// The distance of Kolmogorov and Smirnov is larger by chance once in 10^9 runs.
		limit := math.Sqrt(-math.Log(0.5e-9) / 2 * 2 / float64(len(known)))
		if d := distance(known, unknown); d > limit {
			t.Errorf("the distributions differ by %.3f, more than %.3f", d, limit)
		}
		for i := range unknown {
			unknown[i] = 20 * time.Millisecond
		}
		if d := distance(known, unknown); d < limit {
			t.Errorf("one time for all would not be seen: %.3f", d)
		}
	})
}

// distance returns the largest difference of two empirical distributions.
func distance(a, b []time.Duration) (most float64) {
	below := func(s []time.Duration, x time.Duration) float64 {
		n := 0
		for _, v := range s {
			if v <= x {
				n++
			}
		}
		return float64(n) / float64(len(s))
	}
	for _, x := range slices.Concat(a, b) {
		most = max(most, math.Abs(below(a, x)-below(b, x)))
	}
	return most
}

// Without decoys an unknown user costs a verification of the default hash.
func TestAnUnknownUserCostsAVerification(t *testing.T) {
	v := NewVerifier(time.Hour, 1)
	var hashes []string
	v.verify = func(hash, _ string) (bool, error) {
		hashes = append(hashes, hash)
		return true, nil // even so
	}
	for range 2 {
		if right, err := v.Verify(t.Context(), "eve", "x", nil); right || err != nil {
			t.Errorf("an unknown user: %v, %v", right, err)
		}
	}
	if len(hashes) != 2 {
		t.Fatalf("%d verifications", len(hashes))
	}
	made, err := NewHash("", "", "x")
	if err != nil {
		t.Fatal(err)
	}
	if Supported(hashes[0]) != nil || len(hashes[0]) != len(made) || hashes[0][:strings.LastIndex(made, "=")] != made[:strings.LastIndex(made, "=")] {
		t.Errorf("%s does not cost what %s does", hashes[0], made)
	}
	if right, err := Verify(hashes[0], "x"); right || err != nil {
		t.Errorf("%v, %v", right, err)
	}
}

// BenchmarkLogins measures logins of 10,000 users with hashes of the default cost, remembered and
// verified each time.
func BenchmarkLogins(b *testing.B) {
	hash, err := NewHash("", "", "sesame")
	if err != nil {
		b.Fatal(err)
	}
	const users = 10_000
	names := make([]string, users)
	decoys := make([][]string, users)
	for i := range names {
		names[i], decoys[i] = fmt.Sprintf("camera%04d", i), []string{hash}
	}
	for _, remember := range []time.Duration{0, time.Hour} {
		name := map[bool]string{true: "remembered", false: "verified"}[remember > 0]
		b.Run(name, func(b *testing.B) {
			v := NewVerifier(remember, 0)
			v.SetDecoys(decoys)
			if remember > 0 {
				for _, user := range names {
					v.keep(user, "sesame", hash)
				}
			}
			var next atomic.Int64
			b.ReportAllocs()
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					i := next.Add(1) % users
					if right, err := v.Verify(b.Context(), names[i], "sesame", decoys[i]); !right || err != nil {
						b.Errorf("%v, %v", right, err)
					}
				}
			})
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "logins/s")
		})
	}
}
