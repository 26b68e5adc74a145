package s3

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"ferry/remote"
	"ferry/remote/remotetest/badnet"
)

// openBad opens the bucket of a server over a bad network.
func openBad(t *testing.T, server string, change func(*Options)) (*Remote, *badnet.Network) {
	t.Helper()
	n := badnet.Start(t, server)
	o := testOptions(n.Addr)
	if change != nil {
		change(&o)
	}
	r := openAt(t, testBucket, o)
	t.Cleanup(func() { r.Close() })
	return r, n
}

// counting returns a context under which doubts are counted.
func counting(ctx context.Context) (context.Context, *atomic.Int64) {
	doubts := new(atomic.Int64)
	return remote.WithUnanswered(ctx, func() { doubts.Add(1) }), doubts
}

// await waits until the history of n tells of something.
func await(t *testing.T, n *badnet.Network, what string) {
	t.Helper()
	for end := time.Now().Add(time.Minute); !strings.Contains(n.History(), what); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("no %s:\n%s", what, n.History())
		}
	}
}

func TestARepetitionByTheLibraryLeavesTheFirstRequestInDoubt(t *testing.T) {
	for _, status := range []int{0, 502, 503, 504, 408} {
		f := startFake(t)
		r, n := openBad(t, f.addr, nil)
		n.Add(badnet.Rule{Method: "PUT", Times: 1, Fate: badnet.Fate{Answer: badnet.Dropped, Status: status}})
		ctx, doubts := counting(t.Context())
		_, err := r.Put(ctx, "f", strings.NewReader("content"), remote.PutOptions{})
		if err != nil || doubts.Load() != 1 || len(f.take()) != 3 {
			t.Errorf("status %d: %v, reported %d times\n%s", status, err, doubts.Load(), n.History())
		}
	}
}

func TestPartsAreNeverInDoubt(t *testing.T) {
	r, n := openBad(t, startFake(t).addr, nil)
	n.Add(badnet.Rule{Method: "PUT", Path: "uploadId", Skip: 1, Times: 1, Fate: badnet.Fate{Answer: badnet.Dropped}})
	n.Add(badnet.Rule{Method: "POST", Path: "uploads", Times: 1, Fate: badnet.Fate{Answer: badnet.Dropped, Status: 502}})
	ctx, doubts := counting(t.Context())
	want := pattern(2*minPart + 1)
	if _, err := r.Put(ctx, "f", bytes.NewReader(want), remote.PutOptions{}); err != nil || doubts.Load() != 0 {
		t.Errorf("%v, reported %d times\n%s", err, doubts.Load(), n.History())
	}
	if !bytes.Equal(load(t, r, "f"), want) {
		t.Error("the content is another")
	}
}

// completion is how a history tells of the request that completes an upload of f.
const completion = "POST /bucket/f?uploadId"

// A multipart upload is completed once, or taken back, so that most doubts about it are settled.
func TestACompletionWithoutAnAnswerIsSettled(t *testing.T) {
	late := make(chan struct{})
	long := pattern(minPart + 1)
	for what, c := range map[string]struct {
		fate    badnet.Fate
		options func(*Options)
		done    bool
		doubts  int64
	}{
		"it was done":    {badnet.Fate{Answer: badnet.Dropped}, nil, true, 0},
		"it never came":  {badnet.Fate{Answer: badnet.Ahead, Status: 502, Lost: true}, nil, false, 0},
		"it comes later": {badnet.Fate{Answer: badnet.Ahead, Status: 504, Until: late}, nil, false, 0},
		"it comes later, and nothing is taken back": {
			badnet.Fate{Answer: badnet.Ahead, Status: 504, Lost: true}, func(o *Options) { o.LeaveParts = true }, false, 1},
	} {
		t.Run(what, func(t *testing.T) {
			r, n := openBad(t, startGateway(t), c.options)
			if _, err := r.Put(t.Context(), "f", strings.NewReader("old"), remote.PutOptions{}); err != nil {
				t.Fatal(err)
			}
			n.Add(badnet.Rule{Method: "POST", Path: "uploadId", Fate: c.fate})
			counted, doubts := counting(t.Context())
			ctx, cancel := context.WithCancel(counted)
			defer cancel()
			go func() { // so that it is not tried ten times
				await(t, n, completion)
				time.Sleep(20 * time.Millisecond)
				cancel()
			}()
			_, err := r.Put(ctx, "f", bytes.NewReader(long), remote.PutOptions{})
			if (err == nil) != c.done || (doubts.Load() > 0) != (c.doubts > 0) {
				t.Errorf("%v, reported %d times\n%s", err, doubts.Load(), n.History())
			}
			n.Heal()
			if c.fate.Until != nil {
				close(late)
			}
			n.Hurry()
			if err := n.Settle(t.Context()); err != nil {
				t.Fatal(err)
			}
			want := []byte("old")
			if c.done {
				want = long
			}
			if !bytes.Equal(load(t, r, "f"), want) {
				t.Errorf("the content is another\n%s", n.History())
			}
		})
	}
}

