package auth

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// slow is a Verifier whose hashes are passwords, and whose verification takes a second.
func slow(v *Verifier, verified *atomic.Int32) *Verifier {
	v.decoy = func() string { return "decoy" }
	v.verify = func(hash, password string) (bool, error) {
		time.Sleep(time.Second)
		verified.Add(1)
		return hash == password, nil
	}
	return v
}

func TestWhatWasRightIsRemembered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var n atomic.Int32
		v := slow(NewVerifier(time.Minute, 1), &n)
		try := func(user, password string, hashes []string, right bool, verified int32) {
			t.Helper()
			before := n.Load()
			if got, err := v.Verify(t.Context(), user, password, hashes); got != right || err != nil {
				t.Errorf("%s, %s, %v: %v, %v", user, password, hashes, got, err)
			}
			if n := n.Load() - before; n != verified {
				t.Errorf("%s, %s, %v: %d verifications, want %d", user, password, hashes, n, verified)
			}
		}
		try("bob", "b", []string{"a", "b", "c"}, true, 2)
		try("bob", "b", []string{"a", "b", "c"}, true, 0)
		try("ann", "b", []string{"a", "b", "c"}, true, 2)
		try("bob", "b", []string{"a", "c"}, false, 2) // its hash has gone
		try("bob", "b", []string{"a", "c"}, false, 2) // what is wrong is not remembered
		try("eve", "b", nil, false, 1)
		try("eve", "decoy", nil, false, 1)
		try("bobb", "", []string{"b"}, false, 1) // other fields with the same text
		time.Sleep(time.Minute)
		try("bob", "b", []string{"a", "b", "c"}, true, 2)

		never := slow(NewVerifier(0, 1), &n)
		for range 2 {
			before := n.Load()
			if right, err := never.Verify(t.Context(), "bob", "b", []string{"b"}); !right || err != nil || n.Load() != before+1 {
				t.Errorf("without memory: %v, %v", right, err)
			}
		}
	})
}

func TestTheSamePasswordIsVerifiedOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var n atomic.Int32
		v := slow(NewVerifier(0, 4), &n)
		first, cancel := context.WithCancel(t.Context())
		var all sync.WaitGroup
		all.Go(func() { v.Verify(first, "bob", "b", []string{"b"}) })
		synctest.Wait()
		for range 20 {
			all.Go(func() {
				if right, err := v.Verify(t.Context(), "bob", "b", []string{"b"}); !right || err != nil {
					t.Errorf("%v, %v", right, err)
				}
			})
		}
		all.Wait()
		cancel()
		if n.Load() != 1 {
			t.Errorf("%d verifications", n.Load())
		}
	})
}

// TestWhoLeadsMayLeave is about one who gives up while he waits for his turn, with others behind.
func TestWhoLeadsMayLeave(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var n atomic.Int32
		v := slow(NewVerifier(0, 1), &n)
		var all sync.WaitGroup
		all.Go(func() { v.Verify(t.Context(), "ann", "a", []string{"a"}) })
		synctest.Wait()
		ctx, cancel := context.WithCancel(t.Context())
		all.Go(func() {
			if _, err := v.Verify(ctx, "bob", "b", []string{"b"}); !errors.Is(err, context.Canceled) {
				t.Errorf("the one who left: %v", err)
			}
		})
		synctest.Wait()
		all.Go(func() {
			if right, err := v.Verify(t.Context(), "bob", "b", []string{"b"}); !right || err != nil {
				t.Errorf("the one behind: %v, %v", right, err)
			}
		})
		synctest.Wait()
		cancel()
		all.Wait()
	})
}

// TestAFloodOfWrongPasswords holds all turns for minutes. Who is remembered needs none.
func TestAFloodOfWrongPasswords(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var n, now, most atomic.Int32
		v := slow(NewVerifier(time.Hour, 0), &n)
		if right, _ := v.Verify(t.Context(), "camera", "c", []string{"c"}); !right {
			t.Fatal("the right password is wrong")
		}
		verify := v.verify
		v.verify = func(hash, password string) (bool, error) {
			at := now.Add(1)
			defer now.Add(-1)
			for m := most.Load(); at > m && !most.CompareAndSwap(m, at); m = most.Load() {
			}
			return verify(hash, password)
		}
		var all sync.WaitGroup
		for i := range 100 {
			all.Go(func() { v.Verify(t.Context(), "bob", fmt.Sprint("wrong", i), []string{"b"}) })
		}
		synctest.Wait()
		began := time.Now()
		if right, err := v.Verify(t.Context(), "camera", "c", []string{"c"}); !right || err != nil || time.Since(began) > 0 {
			t.Errorf("%v, %v after %v", right, err, time.Since(began))
		}
		all.Wait()
		if want := int32(max(runtime.GOMAXPROCS(0)/2, 1)); most.Load() != want {
			t.Errorf("%d at a time, want %d", most.Load(), want)
		}
	})
}

func TestProofsAreBounded(t *testing.T) {
	v := NewVerifier(time.Hour, 0)
	for i := range maxProven {
		v.proven[proof{byte(i), byte(i >> 8), byte(i >> 16)}] = time.Now().Add(time.Hour)
	}
	if right, err := v.Verify(t.Context(), "bob", "builder", []string{cheapHash(t, "builder")}); !right || err != nil || len(v.proven) != 1 {
		t.Errorf("%v, %v; %d proofs are remembered", right, err, len(v.proven))
	}
}

// TestAnUnknownUserCostsAVerification has no stub in the way.
func TestAnUnknownUserCostsAVerification(t *testing.T) {
	v := NewVerifier(time.Hour, 0)
	var hashes []string
	v.verify = func(hash, password string) (bool, error) {
		hashes = append(hashes, hash)
		return Verify(hash, password)
	}
	for range 2 {
		if right, err := v.Verify(t.Context(), "eve", "x", nil); right || err != nil {
			t.Errorf("%v, %v", right, err)
		}
	}
	if len(hashes) != 2 || hashes[0] != hashes[1] || Supported(hashes[0]) != nil {
		t.Errorf("verified %q", hashes)
	}
}

// BenchmarkVerify is a login with the hash that NewHash makes by default, as one of 10,000 users.
func BenchmarkVerify(b *testing.B) {
	hash, err := NewHash("", "", "secret")
	if err != nil {
		b.Fatal(err)
	}
	for name, remember := range map[string]time.Duration{"remembered": time.Hour, "each": 0} {
		b.Run(name, func(b *testing.B) {
			v := NewVerifier(remember, 0)
			for i := range 10_000 {
				v.proven[v.proof(fmt.Sprint("user", i), "secret", []string{hash})] = time.Now().Add(remember)
			}
			i := 0
			for b.Loop() {
				i++
				if right, err := v.Verify(b.Context(), fmt.Sprint("user", i%10_000), "secret", []string{hash}); !right || err != nil {
					b.Fatal(right, err)
				}
			}
		})
	}
}
