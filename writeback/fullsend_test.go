package writeback

import (
	"errors"
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"ferry/remote"
	"ferry/remote/wrap/faulty"
)

// attempts lets time pass, and returns how often a Put was made in it.
func (b *rig) attempts(d time.Duration) int {
	before := b.faults.Calls(faulty.Put)
	time.Sleep(d)
	synctest.Wait()
	return b.faults.Calls(faulty.Put) - before
}

func TestALargeFileThatFailsAtItsEndIsSentLessOften(t *testing.T) {
	for what, test := range map[string]struct {
		size   int
		after  int64 // bytes that are taken
		rarely bool
	}{
		"large":           {costlyBody, costlyBody, true},
		"small":           {costlyBody - 1, costlyBody - 1, false},
		"large, cut":      {costlyBody, costlyBody / 2, false},
		"large, not sent": {costlyBody, 0, false},
	} {
		t.Run(what, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newRig(t, Options{Mode: Writes})
				defer b.stop()
				b.faults.Inject(faulty.Fault{Op: faulty.Put, Times: -1, After: test.after, Err: errNetwork})
				b.upload("f", strings.Repeat("x", test.size))
				if n := b.attempts(maxFullSends * time.Minute); n < maxFullSends {
					t.Errorf("%d attempts at first", n)
				}
				if test.rarely {
					time.Sleep(3 * time.Hour)
					if n := b.attempts(12 * time.Hour); n < 12 || n > 24 {
						t.Errorf("%d attempts in 12 hours", n)
					}
				} else if n := b.attempts(10 * time.Minute); n < 10 {
					t.Errorf("%d attempts in 10 minutes", n)
				}
				q := b.Queue()
				if len(q) != 1 || !errors.Is(q[0].LastError, errNetwork) {
					t.Fatalf("it waits: %+v", q)
				}
				if says := strings.Contains(q[0].LastError.Error(), "sent as a whole"); says != test.rarely {
					t.Errorf("it waits because of %v", q[0].LastError)
				}
				if why := b.Waiting().Causes; len(why) != 1 || strings.Contains(why[0].Text, "sent as a whole") != test.rarely {
					t.Errorf("it waits because of %+v", why)
				}
				b.faults.Heal()
				b.flush()
				if e, err := b.inner.Stat(t.Context(), "f"); err != nil || e.Size != int64(test.size) {
					t.Errorf("the remote has %+v, %v", e, err)
				}
			})
		})
	}
}

func TestTheBodyOfARepeatedRequestIsCountedOnce(t *testing.T) {
	r := &contentReader{SectionReader: io.NewSectionReader(strings.NewReader(strings.Repeat("x", costlyBody)), 0, costlyBody)}
	for range 3 {
		if _, err := r.Seek(0, 0); err != nil {
			t.Fatal(err)
		}
		if _, err := r.Read(make([]byte, costlyBody/2)); err != nil {
			t.Fatal(err)
		}
	}
	var whole *fullSendError
	if err := r.failed(errNetwork); errors.As(err, &whole) || !errors.Is(err, errNetwork) {
		t.Errorf("half of it, three times: %v", err)
	}
	if _, err := r.Read(make([]byte, costlyBody/2)); err != nil {
		t.Fatal(err)
	}
	if err := r.failed(remote.ErrQuota); !errors.As(err, &whole) || !errors.Is(err, remote.ErrQuota) {
		t.Errorf("all of it: %v", err)
	}
}
