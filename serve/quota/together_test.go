package quota

import (
	"fmt"
	"io"
	"math/rand/v2"
	"testing"

	"ferry/ftp"
)

// begun is an upload of n bytes that has not ended.
func begun(t *testing.T, f ftp.FS, name string, n int) ftp.Upload {
	t.Helper()
	u, err := f.Create(t.Context(), name, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := u.Write(make([]byte, n)); err != nil {
		t.Fatal(err)
	}
	return u
}

// One name that two sessions store is one file.
func TestTwoSessionsStoreOneNewFile(t *testing.T) {
	tree, s := newTree(t), NewStore(t.TempDir())
	f := counted(t, s, tree, Limits{Files: 2, Bytes: 1000})
	one, two := begun(t, f, "f", 10), begun(t, f, "f", 30)
	for _, u := range []ftp.Upload{one, two} {
		if err := u.Commit(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if used := f.account.Usage(); used != (Usage{30, 1}) {
		t.Errorf("counted %+v", used)
	}
	if err := put(f, "g", 0, 970, false); err != nil {
		t.Errorf("what is left cannot be used: %v", err)
	}
}

// Whatever sessions do at a time, what is counted is what is there, and nothing stays reserved.
func TestWhatSessionsDoTogetherIsCounted(t *testing.T) {
	for seed := range uint64(40) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			random := rand.New(rand.NewPCG(seed, 1))
			tree, s := newTree(t), NewStore(t.TempDir())
			f := counted(t, s, tree, Limits{Files: 50, Bytes: 10_000})
			var open []ftp.Upload
			name := func() string { return string(rune('a' + random.IntN(3))) }
			for range 200 {
				switch k := random.IntN(8); {
				case k < 3:
					if u, err := f.Create(t.Context(), name(), 0); err == nil {
						open = append(open, u)
					}
				case k < 5 && len(open) > 0:
					_, _ = io.WriteString(open[random.IntN(len(open))], "0123456789"[:random.IntN(10)])
				case k < 6 && len(open) > 0:
					i := random.IntN(len(open))
					if random.IntN(3) > 0 {
						_ = open[i].Commit(t.Context())
					}
					open[i].Abort()
					open = append(open[:i], open[i+1:]...)
				case k == 6:
					_ = f.Remove(t.Context(), name())
				default:
					_ = f.Rename(t.Context(), name(), name())
				}
			}
			for _, u := range open {
				u.Abort()
			}
			there, err := Scan(t.Context(), tree)
			if err != nil {
				t.Fatal(err)
			}
			if used := f.account.Usage(); used != there {
				t.Errorf("counted %+v, there are %+v", used, there)
			}
			if f.account.reserved != (Usage{}) || len(f.account.uploads) > 0 {
				t.Errorf("reserved %+v, by %d", f.account.reserved, len(f.account.uploads))
			}
		})
	}
}
