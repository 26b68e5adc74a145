package s3

import (
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/iotest"
	"time"

	"ferry/remote"
)

// leavesNothing checks that name holds old, or is not there if old is nil, and that no upload is
// left.
func leavesNothing(t *testing.T, r *Remote, name string, old []byte) {
	t.Helper()
	if old != nil {
		if !bytes.Equal(load(t, r, name), old) {
			t.Error("the old content has changed")
		}
	} else if _, err := r.Stat(t.Context(), name); !errors.Is(err, remote.ErrNotExist) {
		t.Errorf("Stat: %v", err)
	}
	if n := uploads(t, r); n != 0 {
		t.Errorf("%d uploads are left", n)
	}
}

func isPart(q *http.Request, number string) bool { return q.URL.Query().Get("partNumber") == number }

func refuseWith(status int, code string, when func(*http.Request) bool) func(http.ResponseWriter, *http.Request) bool {
	return func(w http.ResponseWriter, q *http.Request) bool {
		if !when(q) {
			return false
		}
		_, _ = io.Copy(io.Discard, q.Body)
		w.WriteHeader(status)
		_, _ = io.WriteString(w, "<Error><Code>"+code+"</Code><Message>the message</Message></Error>")
		return true
	}
}

func TestAnUploadThatFailsLeavesNothing(t *testing.T) {
	f := startFake(t)
	r := openAt(t, testBucket, testOptions(f.addr))
	const size = 3*minPart + 1
	ended, cancel := context.WithCancel(t.Context())
	for _, c := range []struct {
		what   string
		ctx    context.Context
		body   io.Reader
		meddle func(http.ResponseWriter, *http.Request) bool
		want   error
	}{
		{"the body fails", t.Context(), io.MultiReader(bytes.NewReader(pattern(size)), iotest.ErrReader(errBody)), nil, errBody},
		{"the context ends", ended, io.MultiReader(bytes.NewReader(pattern(size)), endsContext(cancel)), nil, context.Canceled},
		{"a part is refused", t.Context(), bytes.NewReader(pattern(size)),
			refuseWith(http.StatusForbidden, "AccessDenied", func(q *http.Request) bool { return isPart(q, "2") }), remote.ErrPermission},
		{"the last part is refused", t.Context(), bytes.NewReader(pattern(size)),
			refuseWith(http.StatusForbidden, "QuotaExceeded", func(q *http.Request) bool { return isPart(q, "4") }), remote.ErrQuota},
		{"the upload is refused", t.Context(), bytes.NewReader(pattern(size)),
			refuseWith(http.StatusForbidden, "AccessDenied", func(q *http.Request) bool { return q.URL.Query().Has("uploads") }), remote.ErrPermission},
		{"the parts are not put together", t.Context(), bytes.NewReader(pattern(size)),
			refuseWith(http.StatusBadRequest, "InvalidPart", func(q *http.Request) bool {
				return q.Method == http.MethodPost && q.URL.Query().Has("uploadId")
			}), nil},
	} {
		t.Run(c.what, func(t *testing.T) {
			old := []byte("old")
			if _, err := r.Put(t.Context(), "old", bytes.NewReader(old), remote.PutOptions{}); err != nil {
				t.Fatal(err)
			}
			f.setMeddle(c.meddle)
			_, err := r.Put(c.ctx, "old", c.body, remote.PutOptions{})
			if err == nil || c.want != nil && !errors.Is(err, c.want) {
				t.Errorf("error %v", err)
			}
			f.setMeddle(nil)
			leavesNothing(t, r, "old", old)
		})
	}
}

type readFunc func(p []byte) (int, error)

func (f readFunc) Read(p []byte) (int, error) { return f(p) }

func endsContext(cancel func()) io.Reader {
	return readFunc(func([]byte) (int, error) {
		cancel()
		return 0, io.EOF
	})
}

