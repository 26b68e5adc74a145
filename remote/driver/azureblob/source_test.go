package azureblob_test

import (
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

// A copier is a service that holds one large blob and copies ranges of it, which the emulator does
// not. It writes down what it is asked for.
type copier struct {
	t    *testing.T
	size int64

	mu        sync.Mutex
	ranges    []string // copied into blocks
	committed int      // blocks
	uploaded  int      // blocks that came with their content
}

func (c *copier) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c.mu.Lock()
	defer c.mu.Unlock()
	w.Header().Set("ETag", `"0x1"`)
	w.Header().Set("Last-Modified", "Mon, 02 Jan 2006 15:04:05 GMT")
	body, err := io.ReadAll(r.Body)
	if err != nil {
		c.t.Error(err)
	}
	switch comp := r.FormValue("comp"); {
	case r.Method == http.MethodHead:
		w.Header().Set("Content-Length", fmt.Sprint(c.size))
	case comp == "list":
		_, _ = io.WriteString(w, `<EnumerationResults><Blobs></Blobs></EnumerationResults>`)
	case r.Method == http.MethodGet && comp == "blocklist":
		_, _ = io.WriteString(w, `<BlockList><CommittedBlocks></CommittedBlocks></BlockList>`)
	case comp == "block" && r.Header.Get("x-ms-copy-source") != "":
		if !strings.Contains(r.Header.Get("x-ms-copy-source"), "sig=") || r.Header.Get("x-ms-source-if-match") != `"0x1"` {
			c.t.Errorf("the source is not signed, or may be another version: %v", r.Header)
		}
		c.ranges = append(c.ranges, r.Header.Get("x-ms-source-range"))
		w.WriteHeader(http.StatusCreated)
	case comp == "block":
		c.uploaded++
		w.WriteHeader(http.StatusCreated)
	case comp == "blocklist":
		c.committed = strings.Count(string(body), "<Latest>")
		w.WriteHeader(http.StatusCreated)
	default:
		c.t.Errorf("%s %s", r.Method, r.URL)
	}
}

// openCopier returns a remote on a copier, with a key so that URLs can be signed.
func openCopier(t *testing.T, size int64) (*copier, *azureblob.Remote) {
	t.Helper()
	return openCopierWith(t, size, azureblob.Options{})
}

func openCopierWith(t *testing.T, size int64, o azureblob.Options) (*copier, *azureblob.Remote) {
	t.Helper()
	c := &copier{t: t, size: size}
	web := httptest.NewServer(c)
	t.Cleanup(web.Close)
	o.Account, o.Endpoint, o.Credentials.Key = "a", web.URL, secret
	r := open(t, "container", o)
	t.Cleanup(func() {
		if err := r.Close(); err != nil {
			t.Error(err)
		}
	})
	return c, r
}

func TestLargeBlobsAreCopiedByBlocks(t *testing.T) {
	c, r := openCopier(t, 300<<20)
	if err := r.Copy(t.Context(), "f", "g"); err != nil {
		t.Fatal(err)
	}
	want := "[bytes=0-104857599 bytes=104857600-209715199 bytes=209715200-314572799]"
	if got := fmt.Sprint(c.ranges); got != want || c.committed != 3 {
		t.Errorf("copied %s, committed %d blocks", got, c.committed)
	}
}

func TestALargeBlobIsSentInAThousandBlocks(t *testing.T) {
	c, r := openCopierWith(t, 0, azureblob.Options{ChunkSize: 64 << 10})
	const size = 80 << 20
	e, err := r.Put(t.Context(), "f", io.LimitReader(zeros{}, size), remote.PutOptions{Size: size})
	if err != nil || e.Size != size {
		t.Fatalf("Put: %+v, %v", e, err)
	}
	if c.committed != 640 || c.uploaded != 640 { // of 128 KiB
		t.Errorf("uploaded %d blocks, committed %d", c.uploaded, c.committed)
	}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}

func TestTheServiceCopiesWhatAnUploadBeginsWith(t *testing.T) {
	c, r := openCopier(t, 150<<20)
	s, err := r.Stage(t.Context(), "f", remote.StageOptions{Owner: owner, Base: remote.BaseFile, Off: remote.AtEnd})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Write([]byte("more")); err != nil {
		t.Fatal(err)
	}
	e, err := s.Commit(t.Context(), time.Time{})
	if err != nil || e.Size != 150<<20+4 {
		t.Errorf("Commit: %+v, %v", e, err)
	}
	want := "[bytes=0-104857599 bytes=104857600-157286399]"
	if got := fmt.Sprint(c.ranges); got != want || c.committed != 3 || c.uploaded != 1 {
		t.Errorf("copied %s, uploaded %d blocks, committed %d", got, c.uploaded, c.committed)
	}
}
