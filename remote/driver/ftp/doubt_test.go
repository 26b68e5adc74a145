package ftp_test

import (
	"context"
	"errors"
	"io"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/iotest"
	"time"

	"ferry/remote"
)

func doubting(ctx context.Context) (context.Context, *atomic.Int32) {
	doubts := new(atomic.Int32)
	return remote.WithUnanswered(ctx, func() { doubts.Add(1) }), doubts
}

func TestAnAnswerIsNotWaitedForForEver(t *testing.T) {
	if testing.Short() {
		t.Skip("it takes long")
	}
	t.Parallel()
	f := &fake{files: map[string]string{"/f": "content"}}
	r := openRemote(t, "/", f.start(t))
	defer r.Close()
	ctx, doubts := doubting(t.Context())
	ctx, cancel := f.hangAt(ctx, "RNTO")
	defer cancel()
	start := time.Now()
	_, err := r.Put(ctx, "f", strings.NewReader("new"), remote.PutOptions{})
	took := time.Since(start)
	if !errors.Is(err, context.Canceled) || took < remote.AnswerTime || took > remote.AnswerTime+10*time.Second {
		t.Errorf("%v after %v", err, took)
	}
	if doubts.Load() == 0 {
		t.Error("it is not in doubt")
	}
}

// Of the two commands of a rename only the second one makes it.
func TestWhatWasNotSentIsNotInDoubt(t *testing.T) {
	for verb, want := range map[string]bool{"MLST": false, "STOR": false, "RNFR": false, "RNTO": true} {
		for _, done := range []bool{false, true} {
			ready := false
			f := &fake{files: map[string]string{"/f": "old"}, cut: func(v, _ string) (bool, bool) {
				return ready && v == verb && !done, ready && v == verb && done
			}}
			r := openRemote(t, "/", f.start(t))
			ready = true
			ctx, doubts := doubting(t.Context())
			_, err := r.Put(ctx, "f", strings.NewReader("new"), remote.PutOptions{})
			if err == nil || remote.Permanent(err) || (doubts.Load() > 0) != want {
				t.Errorf("cut at %s, done %v: %v, %d doubts", verb, done, err, doubts.Load())
			}
			r.Close()
		}
	}
}

func TestAnUploadThatIsBrokenOffHasNoOrderlyEnd(t *testing.T) {
	failed := errors.New("the body failed")
	for _, how := range []string{"the body fails", "the context ends"} {
		f := &fake{files: map[string]string{"/f": "old"}}
		o := f.start(t)
		o.NoCheckUpload = true
		r := openRemote(t, "/", o)
		ctx, cancel := context.WithCancel(t.Context())
		end := iotest.ErrReader(failed)
		if how == "the context ends" {
			end = readFunc(func([]byte) (int, error) {
				cancel()
				<-ctx.Done()
				return 0, context.Cause(ctx)
			})
		}
		body := io.MultiReader(strings.NewReader(strings.Repeat("x", 100_000)), end)
		if _, err := r.Put(ctx, "f", body, remote.PutOptions{}); err == nil {
			t.Errorf("%s: it was stored", how)
		}
		cancel()
		r.Close()
		f.l.Close()
		f.mu.Lock()
		for _, c := range f.conn {
			c.Close()
		}
		f.mu.Unlock()
		f.all.Wait()
		if len(f.ends) != 1 || !errors.Is(f.ends[0], syscall.ECONNRESET) {
			t.Errorf("%s: the server sees %v", how, f.ends)
		}
		if got, _ := f.content("/f"); got != "old" {
			t.Errorf("%s: stored %d bytes", how, len(got))
		}
	}
}

type readFunc func(p []byte) (int, error)

func (f readFunc) Read(p []byte) (int, error) { return f(p) }

// A file that was set aside for a moment has its name again, wherever the connection breaks.
func TestAFileThatIsSetAsideComesBack(t *testing.T) {
	for at := 1; at <= 3; at++ {
		for _, done := range []bool{false, true} {
			var renames atomic.Int32
			f := &fake{files: map[string]string{"/f": "old"}, keep: true, cut: func(verb, _ string) (bool, bool) {
				if verb != "RNTO" {
					return false, false
				}
				n := int(renames.Add(1))
				return n == at && !done, n == at && done
			}}
			r := openRemote(t, "/", f.start(t))
			ctx, doubts := doubting(t.Context())
			_, err := r.Put(ctx, "f", strings.NewReader("new"), remote.PutOptions{})
			if err == nil || doubts.Load() == 0 {
				t.Errorf("cut at rename %d, done %v: %v, %d doubts", at, done, err, doubts.Load())
			}
			want := "old"
			if at == 3 && done {
				want = "new"
			}
			if got, _ := f.content("/f"); got != want || f.names() != "/f" {
				t.Errorf("cut at rename %d, done %v: %q; there are %s", at, done, got, f.names())
			}
			r.Close()
		}
	}
}