func TestAStageThatIsDroppedLeavesNothing(t *testing.T) {
	o := testOptions(startFake(t).addr)
	o.DropParts = true
	r := openAt(t, testBucket, o)
	for what, end := range map[string]func(remote.Stage) error{
		"Abort": remote.Stage.Abort,
		"Keep":  remote.Stage.Keep,
		"a Commit that fails, and Abort": func(s remote.Stage) error {
			ctx, cancel := context.WithCancel(t.Context())
			cancel()
			if _, err := s.Commit(ctx, time.Time{}); !errors.Is(err, context.Canceled) {
				t.Errorf("Commit: %v", err)
			}
			return s.Abort()
		},
	} {
		t.Run(what, func(t *testing.T) {
			s, err := r.Stage(t.Context(), "f", remote.StageOptions{Owner: owner})
			if err != nil {
				t.Fatal(err)
			}
			if _, err := s.Write(pattern(3*minPart + 1)); err != nil {
				t.Fatal(err)
			}
			if err := end(s); err != nil {
				t.Error(err)
			}
			leavesNothing(t, r, "f", nil)
			if _, err := s.Write([]byte("x")); err == nil {
				t.Error("Write succeeds afterwards")
			}
		})
	}
}

// Of a file whose size is known the parts are of one length; as many as it may have are enough.
func TestPartsOfAKnownSize(t *testing.T) {
	f := startFake(t)
	o := testOptions(f.addr)
	o.MaxParts = 6
	r := openAt(t, testBucket, o)
	var mu sync.Mutex
	var lengths []int64
	f.setMeddle(func(_ http.ResponseWriter, q *http.Request) bool {
		if q.URL.Query().Has("partNumber") {
			mu.Lock()
			defer mu.Unlock()
			lengths = append(lengths, q.ContentLength)
		}
		return false
	})
	content := pattern(8*minPart + 5)
	e, err := r.Put(t.Context(), "f", bytes.NewReader(content), remote.PutOptions{Size: int64(len(content))})
	if err != nil || e.Size != int64(len(content)) {
		t.Fatalf("%+v, %v", e, err)
	}
	slices.Sort(lengths)
	const mib = 1 << 20
	if want := []int64{5*mib + 5, 7 * mib, 7 * mib, 7 * mib, 7 * mib, 7 * mib}; !slices.Equal(lengths, want) {
		t.Errorf("the parts have %v bytes, want %v", lengths, want)
	}
}

// A client that is gone must not wait for a server that does not answer.
func TestDiscardEndsAWriteThatWaits(t *testing.T) {
	f := startFake(t)
	r := openAt(t, testBucket, testOptions(f.addr))
	stuck := make(chan struct{})
	var once sync.Once
	f.setMeddle(func(_ http.ResponseWriter, q *http.Request) bool {
		if !q.URL.Query().Has("partNumber") {
			return false
		}
		once.Do(func() { close(stuck) })
		hang(q)
		return true
	})
	s, err := r.Stage(t.Context(), "f", remote.StageOptions{Owner: owner})
	if err != nil {
		t.Fatal(err)
	}
	wrote := make(chan error)
	go func() {
		_, err := s.Write(pattern(12 * minPart))
		wrote <- err
	}()
	<-stuck
	if err := s.Abort(); err != nil {
		t.Error(err)
	}
	if err := <-wrote; err == nil {
		t.Error("Write succeeds")
	}
	f.setMeddle(nil)
	leavesNothing(t, r, "f", nil)
}

func TestTheEndOfItsContextEndsAStage(t *testing.T) {
	f := startFake(t)
	r := openAt(t, testBucket, testOptions(f.addr))
	ctx, cancel := context.WithCancel(t.Context())
	s, err := r.Stage(ctx, "f", remote.StageOptions{Owner: owner})
	if err != nil {
		t.Fatal(err)
	}
	f.setMeddle(func(_ http.ResponseWriter, q *http.Request) bool {
		if q.URL.Query().Has("partNumber") {
			cancel()
			hang(q)
			return true
		}
		return false
	})
	if _, err := s.Write(pattern(12 * minPart)); !errors.Is(err, context.Canceled) {
		t.Errorf("Write: %v", err)
	}
	f.setMeddle(nil)
	if err := s.Abort(); err != nil {
		t.Error(err)
	}
	leavesNothing(t, r, "f", nil)
}

