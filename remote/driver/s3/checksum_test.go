package s3

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"testing"

	"ferry/remote"
)

// How the requests of an upload are protected.
const (
	bySignature = "signature"
	byChecksum  = "checksum"
)

// partsOf returns how the parts among the requests are protected; "" when it is neither way, or
// both.
func partsOf(seen []*http.Request) string {
	how := ""
	for _, q := range seen {
		if !q.URL.Query().Has("partNumber") {
			continue
		}
		signed := len(q.Header.Get("X-Amz-Content-Sha256")) == 64
		switch summed := q.Header.Get(sumHeader) != ""; {
		case signed && !summed && how != byChecksum:
			how = bySignature
		case summed && !signed && how != bySignature:
			how = byChecksum
		default:
			return ""
		}
	}
	return how
}

func TestHowPartsAreProtected(t *testing.T) {
	if testing.Short() {
		t.Skip("it takes long")
	}
	for _, c := range []struct {
		what, endpoint string
		change         func(*Options)
		want           string
	}{
		{"encrypted", "https://s3.example.org", func(*Options) {}, byChecksum},
		{"in clear", "http://s3.example.org", func(*Options) {}, bySignature},
		{"on this machine", "http://127.0.0.1:9000", func(*Options) {}, byChecksum},
		{"on this machine by IPv6", "http://[::1]:9000", func(*Options) {}, byChecksum},
		{"in a network like this machine's", "http://10.0.0.1:9000", func(*Options) {}, bySignature},
		{"by a name that anybody may give", "http://localhost:9000", func(*Options) {}, bySignature},
	} {
		t.Run(c.what, func(t *testing.T) {
			o := Options{Provider: "Other", Endpoint: c.endpoint, AccessKeyID: testKey, SecretAccessKey: testSecret}
			c.change(&o)
			r, rec := openRecorded(t, o)
			content := pattern(2*minPart + 1)
			store(t, r, "f", remote.StageOptions{}, content)
			if got := partsOf(rec.take()); got != c.want {
				t.Errorf("by %q, want %q", got, c.want)
			}
			if !bytes.Equal(load(t, r, "f"), content) {
				t.Error("the content is not what was sent")
			}
		})
	}
}

// The fake does not know checksums, and so does not answer with them.
func TestAServerThatIgnoresChecksumsGetsSignatures(t *testing.T) {
	o := Options{Provider: "Other", Endpoint: "https://s3.example.org", AccessKeyID: testKey, SecretAccessKey: testSecret}
	r, rec := openRecorded(t, o)
	store(t, r, "f", remote.StageOptions{}, pattern(minPart+1))
	rec.take()
	store(t, r, "f", remote.StageOptions{}, pattern(minPart+1))
	if got := partsOf(rec.take()); got != bySignature {
		t.Errorf("by %q", got)
	}
}

func TestAServerThatRefusesChecksumsGetsSignatures(t *testing.T) {
	for _, status := range []int{http.StatusBadRequest, http.StatusNotImplemented} {
		f := startGatewayFront(t)
		r := openAt(t, testBucket, testOptions(f.addr))
		f.setMeddle(refuseWith(status, "NotImplemented", func(q *http.Request) bool {
			return q.Header.Get(algorithmHeader) != ""
		}))
		content := pattern(minPart + 1)
		for range 2 {
			store(t, r, "f", remote.StageOptions{}, content)
		}
		refused := 0
		for _, q := range f.take() {
			if q == "POST /bucket/f uploads" {
				refused++
			}
		}
		if refused != 3 {
			t.Errorf("%d uploads were begun, of which one was to be refused", refused)
		}
		if !bytes.Equal(load(t, r, "f"), content) {
			t.Error("the content is not what was sent")
		}
	}
}

// An upload that is refused either way says nothing about checksums.
func TestAnotherRefusalIsNotTakenForOne(t *testing.T) {
	f := startFake(t)
	r := openAt(t, testBucket, testOptions(f.addr))
	f.setMeddle(refuseWith(http.StatusBadRequest, "InvalidArgument", func(q *http.Request) bool { return q.URL.Query().Has("uploads") }))
	if _, err := r.Put(t.Context(), "f", bytes.NewReader(pattern(minPart+1)), remote.PutOptions{}); err == nil {
		t.Error("no error")
	}
	if r.noSums.Load() {
		t.Error("checksums are not tried any more")
	}
}

// The real server knows checksums: it says so, and refuses what was damaged on the way.
func TestADamagedPartIsRefused(t *testing.T) {
	f := startGatewayFront(t)
	r := openAt(t, testBucket, testOptions(f.addr))
	store(t, r, "f", remote.StageOptions{}, []byte("old"))
	f.setMeddle(func(_ http.ResponseWriter, q *http.Request) bool {
		if isPart(q, "1") {
			q.Body = struct {
				io.Reader
				io.Closer
			}{io.MultiReader(bytes.NewReader([]byte{'x'}), skip(q.Body)), q.Body}
		}
		return false
	})
	_, err := r.Put(t.Context(), "f", bytes.NewReader(pattern(minPart+1)), remote.PutOptions{})
	if err == nil || errors.Is(err, errDamaged) { // it is the server that finds out
		t.Errorf("damaged content: %v", err)
	}
	if r.noSums.Load() {
		t.Error("the server is taken for one that ignores checksums")
	}
	f.setMeddle(nil)
	leavesNothing(t, r, "f", []byte("old"))
}

// skip leaves out the first byte.
func skip(body io.Reader) io.Reader {
	first := true
	return readFunc(func(p []byte) (int, error) {
		n, err := body.Read(p)
		if first && n > 0 {
			first = false
			n = copy(p, p[1:n])
		}
		return n, err
	})
}
