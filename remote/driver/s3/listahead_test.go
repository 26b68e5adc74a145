package s3

import (
	"bytes"
	"fmt"
	"html"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"ferry/remote"
)

// keysLike returns n names in their order.
func keysLike(n int, name func(i int) string) []string {
	keys := make([]string, n)
	for i := range keys {
		keys[i] = name(i)
	}
	slices.Sort(keys)
	return slices.Compact(keys)
}

// words are names like people give them.
func words(i int) string {
	random := rand.New(rand.NewPCG(uint64(i), 1))
	b := make([]byte, 3+random.IntN(9))
	for j := range b {
		b[j] = "aaabcdeeefghiiklmnnooprrsttuuwz -_"[random.IntN(34)]
	}
	return strings.TrimSpace(string(b)) + ".txt"
}

var kindsOfKeys = map[string]func(i int) string{
	"counters":          func(i int) string { return fmt.Sprintf("file-%06d.dat", i) },
	"counters unpadded": func(i int) string { return fmt.Sprintf("file-%d.dat", i) },
	"times":             func(i int) string { return time.Unix(1.7e9+int64(i)*60, 0).UTC().Format("2006-01-02T15-04-05") },
	"hashes":            func(i int) string { return fmt.Sprintf("%016x", rand.New(rand.NewPCG(uint64(i), 2)).Uint64()) },
	"words":             words,
	"beyond ASCII":      func(i int) string { return fmt.Sprintf("Grüße %c %d", rune('α'+i%20), i) },
	"numbers that end":  func(i int) string { return fmt.Sprintf("%c", rune('0'+i%75)) },
}

// A listingServer answers ListObjectsV2 as S3 does, of a bucket of which there is nothing but keys.
type listingServer struct {
	keys     []string // sorted; a key may hold slashes
	anywhere bool     // false: it does not know start-after
}

func (s *listingServer) ServeHTTP(w http.ResponseWriter, q *http.Request) {
	query := q.URL.Query()
	prefix, after := query.Get("prefix"), query.Get("start-after")
	if !s.anywhere {
		after = ""
	}
	if token := query.Get("continuation-token"); token != "" {
		after = token
	}
	limit := 0
	fmt.Sscan(query.Get("max-keys"), &limit)
	var contents, prefixes bytes.Buffer
	n, group, last := 0, "", ""
	truncated := false
	for _, key := range s.keys {
		if !strings.HasPrefix(key, prefix) || key <= after || strings.HasSuffix(after, "/") && strings.HasPrefix(key, after) && after != prefix {
			continue
		}
		dir, _, isDir := strings.Cut(key[len(prefix):], "/")
		if dir = prefix + dir + "/"; isDir && dir == group {
			continue
		}
		if n == limit {
			truncated = true
			break
		}
		n++
		if last = key; isDir {
			group, last = dir, dir
			fmt.Fprintf(&prefixes, "<CommonPrefixes><Prefix>%s</Prefix></CommonPrefixes>", html.EscapeString(dir))
		} else {
			fmt.Fprintf(&contents, "<Contents><Key>%s</Key><LastModified>2026-01-02T03:04:05.000Z</LastModified><ETag>&#34;e&#34;</ETag><Size>1</Size></Contents>", html.EscapeString(key))
		}
	}
	token := ""
	if truncated {
		token = "<NextContinuationToken>" + html.EscapeString(last) + "</NextContinuationToken>"
	}
	fmt.Fprintf(w, "<ListBucketResult><IsTruncated>%v</IsTruncated>%s%s%s</ListBucketResult>", truncated, token, &contents, &prefixes)
}

// startListing opens a remote on such a server, and counts its requests.
func startListing(t *testing.T, s *listingServer) (*Remote, *front) {
	t.Helper()
	f := startFront(t, s)
	o := testOptions(f.addr)
	o.ListChunk, o.DropParts = 100, true
	return openAt(t, testBucket, o), f
}

func TestALongListingIsWhole(t *testing.T) {
	if testing.Short() {
		t.Skip("it takes long")
	}
	for what, name := range kindsOfKeys {
		for _, n := range []int{0, 1, 200, 201, 700, 701, 2300} {
			for _, anywhere := range []bool{true, false} {
				keys := keysLike(n, name)
				r, _ := startListing(t, &listingServer{keys: keys, anywhere: anywhere})
				if got := names(t, r, "."); !slices.Equal(got, keys) {
					t.Errorf("%s, %d keys, anywhere %v: %d were listed", what, len(keys), anywhere, len(got))
				}
			}
		}
	}
}