// Who ends an upload while the server begins it must not leave one that nobody knows of.
func TestAnUploadThatEndsAsItBegins(t *testing.T) {
	f := startFake(t)
	r := openAt(t, testBucket, testOptions(f.addr))
	ctx, cancel := context.WithCancel(t.Context())
	f.setMeddle(func(w http.ResponseWriter, q *http.Request) bool {
		if !q.URL.Query().Has("uploads") {
			return false
		}
		f.handler.ServeHTTP(w, q)
		cancel()
		return true
	})
	body := io.MultiReader(bytes.NewReader(pattern(3*minPart)), readFunc(func([]byte) (int, error) {
		<-ctx.Done()
		return 0, context.Cause(ctx)
	}))
	if _, err := r.Put(ctx, "f", body, remote.PutOptions{}); !errors.Is(err, context.Canceled) {
		t.Errorf("Put: %v", err)
	}
	f.setMeddle(nil)
	leavesNothing(t, r, "f", nil)
}

func TestTheErrorOfAWriteIsOfThisRemote(t *testing.T) {
	f := startFake(t)
	r := openAt(t, testBucket, testOptions(f.addr))
	f.setMeddle(refuseWith(http.StatusForbidden, "AccessDenied", func(q *http.Request) bool { return q.URL.Query().Has("uploads") }))
	for what, write := range map[string]func(remote.Stage) error{
		"Write": func(s remote.Stage) error { _, err := s.Write(pattern(20 * minPart)); return err },
		"ReadFrom": func(s remote.Stage) error {
			_, err := s.(io.ReaderFrom).ReadFrom(bytes.NewReader(pattern(20 * minPart)))
			return err
		},
	} {
		s, err := r.Stage(t.Context(), "d/f", remote.StageOptions{Owner: owner})
		if err != nil {
			t.Fatal(err)
		}
		err = write(s)
		var pe *fs.PathError
		if !errors.As(err, &pe) || pe.Path != "d/f" || !errors.Is(err, remote.ErrPermission) {
			t.Errorf("%s: %v", what, err)
		}
		if err := s.Abort(); err != nil {
			t.Error(err)
		}
	}
}

func TestAPartThatFailsOnTheWayIsSentAgain(t *testing.T) {
	f := startFake(t)
	r := openAt(t, testBucket, testOptions(f.addr))
	var once sync.Once
	f.setMeddle(func(_ http.ResponseWriter, q *http.Request) (broke bool) {
		if isPart(q, "2") {
			once.Do(func() { broke = true })
		}
		if broke {
			panic(http.ErrAbortHandler) // resets the connection
		}
		return broke
	})
	content := pattern(3 * minPart)
	store(t, r, "f", remote.StageOptions{}, content)
	if !bytes.Equal(load(t, r, "f"), content) {
		t.Error("the content has changed")
	}
}

// The connection may break after the server did what it was asked to.
func TestAnAnswerThatIsLostDoesNotFailAnUpload(t *testing.T) {
	f := startGatewayFront(t)
	r := openAt(t, testBucket, testOptions(f.addr))
	var once sync.Once
	f.setMeddle(func(w http.ResponseWriter, q *http.Request) (lost bool) {
		if q.Method == http.MethodPost && q.URL.Query().Has("uploadId") {
			once.Do(func() { lost = true })
		}
		if lost {
			f.complete(q)
			panic(http.ErrAbortHandler)
		}
		return false
	})
	content := pattern(2 * minPart)
	store(t, r, "f", remote.StageOptions{}, content)
	if !bytes.Equal(load(t, r, "f"), content) {
		t.Error("the content has changed")
	}
}

