package hooks

import (
	"net/netip"
	"reflect"
	"testing"
	"time"

	"ferry/events"
)

// fill gives each field of a struct a value that is not zero.
func fill(t *testing.T, v reflect.Value) {
	t.Helper()
	for i := range v.NumField() {
		f, name := v.Field(i), v.Type().Field(i).Name
		switch f.Interface().(type) {
		case time.Time:
			f.Set(reflect.ValueOf(time.Date(2026, 4, 3, 2, 1, i, 123456789, time.UTC)))
			continue
		case netip.AddrPort:
			f.Set(reflect.ValueOf(netip.MustParseAddrPort("[2001:db8::1%eth0]:21")))
			continue
		}
		switch f.Kind() {
		case reflect.String:
			f.SetString(name + " \"\\<\n\u00e4\u2028")
		case reflect.Int, reflect.Int64:
			f.SetInt(int64(-1 - i))
		case reflect.Uint8, reflect.Uint64:
			f.SetUint(uint64(1 + i%3))
		case reflect.Bool:
			f.SetBool(true)
		case reflect.Slice:
			f.Set(reflect.ValueOf([]string{"/a", name}))
		default:
			t.Fatalf("what is a %s like %s?", f.Type(), name)
		}
	}
}

// What the journal keeps of an item is read again as it was, each field of its event.
func TestSavedItems(t *testing.T) {
	full := events.Event{}
	fill(t, reflect.ValueOf(&full).Elem())
	full.Kind, full.More = events.UploadStored, false // that is for listeners
	now := time.Date(2026, 4, 3, 2, 1, 0, 5, time.UTC)
	for _, e := range []events.Event{full, {Kind: events.Login}} {
		it := newItem(1, newQueue("mail \"1\""), &e, now)
		it.state, it.due, it.tries, it.cause, it.maybe = settling, now.Add(time.Second), 3, "because\x00", "/b"
		s, err := decode(it.encode(nil, &e))
		if err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(s.Event, e) {
			t.Errorf("read\n%+v, not\n%+v", s.Event, e)
		}
		s.Event = events.Event{}
		want := saved{Hook: it.queue.name, State: "settling", Kind: e.Kind.String(), Since: now, Due: it.due, Tries: 3, Cause: it.cause, Maybe: "/b"}
		if !reflect.DeepEqual(s, want) {
			t.Errorf("read %+v, not %+v", s, want)
		}
	}
}

func BenchmarkEncode(b *testing.B) {
	now := time.Now()
	e := events.Event{
		Kind: events.UploadStored, ID: events.NewID(now), Time: now, Session: 7, User: "bob", Address: netip.MustParseAddrPort("192.0.2.1:50123"),
		Path: "/in/a", Remote: "local", Place: "local:/srv", Name: "in/a", Size: 4096, ModTime: now, Version: "1234",
	}
	it := newItem(1, newQueue("mail"), &e, now)
	var space []byte
	b.ReportAllocs()
	for b.Loop() {
		space = it.encode(space[:0], &e)
	}
}
