package remotetest

import (
	"context"
	"io"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"ferry/remote"
	"ferry/remote/remotetest/badnet"
)

// RunCommitted checks what becomes of changes that cannot be called back: those that the server may
// have received as a whole when their context or their connection ends.
func RunCommitted(t *testing.T, n Network) {
	n.complete()
	run := func(sentence string, test func(l *link, c committed)) {
		t.Run(sentence, func(t *testing.T) {
			for _, c := range committedChanges() {
				t.Run(c.name, func(t *testing.T) {
					p := badnet.NewProxy(t, n.Target, badnet.ProxyOptions{FTP: n.FTP, Deliver: true})
					s := newSuite(t, func(t *testing.T) remote.Remote { return n.Open(t, p.Addr) })
					if c.able != nil && !c.able(s) {
						t.Skipf("%s has no %s", s.r.Info().Name, c.name)
					}
					test(&link{s, &suite{s.T, n.Again(s.r), s.ctx, s.caps}, p, ""}, c)
				})
			}
		})
	}
	run("a change waits for its answer after the end of its context", waitsForItsAnswer)
	run("a change whose answer is lost is in doubt, or settled", answerIsLost)
	run("a change that was not sent is not in doubt", neverSent)
	t.Run("an upload that was broken off is not stored, however late it arrives", func(t *testing.T) {
		p := badnet.NewProxy(t, n.Target, badnet.ProxyOptions{FTP: n.FTP, Deliver: true})
		s := newSuite(t, func(t *testing.T) remote.Remote { return n.Open(t, p.Addr) })
		brokenOffUpload(&link{s, &suite{s.T, n.Again(s.r), s.ctx, s.caps}, p, pattern(2 * n.Size)})
	})
}

// committed is a change of which the last request makes it.
type committed struct {
	name   string
	able   func(s *suite) bool
	before func(s *suite, name string)
	change func(ctx context.Context, s *suite, name string) error
	after  func(s *suite, name string)
}

func committedChanges() []committed {
	when := time.Date(2001, 2, 3, 4, 5, 6, 0, time.UTC)
	file := func(s *suite, name string) { s.put(name, "old") }
	return []committed{
		{"Put", nil, file,
			func(ctx context.Context, s *suite, name string) error {
				_, err := s.r.Put(ctx, name, strings.NewReader("new content"), remote.PutOptions{})
				return err
			},
			func(s *suite, name string) { s.holds(name, "new content") }},
		{"Remove", nil, file,
			func(ctx context.Context, s *suite, name string) error { return s.r.Remove(ctx, name) },
			func(s *suite, name string) { s.gone(name) }},
		{"Mkdir", func(s *suite) bool { return !s.caps.ImplicitDirs }, func(*suite, string) {},
			func(ctx context.Context, s *suite, name string) error { return s.r.Mkdir(ctx, name) },
			func(s *suite, name string) {
				if !s.stat(name).Dir {
					s.Errorf("%s is no directory", name)
				}
			}},
		{"Rmdir", func(s *suite) bool { return !s.caps.ImplicitDirs }, func(s *suite, name string) { s.mkdir(name) },
			func(ctx context.Context, s *suite, name string) error { return s.r.Rmdir(ctx, name) },
			func(s *suite, name string) { s.gone(name) }},
		{"Move", func(s *suite) bool { _, ok := s.r.(remote.Mover); return ok && !s.caps.ImplicitDirs }, file,
			func(ctx context.Context, s *suite, name string) error {
				return s.r.(remote.Mover).Move(ctx, name, "m"+name)
			},
			func(s *suite, name string) {
				s.gone(name)
				s.holds("m"+name, "old")
			}},
		{"SetModTime", func(s *suite) bool { _, ok := s.r.(remote.ModTimer); return ok && s.caps.ModTime > 0 }, file,
			func(ctx context.Context, s *suite, name string) error {
				return s.r.(remote.ModTimer).SetModTime(ctx, name, when)
			},
			func(s *suite, name string) {
				if e := s.stat(name); !s.sameTime(e.ModTime, when) {
					s.Errorf("the time is %v", e.ModTime)
				}
			}},
	}
}

