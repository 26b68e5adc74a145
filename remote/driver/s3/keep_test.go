package s3

import (
	"bytes"
	"errors"
	"io"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"ferry/remote"
	"ferry/remote/driver/internal/objects/objectstest"
)

// stageOf begins an upload that the test writes to.
func stageOf(t *testing.T, r *Remote, name string, o remote.StageOptions, content []byte) remote.Stage {
	t.Helper()
	o.Owner = owner
	s, err := r.Stage(t.Context(), name, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Abort() })
	if _, err := io.Copy(s, bytes.NewReader(content)); err != nil {
		t.Fatal(err)
	}
	return s
}

// partSize returns the length of what owner left.
func partSize(t *testing.T, r *Remote, name string) int64 {
	t.Helper()
	e, err := r.Part(t.Context(), name, owner)
	if err != nil {
		t.Fatal(err)
	}
	return e.Size
}

// leftKeys returns the keys of what is kept of unfinished uploads.
func leftKeys(t *testing.T, r *Remote) []string {
	t.Helper()
	return slices.DeleteFunc(objectstest.Keys(t, service{r}, testBucket), func(key string) bool { return !strings.Contains(key, ".ferry-parts/") })
}

// finish publishes an upload, and checks that nothing but the file is left.
func finish(t *testing.T, r *Remote, s remote.Stage, name string, want []byte) {
	t.Helper()
	if _, err := s.Commit(t.Context(), time.Time{}); err != nil {
		t.Fatal(err)
	}
	if got := load(t, r, name); !bytes.Equal(got, want) {
		t.Errorf("%s has %d bytes, and not those of the upload", name, len(got))
	}
	if _, err := r.Part(t.Context(), name, owner); !errors.Is(err, remote.ErrNotExist) {
		t.Errorf("Part: %v", err)
	}
	if keys := leftKeys(t, r); len(keys) != 0 {
		t.Errorf("%q are left", keys)
	}
}

// Each round of an upload goes through another node, which knows nothing of the one before.
func TestAnUploadIsContinuedOnAnotherNode(t *testing.T) {
	o := testOptions(startGateway(t))
	for _, rounds := range [][]int{
		{1, 1}, {minPart - 1, 1, 1}, {minPart, 1}, {minPart + 1, minPart - 1, minPart}, {0, 3*minPart + 5, 1, 2 * minPart, 0, 7},
	} {
		var want []byte
		for i, n := range rounds {
			r := openAt(t, testBucket+"/top", o)
			from := remote.StageOptions{}
			if len(want) > 0 {
				from = remote.StageOptions{Base: remote.BasePart, Off: int64(len(want))}
			}
			piece := pattern(len(want) + n)[len(want):]
			s := stageOf(t, r, "d/f", from, piece)
			want = append(want, piece...)
			if i == len(rounds)-1 {
				if finish(t, r, s, "d/f", want); uploads(t, r) > 0 {
					t.Error("an upload is left")
				}
				break
			}
			if err := s.Keep(); err != nil {
				t.Fatal(err)
			}
			if len(want) == 0 {
				continue
			}
			other := openAt(t, testBucket+"/top", o)
			if got := partSize(t, other, "d/f"); got != int64(len(want)) {
				t.Errorf("%v: round %d: %d bytes of %d are kept", rounds, i, got, len(want))
			}
		}
	}
}

func TestWhatIsCutOffAnUnfinishedUpload(t *testing.T) {
	r := openAt(t, testBucket, testOptions(startGateway(t)))
	content := pattern(3*minPart + 1000)
	for off, fails := range map[int64]bool{
		3*minPart + 1000: false, 3*minPart + 1: false, 3 * minPart: false, 2 * minPart: false, 0: false,
		3*minPart - 1: true, 17: true,
	} {
		if err := stageOf(t, r, "f", remote.StageOptions{}, content).Keep(); err != nil {
			t.Fatal(err)
		}
		s, err := r.Stage(t.Context(), "f", remote.StageOptions{Owner: owner, Base: remote.BasePart, Off: off})
		if fails {
			var hint interface{ Hint() string }
			if !errors.Is(err, remote.ErrInvalid) || !errors.As(err, &hint) || partSize(t, r, "f") != int64(len(content)) {
				t.Errorf("at %d: %v", off, err)
			}
			continue
		}
		if err != nil {
			t.Errorf("at %d: %v", off, err)
			continue
		}
		if _, err := s.Write([]byte("more")); err != nil {
			t.Error(err)
		}
		finish(t, r, s, "f", append(content[:off:off], "more"...))
	}
}

