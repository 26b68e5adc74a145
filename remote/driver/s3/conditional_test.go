package s3

import (
	"bytes"
	"errors"
	"net/http"
	"strings"
	"testing"

	"ferry/remote"
	"ferry/remote/remotetest/badnet"
)

func isStore(q *http.Request) bool { return q.Method == http.MethodPut || q.Method == http.MethodPost }

// version returns that of a file.
func version(t *testing.T, r *Remote, name string) string {
	t.Helper()
	e, err := r.Stat(t.Context(), name)
	if err != nil {
		t.Fatal(err)
	}
	return e.Version
}

func putIf(t *testing.T, r *Remote, content []byte, version string) error {
	_, err := r.PutIf(t.Context(), "f", bytes.NewReader(content), version, remote.PutOptions{Size: int64(len(content))})
	return err
}

// What is stored although its answer was lost is not taken for what somebody else has stored; and
// what somebody else has stored not for that.
func TestALostAnswerIsNoChange(t *testing.T) {
	for what, content := range map[string][]byte{"in one request": []byte("new"), "in parts": pattern(minPart + 1)} {
		t.Run(what, func(t *testing.T) {
			r, n := openBad(t, startGateway(t), nil)
			putString(t, r, "f", "old")
			if err := putIf(t, r, []byte("older"), version(t, r, "f")); err != nil { // which finds out
				t.Fatal(err)
			}
			if err := putIf(t, r, pattern(minPart+2), version(t, r, "f")); err != nil {
				t.Fatal(err)
			}
			method, path := "PUT", "/f"
			if len(content) > minPart {
				method, path = "POST", "uploadId"
			}
			for _, status := range []int{0, 502, 503} {
				was := version(t, r, "f")
				n.Add(badnet.Rule{Method: method, Path: path, Times: 1, Fate: badnet.Fate{Answer: badnet.Dropped, Status: status}})
				if err := putIf(t, r, content, was); err != nil {
					t.Errorf("status %d: %v\n%s", status, err, n.History())
				}
				holds(t, r, "f", string(content))
				if err := putIf(t, r, []byte("other"), was); !errors.Is(err, remote.ErrChanged) {
					t.Errorf("an old version is %v", err)
				}
				putString(t, r, "f", "old")
			}
		})
	}
}

// A server that ignores preconditions is found out by one that cannot hold, and compared with from
// then on; one that does not know them is asked without; one that honours them is asked once.
func TestWhatAPutOnAPreconditionCosts(t *testing.T) {
	for what, c := range map[string]struct {
		start  func(*testing.T) *front
		refuse int // the status of what has a precondition; 0 = it is served
		strip  bool
		want   []int
	}{
		"honoured": {startGatewayFront, 0, false, []int{3, 1, 1}},
		"ignored":  {startFake, 0, true, []int{2, 2, 2}},
		"refused":  {startFake, http.StatusNotImplemented, false, []int{3, 2, 2}},
	} {
		t.Run(what, func(t *testing.T) {
			f := c.start(t)
			r := openAt(t, testBucket, testOptions(f.addr))
			f.setMeddle(func(w http.ResponseWriter, q *http.Request) bool {
				conditional := isStore(q) && q.Header.Get("If-Match")+q.Header.Get("If-None-Match") != ""
				switch {
				case conditional && c.refuse != 0:
					return refuseWith(c.refuse, "NotImplemented", isStore)(w, q)
				case c.strip:
					q.Header.Del("If-Match")
					q.Header.Del("If-None-Match")
				}
				return false
			})
			putString(t, r, "f", "old")
			for round, want := range c.want {
				was := version(t, r, "f")
				f.take()
				if err := putIf(t, r, []byte(strings.Repeat("x", round+1)), was); err != nil {
					t.Fatal(err)
				}
				if got := f.take(); len(got) != want {
					t.Errorf("round %d: requests\n\t%s\nwant %d", round+1, strings.Join(got, "\n\t"), want)
				}
				if err := putIf(t, r, []byte("late"), was); !errors.Is(err, remote.ErrChanged) {
					t.Errorf("an old version is %v", err)
				}
			}
		})
	}
}

// On a server that honours preconditions nothing can come between the look and the end of an
// upload.
func TestAPutOnAPreconditionIsOneStep(t *testing.T) {
	for what, content := range map[string][]byte{"in one request": []byte("mine"), "in parts": pattern(minPart + 1)} {
		t.Run(what, func(t *testing.T) {
			f := startGatewayFront(t)
			r, other := openAt(t, testBucket, testOptions(f.addr)), openAt(t, testBucket, testOptions(f.addr))
			putString(t, r, "f", "old")
			last := func(q *http.Request) bool {
				if len(content) > minPart {
					return q.Method == http.MethodPost && q.URL.Query().Has("uploadId")
				}
				return q.Method == http.MethodPut
			}
			for range 2 { // the first one finds out what the server does
				was := version(t, r, "f")
				f.when(last, func() { putString(t, other, "f", "theirs, "+was) }, func() {})
				if err := putIf(t, r, content, was); !errors.Is(err, remote.ErrChanged) {
					t.Errorf("it is %v", err)
				}
				holds(t, r, "f", "theirs, "+was)
			}
		})
	}
}
