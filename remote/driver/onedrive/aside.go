package onedrive

import (
	"crypto/sha256"
	"encoding/base32"
	"strings"
	"sync"
	"time"

	"ferry/remote"
	"ferry/remote/partname"
)

// A file that is replaced in two steps is called otherwise between them, and stays so when the
// process is killed there. Its other name follows from its own, so that whoever does not find the
// file looks for it there, and gives it its name back; so does a listing. Where the name is taken
// the replacement was done but for the removal of the old file, which is made up for. Several
// processes may do that at once: each request is for the state that was looked at (If-Match), and
// none replaces what has the name.

// asideMark is in the names of files that are just being replaced by others.
const asideMark = ".ferry-replaced-"

// asideOf returns what the file called base is called while it is replaced.
func asideOf(base string) string {
	sum := sha256.Sum256([]byte(strings.ToLower(base)))
	return base + asideMark + base32.StdEncoding.EncodeToString(sum[:5])
}

// asideFrom returns the name of the file that is called base while it is replaced.
func asideFrom(base string) (name string, ok bool) {
	i := len(base) - len(asideOf(""))
	if i <= 0 {
		return "", false
	}
	return base[:i], strings.EqualFold(base, asideOf(base[:i]))
}

// hidden reports whether clients do not see a name, and cannot make it.
func hidden(elem string) bool {
	_, aside := asideFrom(elem)
	return aside || partname.Hidden(elem)
}

const (
	// gapTime is how long another process is waited for in which a name is missing.
	gapTime = 2 * time.Second
	// tidyTime is how long a directory is known to have nothing aside since it was listed.
	tidyTime = time.Hour
	// doubtTime is how long after a replacement that failed no directory is known for that: a
	// request whose answer was lost may be late.
	doubtTime = 10 * time.Minute
	// maxTidy bounds memory.
	maxTidy = 10_000
)

// asides are the directories that have no files that are aside. It saves requests.
type asides struct {
	mu    sync.Mutex
	tidy  map[string]time.Time // guarded by mu; folded name -> when it was listed
	doubt time.Time            // guarded by mu; when a replacement failed
}

func newAsides() *asides { return &asides{tidy: map[string]time.Time{}} }

// none takes note of a directory in which nothing was aside when it was listed at a time.
func (a *asides) none(dir string, when time.Time) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if len(a.tidy) >= maxTidy {
		clear(a.tidy)
	}
	a.tidy[strings.ToLower(dir)] = when
}

// forget drops what is known, as directories have other names.
func (a *asides) forget() {
	a.mu.Lock()
	defer a.mu.Unlock()
	clear(a.tidy)
}

// failed takes note of a replacement of which it is not known how far it has come.
func (a *asides) failed() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.doubt = time.Now()
	clear(a.tidy)
}

// possible reports whether the file called name may be aside.
func (a *asides) possible(name string) bool {
	if name == "." {
		return false
	}
	dir, _ := remote.Split(name)
	a.mu.Lock()
	defer a.mu.Unlock()
	seen, ok := a.tidy[strings.ToLower(dir)]
	return !ok || time.Since(seen) > tidyTime || !a.doubt.IsZero() && time.Since(a.doubt) < doubtTime
}
