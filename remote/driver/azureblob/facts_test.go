package azureblob_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"ferry/remote"
	"ferry/remote/driver/azureblob"
)

// A describer is a service that holds one blob with much to say of itself, and notes what is
// published.
type describer struct {
	size int

	mu        sync.Mutex
	published []http.Header // guarded by mu
}

func (s *describer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	_, _ = io.Copy(io.Discard, r.Body)
	query, h := r.URL.Query(), w.Header()
	h.Set("ETag", `"0x1"`)
	h.Set("Last-Modified", "Mon, 02 Jan 2006 15:04:05 GMT")
	switch comp := query.Get("comp"); {
	case r.Method == http.MethodPut && comp == "metadata": // the time of a copy
	case r.Method == http.MethodPut && comp != "block":
		s.mu.Lock()
		s.published = append(s.published, r.Header.Clone())
		s.mu.Unlock()
		if r.Header.Get("x-ms-copy-source") != "" {
			w.WriteHeader(http.StatusAccepted)
			return
		}
		w.WriteHeader(http.StatusCreated)
	case r.Method == http.MethodPut:
		w.WriteHeader(http.StatusCreated)
	case r.Method == http.MethodDelete:
		w.WriteHeader(http.StatusAccepted)
	case comp == "list":
		_, _ = io.WriteString(w, `<EnumerationResults><Blobs></Blobs></EnumerationResults>`)
	case comp == "blocklist":
		_, _ = io.WriteString(w, `<BlockList><CommittedBlocks></CommittedBlocks></BlockList>`)
	case comp == "tags":
		h.Set("Content-Type", "application/xml")
		_, _ = io.WriteString(w, `<Tags><TagSet><Tag><Key>a</Key><Value>b</Value></Tag></TagSet></Tags>`)
	case strings.HasSuffix(r.URL.Path, "/to.html") && s.nothing():
		h.Set("x-ms-error-code", "BlobNotFound")
		w.WriteHeader(http.StatusNotFound)
	default:
		for k, v := range map[string]string{
			"Content-Type": "text/x-ferry", "Cache-Control": "max-age=60", "Content-Language": "fi", "Content-Disposition": "inline",
			"x-ms-meta-colour": "blue", "x-ms-access-tier": "Cool", "x-ms-tag-count": "1",
		} {
			h.Set(k, v)
		}
		h.Set("Content-Length", fmt.Sprint(s.size))
		if r.Method == http.MethodGet {
			_, _ = w.Write(blob(s.size))
		}
	}
}

func (s *describer) nothing() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.published) == 0
}

func TestWhatABlobSaysOfItselfIsKept(t *testing.T) {
	for _, tier := range []string{"", "Cold"} {
		for what, c := range map[string]struct {
			size int
			do   func(r *azureblob.Remote) error
		}{
			"APPE": {100, func(r *azureblob.Remote) error {
				_, err := continued(t, r, "f.html", remote.AtEnd, []byte("more")).Commit(t.Context(), time.Time{})
				return err
			}},
			"APPE of blocks": {100, func(r *azureblob.Remote) error {
				_, err := continued(t, r, "f.html", remote.AtEnd, blob(10<<20)).Commit(t.Context(), time.Time{})
				return err
			}},
			"REST 0": {100, func(r *azureblob.Remote) error {
				_, err := continued(t, r, "f.html", 0, []byte("more")).Commit(t.Context(), time.Time{})
				return err
			}},
			"Put as the same":     {100, putLike("f.html", []byte("new"))},
			"Put as another":      {100, putLike("to.html", []byte("new"))},
			"Put of blocks":       {100, putLike("to.html", blob(10<<20))},
			"a rename":            {100, func(r *azureblob.Remote) error { return r.Move(t.Context(), "f.html", "to.html") }},
			"a rename of a large": {300 << 20, func(r *azureblob.Remote) error { return r.Move(t.Context(), "f.html", "to.html") }},
		} {
			t.Run(what+tier, func(t *testing.T) {
				s := &describer{size: c.size}
				web := httptest.NewServer(s)
				defer web.Close()
				o := azureblob.Options{Account: "a", Endpoint: web.URL, AccessTier: tier}
				o.Credentials.Key = secret
				r := open(t, "container", o)
				defer r.Close()
				if err := c.do(r); err != nil {
					t.Fatal(err)
				}
				s.checkPublished(t, tier)
			})
		}
	}
}

// putLike stores a file that takes over the facts of f.html.
func putLike(name string, content []byte) func(r *azureblob.Remote) error {
	return func(r *azureblob.Remote) error {
		_, err := r.Put(context.Background(), name, bytes.NewReader(content), remote.PutOptions{FactsOf: "f.html", ModTime: time.Unix(2e9, 0)})
		return err
	}
}

func (s *describer) checkPublished(t *testing.T, tier string) {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	want := map[string]string{"x-ms-tags": "a=b", "x-ms-access-tier": "Cool"}
	if tier != "" {
		want["x-ms-access-tier"] = tier
	}
	for _, h := range s.published {
		if h.Get("x-ms-copy-source") == "" { // else the service copies them
			for k, v := range map[string]string{"x-ms-blob-content-type": "text/x-ferry", "x-ms-blob-cache-control": "max-age=60",
				"x-ms-blob-content-language": "fi", "x-ms-blob-content-disposition": "inline", "x-ms-meta-colour": "blue"} {
				want[k] = v
			}
		}
		for k, v := range want {
			if got := h.Get(k); got != v {
				t.Errorf("%s: %q instead of %q", k, got, v)
			}
		}
	}
	if len(s.published) != 1 {
		t.Errorf("%d blobs were published", len(s.published))
	}
}
