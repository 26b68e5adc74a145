package drive_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"ferry/remote"
	"ferry/remote/driver/drive"
	"ferry/remote/remotetest/badnet"
	"ferry/remote/remotetest/servers/driveserver"
)

func startAlone(t *testing.T) *driveserver.Server { return driveserver.Start(t) }

// startBad opens a drive over a bad network.
func startBad(t *testing.T) (*driveserver.Server, *drive.Remote, *badnet.Network) {
	t.Helper()
	s := startAlone(t)
	n := badnet.Start(t, s.Addr)
	return s, opened(t, options(n.Addr)), n
}

// counting returns a context under which doubts are counted.
func counting(ctx context.Context) (context.Context, *atomic.Int64) {
	doubts := new(atomic.Int64)
	return remote.WithUnanswered(ctx, func() { doubts.Add(1) }), doubts
}

// lost is an answer that does not come: the service has carried the request out, or gets nothing.
func lost(method string, skip int, arrives bool) badnet.Rule {
	if arrives {
		return badnet.Rule{Method: method, Skip: skip, Times: 1, Fate: badnet.Fate{Answer: badnet.Dropped}}
	}
	return badnet.Rule{Method: method, Skip: skip, Times: 1, Fate: badnet.Fate{Answer: badnet.Ahead, Lost: true}}
}

// A long file has three chunks.
func content(length int) string { return strings.Repeat("0123456789abcdef", length/16) }

const long = 20 << 20

func TestLostAnswersOfUploadsAreSettled(t *testing.T) {
	t.Parallel()
	for what, c := range map[string]struct {
		rule   badnet.Rule
		length int
		old    bool
		doubt  bool // it stays open
	}{
		"a new file":                           {lost("POST", 0, true), 160, false, false},
		"a new file that did not arrive":       {lost("POST", 0, false), 160, false, false},
		"a replaced file":                      {lost("PATCH", 0, true), 160, true, false},
		"a replaced file that did not arrive":  {lost("PATCH", 0, false), 160, true, true},
		"a chunk":                              {lost("PUT", 0, true), long, false, false},
		"a chunk that did not arrive":          {lost("PUT", 1, false), long, true, false},
		"the last chunk":                       {lost("PUT", 2, true), long, false, false},
		"the last chunk of a replaced file":    {lost("PUT", 2, true), long, true, false},
		"the last chunk that did not arrive":   {lost("PUT", 2, false), long, false, false},
		"the last chunk, and it did not reach": {lost("PUT", 2, false), long, true, false},
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			s, r, n := startBad(t)
			if c.old {
				put(t, r, "f", "old")
			}
			if _, err := r.Stat(t.Context(), "."); err != nil {
				t.Fatal(err)
			}
			n.Add(c.rule)
			ctx, doubts := counting(t.Context())
			want := content(c.length)
			_, err := r.Put(ctx, "f", strings.NewReader(want), remote.PutOptions{})
			if (err == nil) == c.doubt || (doubts.Load() > 0) != c.doubt {
				t.Errorf("%v, %d doubts\n%s", err, doubts.Load(), n.History())
			}
			if c.doubt {
				want = "old"
			}
			if got := s.Contents(s.Root); got != "f="+want {
				t.Errorf("there are %d bytes: %.60s\n%s", len(got), got, n.History())
			}
		})
	}
}

func TestLostAnswersOfChangesAreSettled(t *testing.T) {
	t.Parallel()
	for what, change := range map[string]func(ctx context.Context, r *drive.Remote) error{
		"PATCH Move":   func(ctx context.Context, r *drive.Remote) error { return r.Move(ctx, "f", "g") },
		"PATCH Remove": func(ctx context.Context, r *drive.Remote) error { return r.Remove(ctx, "f") },
		"PATCH Rmdir":  func(ctx context.Context, r *drive.Remote) error { return r.Rmdir(ctx, "d") },
		"POST Mkdir":   func(ctx context.Context, r *drive.Remote) error { return r.Mkdir(ctx, "new") },
		"POST Copy":    func(ctx context.Context, r *drive.Remote) error { return r.Copy(ctx, "f", "copy") },
	} {
		for _, arrives := range []bool{true, false} {
			s, r, n := startBad(t)
			s.AddFile(s.Root, "f", "x")
			s.AddFolder(s.Root, "d")
			if _, err := r.Stat(t.Context(), "."); err != nil {
				t.Fatal(err)
			}
			before := s.Contents(s.Root)
			method, _, _ := strings.Cut(what, " ")
			n.Add(lost(method, 0, arrives))
			ctx, doubts := counting(t.Context())
			err := change(ctx, r)
			settled := arrives || method == "POST"
			if (err == nil) != settled || (doubts.Load() == 0) != settled || (s.Contents(s.Root) != before) != settled {
				t.Errorf("%s, arrives %t: %v, %d doubts, %s\n%s", what, arrives, err, doubts.Load(), s.Contents(s.Root), n.History())
			}
		}
	}
}

// An upload is bound to the file that it began to replace: what gets another name meanwhile keeps
// its content.
func TestAnUploadDoesNotFollowAFileThatIsRenamed(t *testing.T) {
	t.Parallel()
	for what, change := range map[string]func(r *drive.Remote) error{
		"renamed": func(r *drive.Remote) error { return r.Move(t.Context(), "f", "kept") },
		"removed": func(r *drive.Remote) error { return r.Remove(t.Context(), "f") },
	} {
		s, r := start(t)
		put(t, r, "f", "old")
		changed := false
		s.Hook(func(q *http.Request) {
			if q.Method == http.MethodPut && !changed {
				changed = true
				if err := change(r); err != nil {
					t.Error(err)
				}
			}
		})
		_, err := r.Put(t.Context(), "f", strings.NewReader(content(long)), remote.PutOptions{})
		if err == nil || remote.Permanent(err) {
			t.Errorf("%s: %v", what, err)
		}
		if got := s.Contents(s.Root); what == "renamed" && got != "kept=old" || what == "removed" && got != "" {
			t.Errorf("%s: there is %.60s", what, got)
		}
	}
}

func TestASessionThatEndsEndsTheUpload(t *testing.T) {
	t.Parallel()
	s, r := start(t)
	put(t, r, "f", "old")
	s.Hook(func(q *http.Request) {
		if q.Method == http.MethodPut {
			s.EndSessions()
		}
	})
	_, err := r.Put(t.Context(), "f", strings.NewReader(content(long)), remote.PutOptions{})
	if err == nil || remote.Permanent(err) || errors.Is(err, remote.ErrNotExist) || strings.Contains(err.Error(), "upload_id") {
		t.Errorf("%v", err)
	}
	if got := s.Contents(s.Root); got != "f=old" {
		t.Errorf("there is %.60s", got)
	}
}

// Chunks may be shorter than what is held back at first.
func TestContentsOfAnyLengthArriveInChunksOfAnyLength(t *testing.T) {
	t.Parallel()
	s := startAlone(t)
	for _, chunk := range []int64{256 << 10, 768 << 10, 1 << 20, 2 << 20} {
		for _, cutoff := range []int64{-1, 0} {
			o := options(s.Addr)
			o.ChunkSize, o.UploadCutoff = chunk, cutoff
			r := opened(t, o)
			for _, length := range []int{0, 16, 1 << 20, 1<<20 + 16, 3 << 20, 5<<20 + 16} {
				want := content(length)
				put(t, r, "f", want)
				if got := get(t, r, "f"); got != want {
					t.Errorf("in chunks of %d: %d of %d bytes", chunk, len(got), length)
				}
			}
		}
	}
}
