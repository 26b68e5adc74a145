package objects_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"iter"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"ferry/remote"
	"ferry/remote/driver/internal/objects"
	"ferry/remote/remotetest"
)

// keeping is a flat store that takes pieces of a few bytes, and keeps them by the id of their
// upload.
type keeping struct {
	*flat
	uploads map[string]string // guarded by flat.mu
	lists   int               // guarded by flat.mu; of what is kept
	next    int               // guarded by flat.mu
	// refuses is how PutPlain fails; nil = it does not.
	refuses error
	piece   int64
}

func newKeeping(bucket string) *keeping {
	return &keeping{flat: newFlat(bucket), uploads: map[string]string{}, piece: 4}
}

func (s *keeping) open(o objects.Config) *objects.Tree {
	o.Name, o.Root, o.Holds, o.Buckets, o.KeepParts = "flat:b", "b", func(objects.Key) bool { return true }, s.flat, true
	return objects.New(s, o)
}

func (s *keeping) count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.uploads)
}

type keptState struct{ ID string }

func (s *keeping) Create(ctx context.Context, k objects.Key, o objects.CreateOptions) (objects.Draft, error) {
	d, err := s.flat.Create(ctx, k, o)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.next++
	return &keptDraft{flatDraft: d.(*flatDraft), s: s, id: strings.Repeat("i", s.next)}, nil
}

func (s *keeping) Continue(_ context.Context, k objects.Key, sent objects.Sent, _ objects.CreateOptions) (objects.Draft, error) {
	id := s.id(sent)
	s.mu.Lock()
	defer s.mu.Unlock()
	content, ok := s.uploads[id]
	if !ok {
		return nil, remote.ErrNotExist
	}
	return &keptDraft{flatDraft: &flatDraft{store: s.flat, key: k, content: []byte(content[:sent.Size])}, s: s, id: id}, nil
}

func (s *keeping) id(sent objects.Sent) string {
	var state keptState
	_ = json.Unmarshal(sent.State, &state)
	return state.ID
}

func (s *keeping) PutPlain(ctx context.Context, k objects.Key, content []byte, version string) (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if old, ok := s.buckets[k.Bucket][k.Name]; s.refuses != nil || ok != (version != "") || ok && old.Version != version {
		if s.refuses != nil {
			return "", s.refuses
		}
		return "", remote.ErrChanged
	}
	return s.put(k.Bucket, k.Name, string(content), time.Now()), ctx.Err()
}

func (s *keeping) Holds(_ context.Context, _ objects.Key, sent objects.Sent) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, ok := s.uploads[s.id(sent)]; !ok {
		return remote.ErrNotExist
	}
	return nil
}

func (s *keeping) Forget(_ context.Context, _ objects.Key, sent objects.Sent) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.uploads, s.id(sent))
	return nil
}

func (s *keeping) Cut(sent objects.Sent, off int64) (objects.Sent, bool) {
	sent.Size = off
	return sent, off%s.piece == 0
}

// Page counts the listings of what is kept.
func (s *keeping) All(ctx context.Context, k objects.Key) iter.Seq2[objects.Object, error] {
	s.mu.Lock()
	s.lists++
	s.mu.Unlock()
	return s.flat.All(ctx, k)
}

// A keptDraft has each whole piece in the store as soon as it is written.
type keptDraft struct {
	*flatDraft
	s    *keeping
	id   string
	sent int64 // guarded by s.mu
	halt error // guarded by s.mu
}

func (d *keptDraft) Write(p []byte) (int, error) {
	d.s.mu.Lock()
	defer d.s.mu.Unlock()
	if d.halt != nil {
		return 0, d.halt
	}
	n, err := d.flatDraft.Write(p)
	d.send()
	return n, err
}

// LOCKS_REQUIRED(d.s.mu)
func (d *keptDraft) send() {
	if d.sent = int64(len(d.content)) / d.s.piece * d.s.piece; d.sent > 0 {
		d.s.uploads[d.id] = string(d.content[:d.sent])
	}
}

func (d *keptDraft) Commit(ctx context.Context, modTime time.Time) (objects.Object, error) {
	d.s.mu.Lock()
	_, there := d.s.uploads[d.id]
	lost := d.sent > 0 && !there
	delete(d.s.uploads, d.id)
	d.s.mu.Unlock()
	if lost {
		return objects.Object{}, errors.New("no such upload")
	}
	return d.flatDraft.Commit(ctx, modTime)
}

func (d *keptDraft) Halt(cause error) {
	d.s.mu.Lock()
	defer d.s.mu.Unlock()
	d.halt = cause
}

func (d *keptDraft) Sent() objects.Sent {
	d.s.mu.Lock()
	defer d.s.mu.Unlock()
	if d.sent == 0 {
		return objects.Sent{}
	}
	state, _ := json.Marshal(keptState{d.id})
	return objects.Sent{Size: d.sent, State: state}
}