func TestPartsInMemoryAreBounded(t *testing.T) {
	if testing.Short() {
		t.Skip("it takes long")
	}
	f := startFake(t)
	o := testOptions(f.addr)
	o.Concurrency = 2
	r := openAt(t, testBucket, o)
	var mu sync.Mutex
	now, most := 0, 0
	f.setMeddle(func(_ http.ResponseWriter, q *http.Request) bool {
		if !q.URL.Query().Has("partNumber") {
			return false
		}
		mu.Lock()
		now++
		most = max(most, now)
		mu.Unlock()
		b, _ := io.ReadAll(q.Body)
		q.Body = io.NopCloser(bytes.NewReader(b))
		mu.Lock()
		now--
		mu.Unlock()
		return false
	})
	store(t, r, "f", remote.StageOptions{}, pattern(14*minPart))
	if limit := o.Concurrency + spareMemory/minPart - 1; most > limit || most < 2 {
		t.Errorf("%d parts at once, at most %d are wanted", most, limit)
	}
}

func TestABrokenDownloadIsAnError(t *testing.T) {
	f := startFake(t)
	r := openAt(t, testBucket, testOptions(f.addr))
	store(t, r, "f", remote.StageOptions{}, pattern(100_000))
	for what, meddle := range map[string]func(http.ResponseWriter, *http.Request) bool{
		"reset": func(w http.ResponseWriter, q *http.Request) bool {
			w.Header().Set("Last-Modified", "Mon, 02 Jan 2006 15:04:05 GMT")
			w.Header().Set("Content-Length", "100000")
			_, _ = w.Write(pattern(50_000))
			panic(http.ErrAbortHandler)
		},
		"chunked and reset": func(w http.ResponseWriter, q *http.Request) bool {
			w.Header().Set("Last-Modified", "Mon, 02 Jan 2006 15:04:05 GMT")
			_, _ = w.Write(pattern(50_000))
			w.(http.Flusher).Flush()
			panic(http.ErrAbortHandler)
		},
	} {
		f.setMeddle(meddle)
		body, err := r.Open(t.Context(), "f", 0, -1)
		if err != nil {
			t.Fatal(err)
		}
		b, err := io.ReadAll(body)
		if err == nil {
			t.Errorf("%s: %d bytes and no error", what, len(b))
		}
		if remote.Permanent(err) {
			t.Errorf("%s: %v is permanent", what, err)
		}
		body.Close()
	}
}

func TestErrorsSayWhatToDoAndNoSecret(t *testing.T) {
	f := startFake(t)
	unreachable := testOptions(freeAddr(t))
	for _, c := range []struct {
		what   string
		o      Options
		path   string
		meddle func(http.ResponseWriter, *http.Request) bool
		want   string
		kind   error
	}{
		{"no such bucket", testOptions(f.addr), "none", nil, "create the bucket", remote.ErrNotExist},
		{"unreachable", unreachable, testBucket, nil, "no answer from " + unreachable.Endpoint[len("http://"):], nil},
		{"denied", testOptions(f.addr), testBucket,
			refuseWith(http.StatusForbidden, "SignatureDoesNotMatch", func(*http.Request) bool { return true }), "secret_access_key", remote.ErrPermission},
	} {
		t.Run(c.what, func(t *testing.T) {
			f.setMeddle(c.meddle)
			r := openAt(t, c.path, c.o)
			var err error
			for _, listErr := range r.List(t.Context(), ".") {
				err = listErr
			}
			switch {
			case err == nil:
				t.Fatal("no error")
			case !strings.Contains(err.Error(), c.want):
				t.Errorf("%v", err)
			case c.kind != nil && !errors.Is(err, c.kind):
				t.Errorf("%v is not %v", err, c.kind)
			case c.kind == nil && remote.Permanent(err):
				t.Errorf("%v is permanent", err)
			}
			for _, secret := range []string{testKey, testSecret} {
				if strings.Contains(err.Error(), secret) {
					t.Errorf("%v holds %s", err, secret)
				}
			}
		})
	}
}
