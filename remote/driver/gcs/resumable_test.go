package gcs_test

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"

	"ferry/remote"
	"ferry/remote/driver/gcs"
	"ferry/remote/wrap/retry"
)

// resumables serves uploads in chunks. Of the body of a request it keeps what keep says, and
// confirms that.
type resumables struct {
	t       *testing.T
	keep    func(request, length int) int
	claims  func(kept int) string // the header Range of an answer; nil = the truth
	content []byte
	chunks  int
	sum     string // X-Goog-Hash of the last request
}

func (s *resumables) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch {
	case r.Method == http.MethodGet: // is the target a directory?
		_, _ = io.WriteString(w, `{}`)
	case r.Method == http.MethodPost && r.URL.Query().Get("uploadType") == "resumable":
		if r.URL.Path != "/upload/storage/v1/b/b/o" || r.URL.Query().Get("name") != "f" {
			s.t.Errorf("an upload begins at %s", r.URL)
		}
		w.Header().Set("Location", "/session?uploadType=resumable&upload_id=1")
	case r.Method == http.MethodPut && r.URL.Path == "/session":
		s.take(w, r)
	default:
		s.t.Errorf("%s %s", r.Method, r.URL)
	}
}

func (s *resumables) take(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return // the client is gone
	}
	span, total, _ := strings.Cut(strings.TrimPrefix(r.Header.Get("Content-Range"), "bytes "), "/")
	if from, _, _ := strings.Cut(span, "-"); span != "*" && from != strconv.Itoa(len(s.content)) {
		s.t.Errorf("%s comes behind %d bytes", r.Header.Get("Content-Range"), len(s.content))
	}
	kept := s.keep(s.chunks, len(body))
	s.chunks++
	s.content = append(s.content, body[:kept]...)
	if total == strconv.Itoa(len(s.content)) {
		s.sum = r.Header.Get("X-Goog-Hash")
		_, _ = fmt.Fprintf(w, `{"name":"f","size":"%d","generation":"7"}`, len(s.content))
		return
	}
	claim := fmt.Sprintf("bytes=0-%d", len(s.content)-1)
	if s.claims != nil {
		claim = s.claims(len(s.content))
	}
	if len(s.content) > 0 {
		w.Header().Set("Range", claim)
	}
	w.WriteHeader(http.StatusPermanentRedirect)
}

func (s *resumables) put(content []byte) (remote.Entry, error) {
	r := startAnswers(s.t, s.ServeHTTP)
	return r.Put(s.t.Context(), "f", struct{ io.Reader }{bytes.NewReader(content)}, remote.PutOptions{})
}

// The service may keep less of a chunk than it was sent, and says how much.
func TestWhatTheServiceDidNotKeepIsSentAgain(t *testing.T) {
	for what, keep := range map[string]func(request, length int) int{
		"all":              func(_, n int) int { return n },
		"a part":           func(_, n int) int { return n - n/3 },
		"nothing at first": func(request, n int) int { return min(n, request*(1<<30)) },
	} {
		t.Run(what, func(t *testing.T) {
			for _, length := range []int{16<<20 + 5, 32 << 20} { // the second ends with a chunk
				s := &resumables{t: t, keep: keep}
				content := blob(length)
				e, err := s.put(content)
				if err != nil || e.Size != int64(length) || !bytes.Equal(s.content, content) {
					t.Errorf("%d bytes: %+v, %v; the service has %d", length, e, err, len(s.content))
				}
				sum := crc32.Checksum(content, crc32.MakeTable(crc32.Castagnoli))
				if want := "crc32c=" + base64.StdEncoding.EncodeToString(binary.BigEndian.AppendUint32(nil, sum)); s.sum != want {
					t.Errorf("the sum is %q, want %q", s.sum, want)
				}
			}
		})
	}
}

func TestAnUploadEndsWhenTheServiceContradictsItself(t *testing.T) {
	for what, claim := range map[string]func(kept int) string{
		"more than it was sent": func(kept int) string { return fmt.Sprintf("bytes=0-%d", kept+16<<20) },
		"less than before":      func(kept int) string { return fmt.Sprintf("bytes=0-%d", kept&1) },
		"no number":             func(int) string { return "bytes=0-x" },
	} {
		t.Run(what, func(t *testing.T) {
			s := &resumables{t: t, keep: func(_, n int) int { return n - n/3 }, claims: claim}
			if what == "less than before" {
				s.claims = func(kept int) string {
					if s.chunks > 1 {
						return claim(kept)
					}
					return fmt.Sprintf("bytes=0-%d", kept-1)
				}
			}
			if e, err := s.put(blob(16<<20 + 5)); err == nil || s.chunks > 2 {
				t.Errorf("%+v after %d chunks, %v", e, s.chunks, err)
			}
		})
	}
}

// Nobody above can send a chunk again, so the driver does, as often as it may.
func TestAChunkIsSentAsOftenAsTheOptionsSay(t *testing.T) {
	var chunks atomic.Int64
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		switch r.Method {
		case http.MethodGet: // is the target a directory?
			_, _ = io.WriteString(w, `{}`)
		case http.MethodPost:
			w.Header().Set("Location", "/session?uploadType=resumable&upload_id=1")
		default:
			chunks.Add(1)
			w.WriteHeader(http.StatusServiceUnavailable)
		}
	}))
	defer web.Close()
	o := gcs.Options{Anonymous: true, Endpoint: web.URL}
	o.Network.Attempts = 3
	r := retry.New(open(t, "b", o), retry.Options{Attempts: 3})
	defer r.Close()
	_, err := r.Put(t.Context(), "f", bytes.NewReader(blob(16<<20+5)), remote.PutOptions{})
	if n := chunks.Load(); err == nil || n != 3 {
		t.Errorf("%d requests, %v", n, err)
	}
}

func TestAnAnswerThatIsNoJSONIsNotAskedForAgain(t *testing.T) {
	for answer, want := range map[string]bool{"<x/>": true, `{"size":[]}`: true, `{"size":"3"`: true, `broken off`: false} {
		r := startAnswers(t, func(w http.ResponseWriter, _ *http.Request) {
			if !want {
				w.Header().Set("Content-Length", "100")
			}
			_, _ = io.WriteString(w, answer)
		})
		_, err := r.Stat(t.Context(), "f")
		if err == nil || errors.Is(err, remote.ErrMalformed) != want || remote.Permanent(err) != want {
			t.Errorf("%s: %v", answer, err)
		}
	}
}