func (d *keptDraft) Noted() {}

func (d *keptDraft) Keep(context.Context) (objects.Sent, []byte) {
	sent := d.Sent()
	return sent, d.content[sent.Size:]
}

func (d *keptDraft) Release() {}

func (d *keptDraft) Abort() {
	d.s.mu.Lock()
	defer d.s.mu.Unlock()
	delete(d.s.uploads, d.id)
}

func TestATreeThatKeepsParts(t *testing.T) {
	remotetest.Run(t, func(*testing.T) remote.Remote {
		s := newKeeping("b")
		s.piece = 1000 // the suite cuts shorter contents anywhere
		return tree{s.open(objects.Config{})}
	})
}

const who = "alice"

func begin(t *testing.T, r *objects.Tree, o remote.StageOptions, content string) remote.Stage {
	t.Helper()
	o.Owner = who
	s, err := r.Stage(t.Context(), "d/f", o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Abort() })
	if _, err := io.WriteString(s, content); err != nil {
		t.Fatal(err)
	}
	return s
}

func commit(t *testing.T, s remote.Stage) error {
	t.Helper()
	_, err := s.Commit(t.Context(), time.Time{})
	return err
}

// has checks how long the part is; below 0 there is none.
func has(t *testing.T, r *objects.Tree, size int64) {
	t.Helper()
	e, err := r.Part(t.Context(), "d/f", who)
	switch {
	case size < 0 && !errors.Is(err, remote.ErrNotExist):
		t.Errorf("Part: %+v, %v", e, err)
	case size >= 0 && (err != nil || e.Size != size):
		t.Errorf("Part: %+v, %v, want %d bytes", e, err, size)
	}
}

// clean checks that nothing is kept.
func (s *keeping) clean(t *testing.T, keys ...string) {
	t.Helper()
	if got := s.keys("b"); strings.Join(got, " ") != strings.Join(keys, " ") || s.count() != 0 {
		t.Errorf("there are %q, and %d uploads", got, s.count())
	}
}

func onPart(off int64) remote.StageOptions {
	return remote.StageOptions{Base: remote.BasePart, Off: off}
}

// What a node has sent is written down every ten seconds, and belongs to it for 25.
func TestANodeThatIsKilled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newKeeping("b")
		a, b := s.open(objects.Config{}), s.open(objects.Config{})
		dead := begin(t, a, remote.StageOptions{}, "0123456")
		time.Sleep(9 * time.Second)
		has(t, b, -1)
		time.Sleep(2 * time.Second)
		has(t, b, 4) // the rest was not sent
		has(t, a, -1)
		for range 6 { // it is renewed
			time.Sleep(10 * time.Second)
			if _, err := b.Stage(t.Context(), "d/f", remote.StageOptions{Owner: who, Base: remote.BasePart, Off: 4}); !errors.Is(err, remote.ErrChanged) {
				t.Fatalf("taken from one that lives: %v", err)
			}
		}
		a.StopNoting()
		time.Sleep(25 * time.Second)
		u := begin(t, b, onPart(4), "4567")
		if _, err := io.WriteString(dead, "x"); err != nil { // it does not know yet
			t.Error(err)
		}
		if err := commit(t, dead); !errors.Is(err, remote.ErrChanged) {
			t.Errorf("the dead one publishes: %v", err)
		}
		if err := dead.Keep(); err != nil {
			t.Error(err)
		}
		has(t, a, 4) // which is not the one that it has lost
		if err := commit(t, u); err != nil {
			t.Fatal(err)
		}
		has(t, a, -1)
		s.clean(t, "d/f")
		if f, err := s.get(t.Context(), objects.Key{Bucket: "b", Name: "d/f"}); err != nil || string(f.content) != "01234567" {
			t.Errorf("%q, %v", f.content, err)
		}
	})
}

// One that sleeps, and whose upload is taken, is told when it wakes up.
func TestANodeThatSleeps(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newKeeping("b")
		a, b := s.open(objects.Config{Tick: time.Hour}), s.open(objects.Config{Tick: time.Minute})
		if err := begin(t, a, remote.StageOptions{}, "01234567").Keep(); err != nil {
			t.Fatal(err)
		}
		sleeping := begin(t, b, onPart(8), "89")
		b.StopNoting() // 2.5 minutes
		time.Sleep(3 * time.Minute)
		u := begin(t, a, onPart(8), "abcdefgh")
		if err := sleeping.Abort(); err != nil {
			t.Error(err)
		}
		if s.count() != 1 {
			t.Error("who has lost an upload aborts it")
		}
		if err := u.Keep(); err != nil {
			t.Fatal(err)
		}
		has(t, b, 16)
	})
}

