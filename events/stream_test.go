package events_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"ferry/events"
)

// A listener notes what it is told; a strict one must be told before.
type listener struct {
	heard []string
	fails error
}

func (l *listener) Record(_ context.Context, e *events.Event) error {
	l.heard = append(l.heard, "record "+e.Kind.String()+" "+e.ID)
	return l.fails
}

type strict struct{ listener }

func (l *strict) Prepare(_ context.Context, e *events.Event) error {
	l.heard = append(l.heard, "prepare "+e.ID)
	return l.fails
}

func (l *strict) Withdraw(_ context.Context, id string) { l.heard = append(l.heard, "withdraw "+id) }

func TestEachListenerHearsItsKinds(t *testing.T) {
	a, b := &listener{fails: errors.New("disk full")}, &listener{}
	s := events.New(
		events.Subscription{Kinds: events.Of(events.Login, events.Delete), Listener: a},
		events.Subscription{Kinds: events.Of(events.Login), Listener: b},
	)
	if err := s.Record(t.Context(), &events.Event{Kind: events.Login, ID: "1"}); err == nil || !strings.Contains(err.Error(), "disk full") {
		t.Errorf("the error of a listener is lost: %v", err)
	}
	s.Record(t.Context(), &events.Event{Kind: events.Mkdir, ID: "2"})
	s.Record(t.Context(), &events.Event{Kind: events.Delete, ID: "3"})
	if want := []string{"record login 1", "record delete 3"}; !slices.Equal(a.heard, want) {
		t.Errorf("heard %q, not %q", a.heard, want)
	}
	if want := []string{"record login 1"}; !slices.Equal(b.heard, want) {
		t.Errorf("heard %q, not %q", b.heard, want)
	}
	if s.Wants(events.Mkdir) || !s.Wants(events.Delete) || s.Prepares(events.Login) {
		t.Error("it does not know what is wanted")
	}
}

// A stream without listeners costs nothing and answers everything.
func TestNobodyListens(t *testing.T) {
	var s *events.Stream
	e := &events.Event{Kind: events.UploadStored}
	if s.Wants(events.Login) || s.Prepare(t.Context(), e) != nil || s.Record(t.Context(), e) != nil {
		t.Error("a nil stream does something")
	}
	s.Withdraw(t.Context(), e)
	if n := testing.AllocsPerRun(100, func() { s.Record(t.Context(), e) }); n != 0 {
		t.Errorf("%v allocations for nobody", n)
	}
}

// What one listener forbids is taken back from those who were told before.
func TestPrepareIsAllOrNothing(t *testing.T) {
	first, second, third := &strict{}, &strict{listener{fails: errors.New("full")}}, &strict{}
	var all []events.Subscription
	for _, l := range []events.Listener{first, &listener{}, second, third} {
		all = append(all, events.Subscription{Kinds: events.All, Listener: l})
	}
	s := events.New(all...)
	e := &events.Event{Kind: events.UploadStored}
	if err := s.Prepare(t.Context(), e); err == nil || e.ID == "" || e.Time.IsZero() {
		t.Fatalf("prepared %+v: %v", e, err)
	}
	if want := []string{"prepare " + e.ID, "withdraw " + e.ID}; !slices.Equal(first.heard, want) {
		t.Errorf("the first heard %q", first.heard)
	}
	if len(second.heard) != 1 || len(third.heard) != 0 {
		t.Errorf("the others heard %q and %q", second.heard, third.heard)
	}
	second.fails = nil
	if err := s.Prepare(t.Context(), e); err != nil {
		t.Fatal(err)
	}
	s.Withdraw(t.Context(), e)
	if last := third.heard[len(third.heard)-1]; last != "withdraw "+e.ID {
		t.Errorf("the third heard %q last", last)
	}
}

// IDs are unique, and those of later milliseconds are greater.
func TestIDsSort(t *testing.T) {
	now := time.UnixMilli(1_800_000_000_000)
	a, b := events.NewID(now), events.NewID(now.Add(time.Millisecond))
	if a >= b || len(a) != 26 || a == events.NewID(now) {
		t.Errorf("%q is not before %q, or not unique", a, b)
	}
}

// Each kind has a name of its own, which leads back to it.
func TestKindsHaveNames(t *testing.T) {
	for i, name := range events.Names() {
		k, ok := events.Parse(name)
		if !ok || name == "" || k.String() != name || int(k) != i {
			t.Errorf("kind %d has the name %q, which is of %v", i, name, k)
		}
	}
	if _, ok := events.Parse("no such"); ok {
		t.Error("a kind that does not exist was found")
	}
}

// The origin of an upload travels in the context.
func TestOriginTravels(t *testing.T) {
	if _, ok := events.OriginOf(t.Context()); ok {
		t.Error("an origin out of nothing")
	}
	o, ok := events.OriginOf(events.WithOrigin(t.Context(), events.Origin{User: "bob"}))
	if !ok || o.User != "bob" {
		t.Errorf("got %+v, %v", o, ok)
	}
	if o, ok := events.OriginOf(events.WithoutOrigin(events.WithOrigin(t.Context(), o))); ok {
		t.Errorf("without one there is %+v", o)
	}
}

// An ID is made where somebody has a use for it.
func TestIDsAreMadeForWhoWantsThem(t *testing.T) {
	s := events.New(
		events.Subscription{Kinds: events.Of(events.Login, events.Command), Listener: &listener{}, Nameless: true},
		events.Subscription{Kinds: events.Of(events.Login), Listener: &listener{}},
	)
	login, command := &events.Event{Kind: events.Login}, &events.Event{Kind: events.Command}
	s.Record(t.Context(), login)
	s.Record(t.Context(), command)
	if login.ID == "" || command.ID != "" || command.Time.IsZero() {
		t.Errorf("recorded %+v and %+v", login, command)
	}
}
