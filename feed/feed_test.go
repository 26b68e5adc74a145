package feed

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"reflect"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"ferry/remote"
	"ferry/remote/driver/memory"
	"ferry/remote/notice"
)

// bucket is a remote that shows a bucket, or all of them.
type bucket struct {
	remote.Remote
	name string
}

func (b bucket) ObjectName(of, key string) (string, bool) {
	switch {
	case b.name == "" && key == "":
		return of, true
	case b.name == "":
		return of + "/" + key, true
	case of != b.name:
		return "", false
	case key == "":
		return ".", true
	}
	return key, true
}

// source is a Source that a test speaks by.
type source struct {
	up   chan bool // true = begun, having missed something
	down chan error
}

func newSource() *source { return &source{make(chan bool), make(chan error)} }

func (s *source) Listen(ctx context.Context, f *Feed) error {
	for {
		select {
		case missed := <-s.up:
			f.Begun(missed)
		case err := <-s.down:
			return err
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// event is an event of S3.
func event(name, of, key, order string) Message {
	return Message{Body: fmt.Appendf(nil, `{"Records":[{"eventVersion":"2.1","eventSource":"aws:s3","eventTime":"2000-01-01T00:00:00Z","eventName":%q,"s3":{"bucket":{"name":%q},"object":{"key":%q,"eTag":"v%s","sequencer":%q}}}]}`,
		name, of, key, order, order)}
}

const (
	stored  = "ObjectCreated:Put"
	removed = "ObjectRemoved:Delete"
)

// start runs feeds within a bubble until the test ends.
func start(t *testing.T, feeds ...*Feed) *Set {
	t.Helper()
	set := NewSet(feeds...)
	ctx, cancel := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	wg.Go(func() { set.Run(ctx) })
	t.Cleanup(func() {
		cancel()
		wg.Wait()
	})
	return set
}

// watch yields what a remote tells, without the feed's own time.
func watch(t *testing.T, set *Set, r remote.Remote) func() remote.Change {
	t.Helper()
	w, ok := remote.AsWatcher(set.Around(r))
	if !ok {
		t.Fatal("it is no Watcher")
	}
	ctx, cancel := context.WithCancel(t.Context())
	next, stop := iter.Pull2(w.Watch(ctx, 0))
	t.Cleanup(func() {
		cancel()
		stop()
	})
	return func() remote.Change {
		t.Helper()
		c, err, ok := next()
		if err != nil || !ok {
			t.Fatalf("%v, %v", err, ok)
		}
		return c
	}
}

// begun is a feed that is up, and what the bucket "a" is told by it from then on.
func begun(t *testing.T, o Options) (f *Feed, next func() remote.Change) {
	t.Helper()
	s := newSource()
	f = New(s, o)
	set := start(t, f)
	go func() { s.up <- true }()
	next = watch(t, set, bucket{memory.New(), "a"})
	expect(t, next, remote.Everything())
	return f, next
}

func expect(t *testing.T, next func() remote.Change, want ...remote.Change) {
	t.Helper()
	for _, w := range want {
		if got := next(); got != w {
			t.Errorf("%+v, not %+v", got, w)
		}
	}
}

func TestChangesReachTheRemotesThatShowThem(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSource()
		f := New(s, Options{Kind: "nats"})
		set := start(t, f)
		one, other, all := bucket{memory.New(), "a"}, bucket{memory.New(), "b"}, bucket{memory.New(), ""}
		go func() { s.up <- true }()
		nextOne, nextOther, nextAll := watch(t, set, one), watch(t, set, other), watch(t, set, all)
		expect(t, nextOne, remote.Everything())
		expect(t, nextOther, remote.Everything())
		expect(t, nextAll, remote.Everything())
		f.Take(event(stored, "a", "d/f", "1"))
		f.Take(event(removed, "b", "g", "2"))
		f.Take(event(stored, "c", "h", "2"))
		f.Take(Message{Body: []byte(`{"Service":"S3","Event":"s3:TestEvent"}`)})
		f.Take(Message{Body: []byte(`hello`)})
		expect(t, nextOne, remote.Change{Name: "d/f", Version: "v1"})
		expect(t, nextOther, remote.Change{Name: "g", Removed: true})
		expect(t, nextAll, remote.Change{Name: "a/d/f", Version: "v1"}, remote.Change{Name: "b/g", Removed: true}, remote.Change{Name: "c/h", Version: "v2"})
		status := set.Status()[0]
		if status.Results != [...]uint64{3, 0, 0, 1, 1} || status.Gaps != 1 || !status.Up || status.Lag != 0 || status.Last.IsZero() {
			t.Errorf("%+v", status)
		}
		time.Sleep(3 * time.Second)
		f.Take(event(stored, "a", "f", "1"))
		if got := f.Status().Lag; got != 3*time.Second {
			t.Errorf("the lag is %v", got)
		}
	})
}

// A live name must not vanish because of an old removal: what is claimed of a name is of the newest
// event.
func TestWhatIsOlderClaimsNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, next := begun(t, Options{})
		f.Take(event(stored, "a", "f", "20"))
		f.Take(event(removed, "a", "f", "1F"))
		f.Take(event(stored, "a", "f", "20")) // again
		f.Take(event(removed, "a", "f", "21"))
		f.Take(event(stored, "a", "f", "20"))
		expect(t, next, remote.Change{Name: "f", Version: "v20"}, remote.Change{Name: "f"}, remote.Change{Name: "f", Version: "v20"},
			remote.Change{Name: "f", Removed: true}, remote.Change{Name: "f"})
		gcs := func(kind, generation string, more ...string) Message {
			a := map[string]string{"eventType": kind, "bucketId": "a", "objectId": "g", "objectGeneration": generation}
			for i := 0; i < len(more); i += 2 {
				a[more[i]] = more[i+1]
			}
			return Message{Attributes: a}
		}
		f.Take(gcs("OBJECT_FINALIZE", "10", "overwroteGeneration", "9"))
		f.Take(gcs("OBJECT_DELETE", "9")) // without the word that it was replaced
		f.Take(gcs("OBJECT_DELETE", "9", "overwrittenByGeneration", "10"))
		f.Take(gcs("OBJECT_DELETE", "10"))
		expect(t, next, remote.Change{Name: "g", Version: "10"}, remote.Change{Name: "g"}, remote.Change{Name: "g"}, remote.Change{Name: "g", Removed: true})
		if got := f.Status().Results; got[Older] != 4 || got[Applied] != 5 {
			t.Errorf("%v", got)
		}
	})
}

