package s3

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"ferry/remote"
	"ferry/remote/remotetest/badnet"
)

func names(t *testing.T, r *Remote, dir string) []string {
	t.Helper()
	var list []string
	for e, err := range r.List(t.Context(), dir) {
		if err != nil {
			t.Fatal(err)
		}
		if e.Dir {
			e.Name += "/"
		}
		list = append(list, e.Name)
	}
	slices.Sort(list)
	return list
}

func TestBucketsAreTheDirectoriesOfTheRoot(t *testing.T) {
	r := openAt(t, "", testOptions(startGateway(t)))
	ctx := t.Context()
	if got := names(t, r, "."); !slices.Equal(got, []string{testBucket + "/"}) {
		t.Errorf("%q", got)
	}
	if err := r.Mkdir(ctx, "another"); err != nil {
		t.Fatal(err)
	}
	if err := r.Mkdir(ctx, "another"); !errors.Is(err, remote.ErrExist) {
		t.Errorf("Mkdir of a bucket that is there: %v", err)
	}
	store(t, r, "another/d/f", remote.StageOptions{}, []byte("content"))
	if e, err := r.Stat(ctx, "another"); err != nil || !e.Dir || e.Name != "another" {
		t.Errorf("%+v, %v", e, err)
	}
	if err := r.Rmdir(ctx, "another"); !errors.Is(err, remote.ErrNotEmpty) {
		t.Errorf("Rmdir of a full bucket: %v", err)
	}
	if err := r.Move(ctx, "another/d/f", testBucket+"/f"); err != nil {
		t.Error(err)
	}
	if got := load(t, r, testBucket+"/f"); string(got) != "content" {
		t.Errorf("%q", got)
	}
	if err := errors.Join(r.Mkdir(ctx, "third"), r.Rmdir(ctx, "third")); err != nil {
		t.Error(err)
	}
	for _, name := range []string{".", "file"} {
		if _, err := r.Put(ctx, name, strings.NewReader("x"), remote.PutOptions{}); !errors.Is(err, remote.ErrIsDir) {
			t.Errorf("Put(%s): %v", name, err)
		}
	}
	if _, err := r.Stat(ctx, "none"); !errors.Is(err, remote.ErrNotExist) {
		t.Errorf("a bucket that is not there: %v", err)
	}
}

func TestAnEmptyDirectorySurvivesTheLastFile(t *testing.T) {
	r := openAt(t, testBucket, testOptions(startGateway(t)))
	ctx := t.Context()
	if err := r.Mkdir(ctx, "d"); err != nil {
		t.Fatal(err)
	}
	store(t, r, "d/f", remote.StageOptions{}, []byte("x"))
	if err := r.Remove(ctx, "d/f"); err != nil {
		t.Fatal(err)
	}
	if got := names(t, r, "."); !slices.Equal(got, []string{"d/"}) {
		t.Errorf("%q", got)
	}
	if got := names(t, r, "d"); len(got) != 0 {
		t.Errorf("%q", got)
	}
	if err := r.Rmdir(ctx, "d"); err != nil {
		t.Error(err)
	}
}

// What Stat says of a time is what a listing says, also when it was set, as long as it can be
// known.
func TestListingsShowTheTimesThatWereSet(t *testing.T) {
	addr := startGateway(t)
	r := openAt(t, testBucket, testOptions(addr))
	ctx := t.Context()
	when := time.Date(2001, 2, 3, 4, 5, 6, 789_000_000, time.UTC)
	store(t, r, "now", remote.StageOptions{}, []byte("now"))
	if _, err := r.Put(ctx, "put", strings.NewReader("put"), remote.PutOptions{ModTime: when}); err != nil {
		t.Fatal(err)
	}
	store(t, r, "set", remote.StageOptions{}, []byte("set"))
	if err := r.SetModTime(ctx, "set", when); err != nil {
		t.Fatal(err)
	}
	store(t, r, "old name", remote.StageOptions{}, []byte("moved"))
	if err := r.Move(ctx, "old name", "moved"); err != nil {
		t.Fatal(err)
	}
	store(t, r, "again", remote.StageOptions{}, []byte("again"))
	if err := r.SetModTime(ctx, "again", when); err != nil {
		t.Fatal(err)
	}
	store(t, r, "again", remote.StageOptions{}, []byte("again")) // the same content, but not that time
	for e, err := range r.List(ctx, ".") {
		if err != nil {
			t.Fatal(err)
		}
		stat, err := r.Stat(ctx, e.Name)
		if err != nil || !stat.ModTime.Equal(e.ModTime) {
			t.Errorf("%s: listed %v, Stat %v, %v", e.Name, e.ModTime, stat.ModTime, err)
		}
	}
	other := openAt(t, testBucket, testOptions(addr)) // knows nothing
	for _, name := range []string{"put", "set"} {
		if e, err := other.Stat(ctx, name); err != nil || !e.ModTime.Equal(when) {
			t.Errorf("%s: %v, %v", name, e.ModTime, err)
		}
	}
	if err := r.SetModTime(ctx, "set", when); err != nil { // it has that time
		t.Error(err)
	}
}

