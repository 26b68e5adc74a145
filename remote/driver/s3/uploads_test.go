package s3

import (
	"bytes"
	"errors"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"

	"ferry/remote"
	"ferry/remote/driver/internal/objects"
)

// told notes what it is told of uploads.
type told struct {
	mu    sync.Mutex
	open  []string // guarded by mu
	ended int      // guarded by mu
	left  int      // guarded by mu
}

func (u *told) UploadBegun(token string) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.open = append(u.open, token)
}

func (u *told) UploadEnded(token string, left bool) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.open = slices.DeleteFunc(u.open, func(other string) bool { return other == token })
	u.ended++
	if left {
		u.left++
	}
}

func (u *told) state() (open []string, ended, left int) {
	u.mu.Lock()
	defer u.mu.Unlock()
	return slices.Clone(u.open), u.ended, u.left
}

func unfinished(t *testing.T, r *Remote, dir string) []remote.UnfinishedUpload {
	t.Helper()
	var all []remote.UnfinishedUpload
	for u, err := range r.UnfinishedUploads(t.Context(), dir) {
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, u)
	}
	return all
}

// A stage that nobody ends is what a killed process leaves.
func TestAnUploadThatWasLeftIsFoundAndAborted(t *testing.T) {
	o := testOptions(startGateway(t))
	r, beside := openAt(t, testBucket+"/top", o), openAt(t, testBucket+"/other", o)
	whole := openAt(t, "", o)
	u := &told{}
	for _, name := range []string{"d/long", "a file"} {
		k, err := r.Key(t.Context(), "stage", name)
		if err != nil {
			t.Fatal(err)
		}
		s, err := service{r}.Create(remote.WithUploads(t.Context(), u), k, objects.CreateOptions{})
		if err != nil {
			t.Fatal(err)
		}
		defer s.Abort()
		if _, err := s.Write(pattern(2*minPart + 1)); err != nil {
			t.Fatal(err)
		}
		if err := s.(*upload).parts.wait(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	tokens, _, _ := u.state()
	if len(tokens) != 2 {
		t.Fatalf("told of %q", tokens)
	}
	if all := unfinished(t, beside, "."); len(all) != 0 {
		t.Errorf("in another directory there are %+v", all)
	}
	if all := unfinished(t, whole, "."); len(all) != 2 || all[0].Name != testBucket+"/top/a file" {
		t.Errorf("of all buckets there are %+v", all)
	}
	all := unfinished(t, r, "d")
	if len(all) != 1 || all[0].Name != "d/long" || all[0].Size != 2*minPart || all[0].Begun.IsZero() || all[0].Token != tokens[0] {
		t.Fatalf("there are %+v, want the one of %q", all, tokens[0])
	}
	for _, token := range []string{"", "x", tokens[0] + "x", strings.Replace(tokens[0], "top", "elsewhere", 1)} {
		err := r.AbortUpload(t.Context(), token)
		if token == tokens[0]+"x" && err == nil { // there is no such upload
			continue
		}
		if !errors.Is(err, remote.ErrInvalid) {
			t.Errorf("AbortUpload(%q): %v", token, err)
		}
	}
	next := openAt(t, testBucket+"/top", o)
	for range 2 { // what is gone is no error
		for _, token := range tokens {
			if err := next.AbortUpload(t.Context(), token); err != nil {
				t.Error(err)
			}
		}
	}
	if all := unfinished(t, whole, "."); len(all) != 0 {
		t.Errorf("%+v are left", all)
	}
}

func TestUploadsAreToldOf(t *testing.T) {
	f := startFake(t)
	r := openAt(t, testBucket, testOptions(f.addr))
	u := &told{}
	ctx := remote.WithUploads(t.Context(), u)
	put := func(size int) error {
		_, err := r.Put(ctx, "f", bytes.NewReader(pattern(size)), remote.PutOptions{})
		return err
	}
	if err := put(minPart / 2); err != nil {
		t.Fatal(err)
	}
	if open, ended, _ := u.state(); len(open)+ended != 0 {
		t.Error("a small file was told of")
	}
	if err := put(2 * minPart); err != nil {
		t.Fatal(err)
	}
	if open, ended, left := u.state(); len(open) != 0 || ended != 1 || left != 0 {
		t.Errorf("%d are open, %d ended, %d left", len(open), ended, left)
	}
	f.setMeddle(refuseWith(http.StatusForbidden, "AccessDenied", func(q *http.Request) bool { return isPart(q, "2") }))
	if err := put(2 * minPart); err == nil {
		t.Error("no error")
	}
	if open, ended, left := u.state(); len(open) != 0 || ended != 2 || left != 0 {
		t.Errorf("%d are open, %d ended, %d left", len(open), ended, left)
	}
	f.setMeddle(refuseWith(http.StatusForbidden, "AccessDenied", func(q *http.Request) bool {
		return isPart(q, "2") || q.Method == http.MethodDelete
	}))
	if err := put(2 * minPart); err == nil {
		t.Error("no error")
	}
	if open, ended, left := u.state(); len(open) != 0 || ended != 3 || left != 1 {
		t.Errorf("%d are open, %d ended, %d left", len(open), ended, left)
	}
}

// A process that is killed behind the first part has noted the upload.
func TestNoPartIsSentBeforeTheUploadWasToldOf(t *testing.T) {
	f := startFake(t)
	r := openAt(t, testBucket, testOptions(f.addr))
	u := &told{}
	f.setMeddle(func(_ http.ResponseWriter, q *http.Request) bool {
		if open, ended, _ := u.state(); q.URL.Query().Has("partNumber") && len(open)+ended == 0 {
			t.Error("a part was sent before")
		}
		return false
	})
	if _, err := r.Put(remote.WithUploads(t.Context(), u), "f", bytes.NewReader(pattern(2*minPart)), remote.PutOptions{}); err != nil {
		t.Fatal(err)
	}
}