// What is known only after the end of the context is what a Commit returns, and the time that
// belongs to it is set.
func TestAPublishThatIsAnsweredAfterItsContext(t *testing.T) {
	r, n := openBad(t, startFake(t).addr, nil)
	s, err := r.Stage(t.Context(), "f", remote.StageOptions{Owner: owner})
	if err != nil {
		t.Fatal(err)
	}
	want := pattern(minPart + 1)
	if _, err := io.Copy(s, bytes.NewReader(want)); err != nil {
		t.Fatal(err)
	}
	answer := make(chan struct{})
	n.Add(badnet.Rule{Method: "POST", Path: "uploadId", Fate: badnet.Fate{Until: answer}})
	counted, doubts := counting(t.Context())
	ctx, cancel := context.WithCancel(counted)
	when := time.Date(2001, 2, 3, 4, 5, 6, 7, time.UTC)
	done := make(chan error, 1)
	go func() {
		_, err := s.Commit(ctx, when)
		done <- err
	}()
	await(t, n, completion)
	cancel()
	select {
	case err := <-done:
		t.Errorf("it does not wait: %v", err)
	case <-time.After(50 * time.Millisecond):
	}
	close(answer)
	if err := <-done; err != nil || doubts.Load() != 0 {
		t.Errorf("%v, reported %d times\n%s", err, doubts.Load(), n.History())
	}
	if e, err := r.Stat(t.Context(), "f"); err != nil || !e.ModTime.Equal(when) || e.Size != int64(len(want)) {
		t.Errorf("%+v, %v", e, err)
	}
}

func TestAServerThatDoesNotAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := openAt(t, testBucket, testOptions("192.0.2.1"))
		defer r.Close()
		r.transport.DialContext = func(context.Context, string, string) (net.Conn, error) {
			here, there := net.Pipe()
			go func() {
				_, _ = io.Copy(io.Discard, there)
				there.Close()
			}()
			return here, nil
		}
		r.Dirs().Listing(r.root).Whole() // there is no directory in it
		counted, doubts := counting(t.Context())
		ctx, cancel := context.WithTimeout(counted, time.Second)
		defer cancel()
		begin := time.Now()
		_, err := r.Put(ctx, "f", strings.NewReader("x"), remote.PutOptions{})
		if took := time.Since(begin); took != time.Second+remote.AnswerTime {
			t.Errorf("it took %v", took)
		}
		if !errors.Is(err, context.DeadlineExceeded) || doubts.Load() != 1 {
			t.Errorf("%v, reported %d times", err, doubts.Load())
		}
	})
}

func TestWhichRequestsAreHarmless(t *testing.T) {
	for request, want := range map[string]bool{
		"PUT /b/k": false, "PUT /b/k?partNumber=1&uploadId=x": true, "POST /b/k?uploads": true, "POST /b/k?uploadId=x": false,
		"DELETE /b/k": false, "DELETE /b/k?uploadId=x": true, "PUT /b": false, "POST /b?delete": false,
	} {
		method, url, _ := strings.Cut(request, " ")
		q, err := http.NewRequest(method, "http://host"+url, nil)
		if err != nil || harmless(q) != want {
			t.Errorf("%s: %v, %v", request, !want, err)
		}
	}
}