// A node that is killed has written down what it sent. Who comes too early is told to wait; the
// node that comes back to life publishes nothing, and disturbs nothing.
func TestAnUploadOfADeadNodeIsContinued(t *testing.T) {
	t.Parallel() // it mostly waits
	o := testOptions(startGateway(t))
	o.tick = time.Second // a busy machine has to hold its leases
	a, b := openAt(t, testBucket, o), openAt(t, testBucket, o)
	content := pattern(4*minPart + 100)
	dead := stageOf(t, a, "f", remote.StageOptions{}, content[:2*minPart+50])
	for end := time.Now().Add(time.Minute); ; time.Sleep(o.tick / 4) {
		if e, err := b.Part(t.Context(), "f", owner); err == nil && e.Size == 2*minPart {
			break
		} else if time.Now().After(end) {
			t.Fatalf("what was sent is not written down: %v, %v", e, err)
		}
	}
	if _, err := b.Stage(t.Context(), "f", remote.StageOptions{Owner: owner, Base: remote.BasePart, Off: 2 * minPart}); !errors.Is(err, remote.ErrChanged) {
		t.Errorf("an upload under way is continued: %v", err)
	}
	if _, err := a.Part(t.Context(), "f", owner); !errors.Is(err, remote.ErrNotExist) {
		t.Errorf("the node itself shows it: %v", err)
	}
	a.Tree.StopNoting()
	var s remote.Stage
	for end := time.Now().Add(time.Minute); s == nil && time.Now().Before(end); time.Sleep(o.tick / 4) {
		s, _ = b.Stage(t.Context(), "f", remote.StageOptions{Owner: owner, Base: remote.BasePart, Off: 2 * minPart})
	}
	if s == nil {
		t.Fatal("the lease does not end")
	}
	if _, err := s.Write(content[2*minPart : 4*minPart]); err != nil {
		t.Fatal(err)
	}
	if _, err := dead.Write(pattern(3 * minPart)); err == nil { // it has not been told yet
		_, err = dead.Commit(t.Context(), time.Time{})
		if !errors.Is(err, remote.ErrChanged) {
			t.Errorf("who has lost the upload publishes it: %v", err)
		}
	}
	if err := dead.Abort(); err != nil {
		t.Error(err)
	}
	if _, err := s.Write(content[4*minPart:]); err != nil {
		t.Fatal(err)
	}
	finish(t, b, s, "f", content)
}

// What the server has not confirmed is not promised.
func TestAPartThatIsLostIsNotTold(t *testing.T) {
	f := startGatewayFront(t)
	r := openAt(t, testBucket, testOptions(f.addr))
	content := pattern(6 * minPart)
	f.setMeddle(refuseWith(http.StatusForbidden, "AccessDenied", func(q *http.Request) bool { return isPart(q, "3") }))
	s := stageOf(t, r, "f", remote.StageOptions{}, nil)
	_, _ = s.Write(content) // fails sooner or later
	if err := s.Keep(); err != nil {
		t.Fatal(err)
	}
	f.setMeddle(nil)
	size := partSize(t, r, "f")
	if size != 2*minPart {
		t.Fatalf("%d bytes are promised", size)
	}
	s = stageOf(t, r, "f", remote.StageOptions{Base: remote.BasePart, Off: size}, content[size:])
	finish(t, r, s, "f", content)
}

