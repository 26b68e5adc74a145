package dropbox_test

import (
	"context"
	"io"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"ferry/remote"
	"ferry/remote/driver/dropbox"
	"ferry/remote/remotetest/badnet"
	"ferry/remote/remotetest/servers/dropboxserver"
)

// TestLostAnswers loses the answer to one request of an upload. What was sent is found out: by the
// offset of the session, by the session that is closed, and by the file.
func TestLostAnswers(t *testing.T) {
	t.Parallel()
	content := strings.Repeat("0123456789", 1<<20) // of three chunks
	dropped := badnet.Fate{Answer: badnet.Dropped}
	for what, c := range map[string]struct {
		path      string
		fate      badnet.Fate
		times     int
		unbatched bool
		size      int
		fails     bool
		doubt     bool
	}{
		"the first chunk":             {path: "/2/files/upload_session/start", fate: dropped, times: 1, size: len(content)},
		"a chunk, and the last":       {path: "/2/files/upload_session/append_v2", fate: dropped, times: 2, size: len(content)},
		"the commit":                  {path: "/2/files/upload_session/finish_batch_v2", fate: dropped, times: 1, size: 10},
		"the commit, again and again": {path: "/2/files/upload_session/finish_batch_v2", fate: dropped, times: 3, size: 10},
		"a commit that was lost":      {path: "/2/files/upload_session/finish_batch_v2", fate: badnet.Fate{Answer: badnet.Ahead, Lost: true}, times: 1, size: 10},
		"a file in one request":       {path: "/2/files/upload", fate: dropped, times: 1, unbatched: true, size: 10, doubt: true},
		"one that was lost":           {path: "/2/files/upload", fate: badnet.Fate{Answer: badnet.Ahead, Lost: true}, times: 1, unbatched: true, size: 10, fails: true, doubt: true},
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			s := dropboxserver.Start(t)
			n := badnet.Start(t, s.Addr)
			o := options(n.Addr)
			o.Unbatched, o.Network.Attempts = c.unbatched, 5
			r := open(t, "", o)
			t.Cleanup(func() { _ = r.Close() })
			for range c.times {
				n.Add(badnet.Rule{Method: "POST", Path: c.path, Times: 1, Fate: c.fate})
			}
			var doubts atomic.Int64
			ctx := remote.WithUnanswered(t.Context(), func() { doubts.Add(1) })
			_, err := r.Put(ctx, "f", struct{ io.Reader }{strings.NewReader(content[:c.size])}, remote.PutOptions{})
			if (err != nil) != c.fails || (doubts.Load() > 0) != c.doubt {
				t.Fatalf("%v, %d doubts\n%s", err, doubts.Load(), n.History())
			}
			if c.fails {
				return
			}
			if got := readAll(t, r, "f"); got != content[:c.size] {
				t.Errorf("%d bytes of %d are stored, or others", len(got), c.size)
			}
		})
	}
}

// TestALostUploadOfTheSameContent finds the content that was there before, and must not take the
// upload for done: that comes later, over what is stored next.
func TestALostUploadOfTheSameContent(t *testing.T) {
	t.Parallel()
	for path, unbatched := range map[string]bool{"/2/files/upload_session/finish_batch_v2": false, "/2/files/upload": true} {
		s := dropboxserver.Start(t)
		n := badnet.Start(t, s.Addr)
		o := options(n.Addr)
		o.Unbatched, o.Network.Attempts = unbatched, 2
		r := open(t, "", o)
		t.Cleanup(func() { _ = r.Close() })
		var doubts atomic.Int64
		put := func(content string) {
			ctx := remote.WithUnanswered(t.Context(), func() { doubts.Add(1) })
			_, err := r.Put(ctx, "f", strings.NewReader(content), remote.PutOptions{})
			if err != nil && doubts.Load() == 0 {
				t.Fatal(err)
			}
		}
		put("same")
		late := make(chan struct{})
		n.Add(badnet.Rule{Method: "POST", Path: path, Times: 2, Fate: badnet.Fate{Answer: badnet.Ahead, Until: late}})
		put("same")
		n.Heal()
		put("other")
		close(late)
		if err := n.Settle(t.Context()); err != nil {
			t.Fatal(err)
		}
		if got := readAll(t, r, "f"); got != "other" && doubts.Load() == 0 {
			t.Errorf("%s: %q has come back, and nothing was in doubt\n%s", path, got, n.History())
		}
	}
}

func readAll(t *testing.T, r *dropbox.Remote, name string) string {
	t.Helper()
	f, err := r.Open(context.WithoutCancel(t.Context()), name, 0, -1)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	b, err := io.ReadAll(f)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// TestAChangeThatIsNotAnswered does not keep the others back.
func TestAChangeThatIsNotAnswered(t *testing.T) {
	t.Parallel()
	s := dropboxserver.Start(t)
	n := badnet.Start(t, s.Addr)
	r := open(t, "", options(n.Addr))
	t.Cleanup(func() { _ = r.Close() })
	answer := make(chan struct{})
	for _, path := range []string{"/2/files/create_folder_v2", "/2/files/upload_session/finish_batch_v2"} {
		n.Add(badnet.Rule{Method: "POST", Path: path, Times: 1, Fate: badnet.Fate{Until: answer}})
	}
	stuck := make(chan error, 2)
	go func() { stuck <- r.Mkdir(t.Context(), "d") }()
	go func() {
		_, err := r.Put(t.Context(), "stuck", strings.NewReader("x"), remote.PutOptions{})
		stuck <- err
	}()
	for h := ""; !strings.Contains(h, "finish_batch") || !strings.Contains(h, "create_folder"); h = n.History() {
		time.Sleep(10 * time.Millisecond) // until both are on their way
	}
	if _, err := r.Put(t.Context(), "f", strings.NewReader("x"), remote.PutOptions{}); err != nil {
		t.Error(err)
	}
	if err := r.Remove(t.Context(), "f"); err != nil {
		t.Error(err)
	}
	close(answer)
	for range 2 {
		if err := <-stuck; err != nil {
			t.Error(err)
		}
	}
}