func TestADirectoryThatHidesAnObject(t *testing.T) {
	addr := startFake(t).addr // the gateway has files, and so cannot hold both
	r := openAt(t, testBucket, testOptions(addr))
	fillBucket(t, r, map[string]string{"d/f": "x", "d-1": "x", "d.txt": "x", "e": "x", "d": "x"})
	if got := names(t, r, "."); !slices.Equal(got, []string{"d-1", "d.txt", "d/", "e"}) {
		t.Errorf("%q", got)
	}
	if got := names(t, r, "d"); !slices.Equal(got, []string{"f"}) {
		t.Errorf("%q", got)
	}
	for _, size := range []int{1, 2, 3, 100} { // of pages
		o := testOptions(addr)
		o.ListChunk = size
		if got := names(t, openAt(t, testBucket, o), "."); !slices.Equal(got, []string{"d-1", "d.txt", "d/", "e"}) {
			t.Errorf("in pages of %d: %q", size, got)
		}
	}
}

func TestKeysThatAreNoNamesAreLeftOut(t *testing.T) {
	r := openAt(t, testBucket, testOptions(startFake(t).addr))
	for _, key := range []string{"a//b", "ok", "d/./x", "Gr\u00fc\u00df/f", "wide／slash"} {
		if _, err := r.putWhole(t.Context(), r.again, place{Bucket: testBucket, Name: key}, []byte("x"), r.putOptions(place{Bucket: testBucket, Name: key}, time.Time{})); err != nil {
			t.Fatal(err)
		}
	}
	if got := names(t, r, "."); !slices.Equal(got, []string{"Gr\u00fc\u00df/", "a/", "d/", "ok", "wide／slash"}) {
		t.Errorf("%q", got)
	}
	for _, dir := range []string{"a", "d"} {
		if got := names(t, r, dir); len(got) != 0 {
			t.Errorf("%s: %q", dir, got)
		}
	}
}

func TestARootThatIsAFile(t *testing.T) {
	o := testOptions(startGateway(t))
	store(t, openAt(t, testBucket, o), "d/f", remote.StageOptions{}, []byte("x"))
	if _, err := openAt(t, testBucket+"/d/f", o).Stat(t.Context(), "."); !errors.Is(err, remote.ErrNotDir) {
		t.Errorf("a file: %v", err)
	}
	for _, dir := range []string{"/d", "/none", ""} {
		if e, err := openAt(t, testBucket+dir, o).Stat(t.Context(), "."); err != nil || !e.Dir {
			t.Errorf("%q: %+v, %v", dir, e, err)
		}
	}
	if _, err := openAt(t, "none", o).Stat(t.Context(), "."); !errors.Is(err, remote.ErrNotExist) {
		t.Errorf("a bucket that is not there: %v", err)
	}
}

// slow is a network with some way to go.
var slow = badnet.ProxyOptions{Latency: 10 * time.Millisecond}

