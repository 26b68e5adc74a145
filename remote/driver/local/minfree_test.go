package local

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"

	"ferry/remote"
)

// A filling tree has less and less free.
type filling struct {
	tree
	free *int64
}

func (f filling) usage() (total, free int64, err error) { return 1 << 40, *f.free, nil }

func TestMinFree(t *testing.T) {
	const least = 100 << 20
	for _, tt := range []struct {
		name string
		free int64
		size int64
		full bool
	}{
		{"there is room", least + 20<<20, 10 << 20, false},
		{"just enough", least + 8<<20, 8 << 20, false},
		{"a byte too much", least + 8<<20, 8<<20 + 1, true},
		{"none at the start", least, 1, true},
		{"several looks", least + 20<<20, 30 << 20, true},
	} {
		for _, way := range []string{"ReadFrom", "Write"} {
			r, err := New(t.TempDir(), Options{MinFree: least})
			if err != nil {
				t.Fatal(err)
			}
			free := tt.free
			r.tree = filling{r.tree, &free}
			s, err := r.Stage(t.Context(), "f", remote.StageOptions{Owner: "o"})
			if err == nil {
				content := bytes.NewReader(make([]byte, tt.size))
				used := func(n int64) { free -= n }
				if way == "ReadFrom" {
					_, err = io.Copy(s, &using{content, used})
				} else {
					_, err = io.CopyBuffer(struct{ io.Writer }{s}, struct{ io.Reader }{&using{content, used}}, make([]byte, 1<<20))
				}
				s.Abort()
			}
			if got := errors.Is(err, remote.ErrNoSpace); got != tt.full || err != nil && !strings.Contains(err.Error(), "--min-free-space") {
				t.Errorf("%s by %s: %v", tt.name, way, err)
			}
			r.Close()
		}
	}
}

// using tells what is read.
type using struct {
	io.Reader
	used func(n int64)
}

func (u *using) Read(p []byte) (int, error) {
	n, err := u.Reader.Read(p)
	u.used(int64(n))
	return n, err
}