func TestUploadsOfOneNameOnTwoNodes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newKeeping("b")
		a, b := s.open(objects.Config{}), s.open(objects.Config{})
		one := begin(t, a, remote.StageOptions{}, "11111")
		time.Sleep(time.Minute)
		two := begin(t, b, remote.StageOptions{}, "222222")
		time.Sleep(time.Minute)
		if err := two.Keep(); err != nil { // it takes the place of what is written down of the other
			t.Fatal(err)
		}
		has(t, a, 6)
		time.Sleep(time.Minute)
		if err := commit(t, one); err != nil {
			t.Fatalf("an upload that was kept disturbs another one: %v", err)
		}
		has(t, b, -1)
		s.clean(t, "d/f")

		for _, content := range []string{"1234567", "12345678 9"} {
			if err := begin(t, a, remote.StageOptions{}, content).Keep(); err != nil {
				t.Fatal(err)
			}
		}
		if has(t, b, 10); s.count() != 1 {
			t.Errorf("%d uploads are kept", s.count())
		}
		dropped := begin(t, b, onPart(10), "012")
		if err := a.DropPart(t.Context(), "d/f", who); err != nil {
			t.Error(err)
		}
		time.Sleep(time.Minute)
		if err := commit(t, dropped); err != nil {
			t.Errorf("an upload that nobody can continue any more: %v", err)
		}
		s.clean(t, "d/f")
	})
}

func TestPartsThatAreTooOld(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const day = 24 * time.Hour
		s := newKeeping("b")
		o := objects.Config{PartMaxAge: day}
		r := s.open(o)
		keep := func() {
			if err := begin(t, r, remote.StageOptions{}, "1234567").Keep(); err != nil {
				t.Fatal(err)
			}
		}
		keep()
		time.Sleep(day - time.Minute)
		has(t, r, 7)
		time.Sleep(2 * time.Minute)
		has(t, r, -1)
		s.clean(t)

		keep()
		s.set("b", ".ferry-parts/x/alice-y.z.tail", "whose?", time.Now())
		time.Sleep(day + time.Minute)
		if err := r.SweepParts(t.Context()); err != nil {
			t.Error(err)
		}
		s.clean(t, ".ferry-parts/x/alice-y.z.tail")
		time.Sleep(day)
		if err := r.SweepParts(t.Context()); err != nil {
			t.Error(err)
		}
		s.clean(t)

		under := begin(t, r, remote.StageOptions{}, "1234567") // which is not old as long as it goes on
		time.Sleep(3 * day)
		if err := r.SweepParts(t.Context()); err != nil {
			t.Error(err)
		}
		if err := commit(t, under); err != nil {
			t.Error(err)
		}
		s.clean(t, "d/f")
	})
}

// Whoever keeps nothing pays for one listing in half a minute.
func TestWhatPartsCostThoseWhoHaveNone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newKeeping("b")
		r := s.open(objects.Config{})
		for range 20 {
			if err := commit(t, begin(t, r, remote.StageOptions{}, "x")); err != nil {
				t.Fatal(err)
			}
			for _, err := range r.List(t.Context(), "d") {
				if err != nil {
					t.Fatal(err)
				}
			}
			if err := r.DropPart(t.Context(), "d/f", who); !errors.Is(err, remote.ErrNotExist) {
				t.Error(err)
			}
			time.Sleep(time.Second)
		}
		if s.lists != 1 {
			t.Errorf("%d listings", s.lists)
		}
	})
}

func TestAStoreThatRefusesManifests(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newKeeping("b")
		s.refuses = remote.ErrPermission
		r := s.open(objects.Config{})
		long := begin(t, r, remote.StageOptions{}, "12345678")
		time.Sleep(time.Minute)
		for range 2 {
			_ = begin(t, r, remote.StageOptions{}, "1234567").Keep()
		}
		if has(t, r, -1); s.count() != 1 {
			t.Errorf("%d uploads", s.count())
		}
		if err := commit(t, long); err != nil {
			t.Error(err)
		}
		s.clean(t, "d/f")
	})
}

// What is kept has no name.
func TestWhatIsKeptIsHidden(t *testing.T) {
	s := newKeeping("b")
	r := s.open(objects.Config{})
	if err := begin(t, r, remote.StageOptions{}, "1234567").Keep(); err != nil {
		t.Fatal(err)
	}
	for e, err := range r.List(t.Context(), ".") {
		t.Errorf("%+v, %v", e, err)
	}
	for _, name := range []string{".ferry-parts", ".ferry-parts/x"} {
		if _, err := r.Stat(t.Context(), name); !errors.Is(err, remote.ErrBadName) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := r.CheckName("d/.ferry-parts"); err != nil {
		t.Error(err)
	}
	all := objects.New(s, objects.Config{Holds: func(objects.Key) bool { return true }, Buckets: s.flat, KeepParts: true})
	for e, err := range all.List(t.Context(), "b") {
		t.Errorf("%+v, %v", e, err)
	}
	if err := all.Rmdir(t.Context(), "b"); err != nil {
		t.Errorf("a bucket with nothing but that: %v", err)
	}
}