// One event that nobody knows does not hide those that came with it.
func TestAListWithAnUnknownEvent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, next := begun(t, Options{})
		f.Take(Message{Body: []byte(`[{"eventType":"Contoso.Other","subject":"x"},` + string(event(stored, "a", "f", "1").Body) + `]`)})
		expect(t, next, remote.Change{Name: "f", Version: "v1"})
		if got := f.Status().Results; got[Unreadable] != 1 || got[Applied] != 1 {
			t.Errorf("%v", got)
		}
	})
}

// Notices of many objects do not add up in memory.
func TestTheNewestOfManyObjects(t *testing.T) {
	var m newest
	for i := range 3 * maxNewest {
		m.isOlder(&notice.Notice{Bucket: "a", Key: fmt.Sprint(i), Order: "20"})
	}
	if n := len(m.now) + len(m.old); n > 2*maxNewest {
		t.Errorf("%d are remembered", n)
	}
}

func TestAGapExpiresTheBucketsOfTheFeed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		one, two := newSource(), newSource()
		ofA, ofB := New(one, Options{Buckets: []string{"a"}}), New(two, Options{Buckets: []string{"b"}})
		set := start(t, ofA, ofB)
		go func() { one.up <- true }()
		go func() { two.up <- true }()
		synctest.Wait()
		next, all := watch(t, set, bucket{memory.New(), "a"}), watch(t, set, bucket{memory.New(), ""})
		expect(t, next, remote.Everything())
		expect(t, all, remote.Everything())
		ofB.Missed()
		ofB.Take(event(stored, "a", "not of this feed", "1"))
		ofA.Take(event(stored, "a", "f", "1"))
		expect(t, next, remote.Change{Name: "f", Version: "v1"})
		expect(t, all, remote.Change{Name: "b", Dir: true, Below: true}, remote.Change{Name: "a/f", Version: "v1"})
		ofA.Missed()
		expect(t, next, remote.Everything())
		if a, b := set.Status()[0].Gaps, set.Status()[1].Gaps; a != 2 || b != 2 {
			t.Errorf("%d and %d gaps", a, b)
		}
	})
}

func TestASourceThatIsAway(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log strings.Builder
		s := newSource()
		f := New(s, Options{Name: "nats://***@h/s", Log: slog.New(slog.NewTextHandler(&log, nil))})
		set := start(t, f)
		go func() { s.up <- true }()
		next := watch(t, set, bucket{memory.New(), "a"})
		expect(t, next, remote.Everything())
		for range 3 {
			s.down <- errors.New("it is cut")
		}
		begun := time.Now()
		synctest.Wait()
		if st := f.Status(); st.Up || st.Away.IsZero() || st.Problem != "it is cut" {
			t.Errorf("%+v", st)
		}
		expect(t, next, remote.Everything(), remote.Everything()) // what may have changed meanwhile is asked for
		if took := time.Since(begun); took < 2*AwayTime-time.Second || took > 2*AwayTime+time.Minute {
			t.Errorf("two times everything took %v", took)
		}
		s.up <- false // the source has kept all that was told
		f.Take(event(stored, "a", "f", "1"))
		expect(t, next, remote.Change{Name: "f", Version: "v1"})
		s.down <- errors.New("it is cut")
		s.up <- true
		expect(t, next, remote.Everything())
		synctest.Wait()
		if n := strings.Count(log.String(), "level=WARN"); n != 4 {
			t.Errorf("%d warnings: %s", n, log.String())
		}
	})
}