func TestALongListingWithDirectoriesIsWhole(t *testing.T) {
	for _, share := range []int{2, 30, 1000} {
		seen := map[string]bool{}
		var keys, want []string
		for i := range 4000 {
			name := fmt.Sprintf("d/e-%05d", i)
			if i%share == share-1 {
				keys = append(keys, name+"/x", name+"/y")
				name += "/"
			} else {
				keys = append(keys, name)
			}
			if base := name[2:]; !seen[base] {
				seen[base] = true
				want = append(want, base)
			}
		}
		slices.Sort(keys)
		slices.Sort(want)
		r, _ := startListing(t, &listingServer{keys: append(keys, "e"), anywhere: true})
		if got := names(t, r, "d"); !slices.Equal(got, want) {
			t.Errorf("each %dth a directory: %d of %d were listed", share, len(got), len(want))
		}
	}
}

// With 100 keys in a page, 2000 are 20 pages.
func TestWhatALongListingCosts(t *testing.T) {
	for _, c := range []struct {
		what string
		n    int
		most int
	}{
		{"counters", 150, 2}, {"counters", 300, 6}, {"counters", 2000, 20}, {"counters", 3700, 38},
		{"times", 2000, 28}, {"hashes", 2000, 28}, {"words", 2000, 28},
	} {
		keys := keysLike(c.n, kindsOfKeys[c.what])
		r, f := startListing(t, &listingServer{keys: keys, anywhere: true})
		names(t, r, ".")
		if got := len(f.take()); got > c.most {
			t.Errorf("%s: %d requests for %d keys", c.what, got, len(keys))
		}
	}
}

func TestAServerThatCannotBeginInTheMiddleIsNotAskedAgain(t *testing.T) {
	keys := keysLike(1000, kindsOfKeys["counters"])
	r, f := startListing(t, &listingServer{keys: keys})
	names(t, r, ".")
	f.take()
	if got := names(t, r, "."); !slices.Equal(got, keys) {
		t.Errorf("%d were listed", len(got))
	}
	if got := len(f.take()); got != 10 {
		t.Errorf("%d requests for 10 pages", got)
	}
}

func TestALongListingThatFailsInTheMiddle(t *testing.T) {
	keys := keysLike(3000, kindsOfKeys["counters"])
	r, f := startListing(t, &listingServer{keys: keys, anywhere: true})
	f.setMeddle(refuseWith(http.StatusInternalServerError, "InternalError", func(q *http.Request) bool {
		return strings.Contains(q.URL.Query().Get("start-after"), "1199") // the third span
	}))
	n := 0
	var err error
	for _, e := range r.List(t.Context(), ".") {
		if err = e; err != nil {
			break
		}
		n++
	}
	if err == nil || n != 1199 { // the last one may be hidden by a directory that comes next
		t.Errorf("%d entries, %v", n, err)
	}
}

func TestALongListingThatIsBrokenOff(t *testing.T) {
	keys := keysLike(3000, kindsOfKeys["counters"])
	r, _ := startListing(t, &listingServer{keys: keys, anywhere: true})
	for _, at := range []int{1, 150, 201, 1300} {
		n := 0
		for _, err := range r.List(t.Context(), ".") {
			if err != nil {
				t.Fatal(err)
			}
			if n++; n == at {
				break
			}
		}
	}
}

func TestOnTheRealServerALongListingIsWhole(t *testing.T) {
	addr := startGateway(t)
	o := testOptions(addr)
	o.ListChunk = 20
	r := openAt(t, testBucket, o)
	for _, kind := range []string{"counters", "words"} {
		var want []string
		for _, key := range keysLike(300, kindsOfKeys[kind]) {
			want = append(want, key)
			store(t, r, kind+"/"+key, remote.StageOptions{}, []byte("x"))
		}
		if got := names(t, r, kind); !slices.Equal(got, want) {
			t.Errorf("%s: %d of %d were listed", kind, len(got), len(want))
		}
	}
	if r.oneByOne.Load() {
		t.Error("the server is taken for one that cannot begin in the middle")
	}
}