// begin makes the change of a file called name until its last request is out, and its answer held.
// What it costs is learnt from another file, after a first one that may have needed more: channels
// of a connection, say.
func (l *link) begin(c committed, name string) (cancel func(), doubts *atomic.Int32, done <-chan error) {
	l.Helper()
	for _, file := range []string{"0", "a", name} {
		c.before(l.suite, file)
	}
	l.stat(".") // so that a connection is there
	var sent int64
	for _, file := range []string{"0", "a"} {
		sent = l.p.Bytes(badnet.Up)
		if err := c.change(l.ctx, l.suite, file); err != nil {
			l.Fatalf("%s: %v", c.name, err)
		}
		sent = l.p.Bytes(badnet.Up) - sent
	}
	const shortest = 8 // no request is as short
	held := l.p.Hold(badnet.Down, badnet.Up, sent-shortest)
	ctx, doubts := doubting(l.ctx)
	ctx, cancel = context.WithCancel(ctx)
	l.Cleanup(cancel)
	result := make(chan error, 1)
	go func() { result <- c.change(ctx, l.suite, name) }()
	select {
	case <-held:
	case err := <-result:
		l.Fatalf("%s ended before its last request: %v", c.name, err)
	}
	return cancel, doubts, result
}

// doubting returns a context under which changes in doubt are counted.
func doubting(ctx context.Context) (context.Context, *atomic.Int32) {
	doubts := new(atomic.Int32)
	return remote.WithUnanswered(ctx, func() { doubts.Add(1) }), doubts
}

func waitsForItsAnswer(l *link, c committed) {
	cancel, doubts, done := l.begin(c, "b")
	cancel()
	select {
	case err := <-done:
		l.Fatalf("it gave up: %v", err)
	case <-time.After(100 * time.Millisecond):
	}
	l.p.Release(badnet.Down)
	if err := <-done; err != nil {
		l.Errorf("it was done, and fails with %v", err)
	}
	if n := doubts.Load(); n != 0 {
		l.Errorf("%d doubts about what was answered", n)
	}
	c.after(l.sure, "b")
}

func answerIsLost(l *link, c committed) {
	_, doubts, done := l.begin(c, "b")
	l.p.Reset()
	l.p.Release(badnet.Down)
	err := <-done
	if err != nil && remote.Permanent(err) {
		l.Errorf("it fails with what is an answer: %v", err)
	}
	switch {
	case doubts.Load() > 0:
	case err != nil:
		l.Errorf("it is not in doubt, and ends with %v", err)
	default: // it was found out that it was done
		c.after(l.sure, "b")
	}
}

func neverSent(l *link, c committed) {
	c.before(l.suite, "a")
	l.p.Vanish()
	for range 3 { // which find out that the connections at hand are broken
		if _, err := l.r.Stat(l.ctx, "a"); err == nil {
			l.Error("the server can be reached")
		}
	}
	ctx, doubts := doubting(l.ctx)
	err := c.change(ctx, l.suite, "a")
	if err == nil || remote.Permanent(err) {
		l.Errorf("%s: %v", c.name, err)
	}
	if n := doubts.Load(); n != 0 {
		l.Errorf("%d doubts about what was not sent", n)
	}
}

// brokenOffUpload lets all that was sent of an upload arrive after its end.
func brokenOffUpload(l *link) {
	l.put("f", "old")
	ctx, cancel := context.WithCancel(l.ctx)
	defer cancel()
	half := int64(len(l.content) / 2)
	held := l.p.Hold(badnet.Up, badnet.Up, half/2)
	body := stopping(ctx, l.content[:half])
	done := make(chan error, 1)
	go func() {
		_, err := l.r.Put(ctx, "f", body, remote.PutOptions{Size: int64(len(l.content))})
		done <- err
	}()
	select {
	case <-held:
	case err := <-done:
		l.Fatalf("it ended before half of it was sent: %v", err)
	}
	cancel()
	time.AfterFunc(50*time.Millisecond, func() { l.p.Release(badnet.Up) }) // what tidies up is held, too
	if err := <-done; err == nil {
		l.Error("it was stored")
	}
	for until := time.Now().Add(300 * time.Millisecond); time.Now().Before(until); time.Sleep(20 * time.Millisecond) {
		l.sure.holds("f", "old")
	}
}

// stopping returns a body that begins with head and then does not come until ctx ends.
func stopping(ctx context.Context, head string) io.Reader {
	begin := strings.NewReader(head)
	return readFunc(func(p []byte) (int, error) {
		n, err := begin.Read(p)
		if err == io.EOF {
			<-ctx.Done()
			err = context.Cause(ctx)
		}
		return n, err
	})
}