func TestAWatchThatIsSlow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, next := begun(t, Options{})
		for i := range maxPending + 10 {
			f.Take(event(stored, "a", fmt.Sprint(i), "1"))
		}
		expect(t, next, remote.Everything())
		f.Take(event(stored, "a", "f", "1"))
		expect(t, next, remote.Change{Name: "f", Version: "v1"})
	})
}

func TestRemotesThatFeedsDoNotConcern(t *testing.T) {
	set := NewSet(New(newSource(), Options{Buckets: []string{"a"}}))
	plain := memory.New()
	if set.Around(plain) != remote.Remote(plain) || (*Set)(nil).Around(plain) != remote.Remote(plain) {
		t.Error("a remote without objects is decorated")
	}
	other := bucket{plain, "b"}
	if set.Around(other) != remote.Remote(other) || remote.IsTold(other) {
		t.Error("a remote of another bucket is decorated")
	}
	if !remote.IsTold(set.Around(bucket{plain, "a"})) {
		t.Error("a remote of the bucket is not decorated")
	}
}

func TestURLs(t *testing.T) {
	for text, want := range map[string]URL{
		"nats://h1:4222,h2/s3.events":                      {Kind: "nats", Hosts: []string{"h1:4222", "h2"}, Path: "s3.events"},
		"nats://u:p%40ss@h/s?tls=true":                     {Kind: "nats", Hosts: []string{"h"}, User: "u", Password: "p@ss", Path: "s", Options: map[string]string{"tls": "true"}},
		"kafka://h:9092/t?bucket=a,b":                      {Kind: "kafka", Hosts: []string{"h:9092"}, Path: "t", Buckets: []string{"a", "b"}},
		"pubsub://project/subscription":                    {Kind: "pubsub", Hosts: []string{"project"}, Path: "subscription"},
		"sqs://sqs.eu-west-1.amazonaws.com/123456789012/q": {Kind: "sqs", Hosts: []string{"sqs.eu-west-1.amazonaws.com"}, Path: "123456789012/q"},
		"azqueue://account/q":                              {Kind: "azqueue", Hosts: []string{"account"}, Path: "q"},
		"webhook:?token=0123456789abcdef":                  {Kind: "webhook", Options: map[string]string{"token": "0123456789abcdef"}},
		"webhook:minio?token-file=/etc/t":                  {Kind: "webhook", Path: "minio", Options: map[string]string{"token-file": "/etc/t"}},
		"webhook:?token-file=t&bucket=a%26b":               {Kind: "webhook", Options: map[string]string{"token-file": "t"}, Buckets: []string{"a&b"}},
	} {
		if want.Options == nil {
			want.Options = map[string]string{}
		}
		got, err := ParseURL(text)
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %+v, %v", text, got, err)
		}
	}
	for _, text := range []string{
		"", "http://h/p", "nats:", "nats://", "nats://h", "nats:///s", "nats://h,/s", "nats://h/a b", "nats://h/a/b", "kafka://h/t?sasl=gssapi", "kafka://h/t?tls=maybe",
		"sqs://h/q", "pubsub://u:secret@p/s", "pubsub://p/s?endpoint=secret", "azqueue://a,b/q", "webhook:", "webhook:?token=secret", "webhook:a/b?token=0123456789abcdef",
		"webhook:?token=0123456789abcdef&token-file=f", "nats://secret%zz@h/s", "nats://h/s?password=secret", "nats://h/s?%zz",
	} {
		got, err := ParseURL(text)
		if err == nil || strings.Contains(err.Error(), "secret") || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %+v, %v", text, got, err)
		}
	}
}

func TestAURLHidesWhatIsSecret(t *testing.T) {
	for text, want := range map[string]string{
		"nats://me:secret@h1:4222,h2/s?creds=f&bucket=b": "nats://***@h1:4222,h2/s?creds=f&bucket=b",
		"nats://secret@h/s":                      "nats://***@h/s",
		"azqueue://account/q?sas=sig%3Dsecret":   "azqueue://account/q?sas=***",
		"webhook:minio?token=secret0123456789ab": "webhook:minio?token=***",
	} {
		u, err := ParseURL(text)
		if err != nil || u.String() != want {
			t.Errorf("%s: %s, %v", text, u, err)
		}
	}
}