// A key may not write everywhere. Then it is as it was before uploads were kept.
func TestAStoreThatTakesNoManifest(t *testing.T) {
	f := startFake(t)
	r := openAt(t, testBucket, testOptions(f.addr))
	f.setMeddle(refuseWith(http.StatusForbidden, "AccessDenied", func(q *http.Request) bool {
		return q.Method == http.MethodPut && strings.Contains(q.URL.Path, ".ferry-parts")
	}))
	for _, n := range []int{10, 2*minPart + 1} {
		s := stageOf(t, r, "f", remote.StageOptions{}, pattern(n))
		if err := s.Keep(); n > 0 && err != nil && !errors.Is(err, remote.ErrPermission) {
			t.Error(err)
		}
		leavesNothing(t, r, "f", nil)
	}
	store(t, r, "f", remote.StageOptions{}, pattern(2*minPart+1))
}

// A server that does not know preconditions of a PUT is asked before.
func TestAServerWithoutPreconditionsForManifests(t *testing.T) {
	f := startFake(t)
	f.setMeddle(refuseWith(http.StatusNotImplemented, "NotImplemented", func(q *http.Request) bool {
		return q.Method == http.MethodPut && (q.Header.Get("If-None-Match") != "" || q.Header.Get("If-Match") != "")
	}))
	r, other := openAt(t, testBucket, testOptions(f.addr)), openAt(t, testBucket, testOptions(f.addr))
	content := pattern(minPart + 10)
	if err := stageOf(t, r, "f", remote.StageOptions{}, content[:minPart+1]).Keep(); err != nil {
		t.Fatal(err)
	}
	s := stageOf(t, other, "f", remote.StageOptions{Base: remote.BasePart, Off: minPart + 1}, content[minPart+1:])
	if _, err := r.Stage(t.Context(), "f", remote.StageOptions{Owner: owner, Base: remote.BasePart, Off: minPart + 1}); !errors.Is(err, remote.ErrChanged) {
		t.Errorf("two continue one upload: %v", err)
	}
	finish(t, other, s, "f", content)
}

func TestUploadsThatAreKeptAreCleanedUp(t *testing.T) {
	r := openAt(t, testBucket+"/top", testOptions(startGateway(t)))
	for _, name := range []string{"d/long", "short"} {
		n := 10
		if name != "short" {
			n = 2*minPart + 1
		}
		if err := stageOf(t, r, name, remote.StageOptions{}, pattern(n)).Keep(); err != nil {
			t.Fatal(err)
		}
	}
	left := unfinished(t, r, ".")
	if len(left) != 2 {
		t.Fatalf("found: %+v", left)
	}
	if in := unfinished(t, r, "d"); len(in) != 1 || in[0].Name != "d/long" || in[0].Size != 2*minPart+1 {
		t.Errorf("in d: %+v", in)
	}
	for _, u := range left {
		if err := r.AbortUpload(t.Context(), u.Token); err != nil {
			t.Error(err)
		}
	}
	if n, keys := uploads(t, r), leftKeys(t, r); n != 0 || len(keys) != 0 {
		t.Errorf("%d uploads and %q are left", n, keys)
	}
}

// Uploads are cut anywhere, by their clients and by the death of their node, and continued on any
// node, until the file is there.
func TestUploadsThatAreCutAnywhere(t *testing.T) {
	o := testOptions(startGateway(t))
	o.tick = 250 * time.Millisecond // a busy machine has to hold its leases
	random := rand.New(rand.NewPCG(1, 2))
	content := pattern(5*minPart + 12345)
	for range 4 {
		done := int64(0)
		for rounds := 0; ; rounds++ {
			r := openAt(t, testBucket, o)
			from := remote.StageOptions{}
			if done > 0 {
				from = remote.StageOptions{Base: remote.BasePart, Off: done}
			}
			n := min(random.Int64N(3*minPart), int64(len(content))-done)
			s := stageOf(t, r, "f", from, content[done:done+n])
			if done += n; done == int64(len(content)) {
				finish(t, r, s, "f", content)
				break
			}
			if random.IntN(3) > 0 {
				if err := s.Keep(); err != nil {
					t.Fatal(err)
				}
			} else {
				r.Tree.StopNoting()
				time.Sleep(3 * o.tick) // until the lease has ended
			}
			e, err := openAt(t, testBucket, o).Part(t.Context(), "f", owner)
			if err != nil && !errors.Is(err, remote.ErrNotExist) {
				t.Fatal(err)
			}
			if done = e.Size; rounds > 100 {
				t.Fatal("it does not get on")
			}
		}
	}
}