func TestAnUploadThatIsCutOnTheWay(t *testing.T) {
	const size = 4*minPart + 7
	content := pattern(size)
	gateway := startGateway(t)
	proxy := badnet.NewProxy(t, gateway, slow)
	r := openAt(t, testBucket, testOptions(proxy.Addr))
	direct := openAt(t, testBucket, testOptions(gateway))
	proxy.Cut(badnet.Cut{Direction: badnet.Up, At: 0.9, Of: size, All: true})
	store(t, r, "f", remote.StageOptions{}, content)
	if !bytes.Equal(load(t, direct, "f"), content) {
		t.Error("an upload that was cut once is not whole")
	}
	var err error
	if r.again, err = r.client(2, nil); err != nil {
		t.Fatal(err)
	}
	for _, at := range []float64{0.3, 0.9} {
		proxy.Cut(badnet.Cut{Direction: badnet.Up, At: at, Of: size, All: true, Times: 1})
		proxy.Cut(badnet.Cut{Direction: badnet.Up, After: minPart / 2, Each: true, Times: 50})
		_, err := r.Put(t.Context(), "new", bytes.NewReader(content), remote.PutOptions{})
		proxy.Heal()
		if err == nil || remote.Permanent(err) {
			t.Errorf("cut at %v: %v", at, err)
		}
		leavesNothing(t, direct, "new", nil)
	}
}

func TestAReadThatIsCutGoesOnInTheSameVersion(t *testing.T) {
	content := pattern(2 << 20)
	gateway := startGateway(t)
	proxy := badnet.NewProxy(t, gateway, slow)
	r := openAt(t, testBucket, testOptions(proxy.Addr))
	store(t, r, "f", remote.StageOptions{}, content)
	proxy.Cut(badnet.Cut{Direction: badnet.Down, After: 1 << 20})
	body, err := r.Open(t.Context(), "f", 0, -1)
	if err != nil {
		t.Fatal(err)
	}
	defer body.Close()
	first, err := io.ReadAll(body)
	if err == nil || remote.Permanent(err) {
		t.Fatalf("%d bytes, %v", len(first), err)
	}
	before, ok := remote.Describe(body)
	if !ok || before.Size != int64(len(content)) {
		t.Fatalf("%+v", before)
	}
	rest, err := r.Open(t.Context(), "f", int64(len(first)), -1)
	if err != nil {
		t.Fatal(err)
	}
	defer rest.Close()
	if after, _ := remote.Describe(rest); !remote.SameContent(before, after) {
		t.Errorf("%+v and %+v", before, after)
	}
	second, err := io.ReadAll(rest)
	if err != nil || !bytes.Equal(append(first, second...), content) {
		t.Errorf("%d and %d bytes, %v", len(first), len(second), err)
	}
}

func TestAConnectionIsUsedAgain(t *testing.T) {
	proxy := badnet.NewProxy(t, startGateway(t), slow)
	r := openAt(t, testBucket, testOptions(proxy.Addr))
	for i := range 20 {
		name := fmt.Sprintf("d/f%d", i)
		store(t, r, name, remote.StageOptions{}, []byte(name))
		if got := load(t, r, name); string(got) != name {
			t.Errorf("%q", got)
		}
		if err := r.Remove(t.Context(), name); err != nil {
			t.Error(err)
		}
	}
	if n := proxy.Connections(); n > 3 {
		t.Errorf("%d connections", n)
	}
}

func TestWhatAnObjectSaysOfItselfSurvives(t *testing.T) {
	r := openAt(t, testBucket, testOptions(startGateway(t)))
	ctx := t.Context()
	store(t, r, "f", remote.StageOptions{}, []byte("x"))
	info, err := r.head(ctx, place{Bucket: testBucket, Name: "f"})
	if err != nil {
		t.Fatal(err)
	}
	info.UserMetadata = map[string]string{"Colour": "blue"}
	info.Metadata.Set("Content-Type", "text/x-ferry")
	if _, err := r.copyObject(ctx, place{Bucket: testBucket, Name: "f"}, place{Bucket: testBucket, Name: "g"}, info, time.Unix(1e9, 0)); err != nil {
		t.Fatal(err)
	}
	if err := r.Move(ctx, "g", "h"); err != nil {
		t.Fatal(err)
	}
	if err := r.SetModTime(ctx, "h", time.Unix(2e9, 5)); err != nil {
		t.Fatal(err)
	}
	info, err = r.head(ctx, place{Bucket: testBucket, Name: "h"})
	want := map[string]string{"Colour": "blue", "Mtime": "2000000000.000000005"}
	if err != nil || info.ContentType != "text/x-ferry" || !maps.Equal(info.UserMetadata, want) {
		t.Errorf("%q, %v, %v", info.ContentType, info.UserMetadata, err)
	}
}
