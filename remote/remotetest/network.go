package remotetest

import (
	"errors"
	"io"
	"strings"
	"testing"

	"ferry/remote"
	"ferry/remote/remotetest/badnet"
)

// A Network is a way to open a remote through a Proxy.
type Network struct {
	Target string // the host and port of the server
	// Open makes a remote that is reached at addr instead of Target, and empty. The suite closes
	// it.
	Open func(t *testing.T, addr string) remote.Remote
	// Again makes it a remote that repeats what failed on the way, as package retry does.
	Again func(remote.Remote) remote.Remote
	FTP   bool // see badnet.ProxyOptions
	// Size is the length of a file that takes a while, and of which some is sent before the rest
	// comes; 0 = 12 MiB.
	Size int
}

// A link is a remote and the way to it.
type link struct {
	*suite
	sure    *suite // of the same remote, decorated: what broke does not show in it
	p       *badnet.Proxy
	content string // that takes a while
}

func (n *Network) complete() {
	if n.Size == 0 {
		n.Size = 12 << 20
	}
}

// RunNetwork checks what becomes of a remote when connections to its server break.
func RunNetwork(t *testing.T, n Network) {
	n.complete()
	run := func(sentence string, decorate func(remote.Remote) remote.Remote, test func(l *link)) {
		t.Run(sentence, func(t *testing.T) {
			p := badnet.NewProxy(t, n.Target, badnet.ProxyOptions{FTP: n.FTP})
			s := newSuite(t, func(t *testing.T) remote.Remote { return decorate(n.Open(t, p.Addr)) })
			sure := &suite{s.T, n.Again(s.r), s.ctx, s.caps} // s closes the remote
			test(&link{s, sure, p, pattern(n.Size)})
		})
	}
	once := func(r remote.Remote) remote.Remote { return r }
	run("a server that cannot be reached gives no answer", once, unreachable)
	run("an upload that is cut is stored whole or not at all", once, cutUpload)
	run("a read that is cut fails or is whole", once, cutRead)
	run("a listing that is cut fails, tells of it, or is whole", once, cutList)
	run("connections that broke meanwhile are made again", n.Again, reconnects)
	run("an upload that can be read again is repeated", n.Again, repeatedUpload)
	run("a read goes on where it was cut", n.Again, repeatedRead)
}

func unreachable(l *link) {
	l.put("f", "old")
	l.p.Refuse(true)
	_, statErr := l.r.Stat(l.ctx, "f")
	_, readErr := l.read("f", 0, -1)
	_, putErr := l.r.Put(l.ctx, "f", strings.NewReader("new"), remote.PutOptions{})
	for call, err := range map[string]error{
		"Stat":   statErr,
		"Open":   readErr,
		"Put":    putErr,
		"List":   l.listErr(l.ctx, "."),
		"Remove": l.r.Remove(l.ctx, "f"),
		"Mkdir":  l.r.Mkdir(l.ctx, "d"),
	} {
		l.brokeOff(call, err)
	}
}

// cutUpload looks at what is there over connections that may have broken with the one of the
// upload, or not yet.
func cutUpload(l *link) {
	for _, at := range []float64{0.1, 0.9} {
		for _, old := range []bool{true, false} {
			if old {
				l.sure.put("f", "old")
			}
			l.p.Cut(badnet.Cut{Direction: badnet.Up, At: at, Of: int64(len(l.content)), All: true})
			_, err := l.r.Put(l.ctx, "f", struct{ io.Reader }{strings.NewReader(l.content)}, remote.PutOptions{})
			l.p.Heal()
			switch {
			case err == nil:
				l.sure.holds("f", l.content)
				l.sure.lists(".", "f")
			case old:
				l.brokeOff("Put", err)
				l.sure.holds("f", "old")
				l.sure.lists(".", "f")
			default:
				l.brokeOff("Put", err)
				l.sure.lists(".", "")
			}
			if err := l.sure.r.Remove(l.ctx, "f"); err != nil && !errors.Is(err, remote.ErrNotExist) {
				l.Errorf("Remove: %v", err)
			}
		}
	}
}

func cutRead(l *link) {
	l.put("f", l.content)
	for _, at := range []float64{0, 0.1, 0.9} {
		l.p.Cut(badnet.Cut{Direction: badnet.Down, At: at, Of: int64(len(l.content)), All: true})
		if got, err := l.read("f", 0, -1); err != nil {
			l.brokeOff("Read", err)
		} else if got != l.content {
			l.Errorf("cut at %v: %d of %d bytes without an error", at, len(got), len(l.content))
		}
	}
}

func cutList(l *link) {
	want := 0
	for ; want < 40; want++ {
		l.put("a name of some length that makes the answer long "+strings.Repeat("x", want), "x")
	}
	for _, after := range []int64{0, 100, 1000} {
		l.p.Cut(badnet.Cut{Direction: badnet.Down, After: after, All: true})
		n, incomplete := 0, false
		var last error
		for _, err := range l.r.List(remote.WithIncomplete(l.ctx, func() { incomplete = true }), ".") {
			if last = err; err == nil {
				n++
			}
		}
		if last != nil {
			l.brokeOff("List", last)
		} else if n != want && !incomplete {
			l.Errorf("cut after %d bytes: %d of %d entries without an error", after, n, want)
		}
		l.p.Heal()
	}
}

func reconnects(l *link) {
	l.put("f", "old")
	for range 3 {
		l.p.Reset()
		l.holds("f", "old")
		l.p.Reset()
		l.lists(".", "f")
		l.p.Reset()
		l.put("f", "old")
	}
}

func repeatedUpload(l *link) {
	l.p.Cut(badnet.Cut{Direction: badnet.Up, At: 0.5, Of: int64(len(l.content)), All: true, Times: 3})
	l.put("f", l.content)
	l.holds("f", l.content)
	l.lists(".", "f")
	if n := min(l.p.Bytes(badnet.Up), l.p.Bytes(badnet.Down)); n < int64(len(l.content)) {
		l.Errorf("%d of %d bytes went by way of the proxy", n, len(l.content))
	}
}

func repeatedRead(l *link) {
	l.put("f", l.content)
	l.p.Cut(badnet.Cut{Direction: badnet.Down, At: 0.25, Of: int64(len(l.content)), All: true, Times: 3})
	f, err := l.r.Open(l.ctx, "f", 0, -1)
	if err != nil {
		l.Fatal(err)
	}
	defer f.Close()
	_, known := remote.Describe(f)
	b, err := io.ReadAll(f)
	switch {
	case err != nil && !known: // nobody can tell whether it is the same content
		l.brokeOff("Read", err)
	case err != nil || string(b) != l.content:
		l.Errorf("%d of %d bytes, %v", len(b), len(l.content), err)
	}
}

// brokeOff checks that err is one that a repetition may help against.
func (l *link) brokeOff(call string, err error) {
	l.Helper()
	if err == nil || remote.Permanent(err) || errors.Is(err, io.EOF) {
		l.Errorf("%s: %v", call, err)
	}
}
