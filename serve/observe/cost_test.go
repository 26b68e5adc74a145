package observe_test

import (
	"context"
	"net/netip"
	"testing"
	"time"

	"ferry/events"
	"ferry/ftp"
	"ferry/serve/observe"
)

// nothing listens, and does nothing.
type nothing struct{}

func (nothing) Record(context.Context, *events.Event) error { return nil }

// reported are a client and a download of it.
func reported() (ftp.Who, *ftp.CommandReport) {
	now := time.Now()
	who := ftp.Who{Session: 7, User: "bob", Remote: netip.MustParseAddrPort("192.0.2.1:50123"), Began: now}
	return who, &ftp.CommandReport{Verb: "RETR", Path: "/in/a", Code: 226, Text: "done", Began: now,
		Transfer: ftp.TransferReport{Opened: true, Bytes: 1, Size: 1, FirstByte: now}}
}

// A command that only counters listen to leaves nothing behind.
func TestCommandsCostNoMemory(t *testing.T) {
	o := observe.New(events.New(events.Subscription{Kinds: events.All, Listener: nothing{}, Nameless: true}), "flags")
	who, report := reported()
	if n := testing.AllocsPerRun(1000, func() { o.CommandDone(who, report) }); n >= 1 {
		t.Errorf("%v allocations for each command", n)
	}
}

func BenchmarkCommandDone(b *testing.B) {
	for _, nameless := range []bool{true, false} {
		name := "named"
		if nameless {
			name = "nameless"
		}
		b.Run(name, func(b *testing.B) {
			o := observe.New(events.New(events.Subscription{Kinds: events.All, Listener: nothing{}, Nameless: nameless}), "flags")
			who, report := reported()
			for b.Loop() {
				o.CommandDone(who, report)
			}
		})
	}
}
