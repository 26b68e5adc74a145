package access_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"math/rand/v2"
	"os"
	"path"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"ferry/ftp"
	"ferry/remote/driver/memory"
	"ferry/serve/access"
	"ferry/vfs"
)

// world is a tree with a policy, the same tree without one, and the model of what the policy says.
type world struct {
	t     *testing.T
	rnd   *rand.Rand
	plain *vfs.View // what is changed as the policy allows
	guard ftp.FS    // over another tree with the same files
	wire  *wire     // if not nil: how guard is asked
	model *model
}

// names are those of every directory of a world; no rule names the last.
var names = []string{"a", "b", "z"}

func newWorld(t *testing.T, rnd *rand.Rand) *world {
	w := &world{t: t, rnd: rnd, model: &model{policy: randomPolicy(rnd), own: map[string]bool{}, leads: map[string]bool{}}}
	w.model.paths = []string{"/"}
	for begin := 0; len(w.model.paths) < 1+3+9+27+81; {
		for _, p := range w.model.paths[begin:] {
			begin++
			for _, n := range names {
				w.model.paths = append(w.model.paths, path.Join(p, n))
			}
		}
	}
	w.plain = vfs.New(memory.New(), vfs.Options{}).View("u")
	below := vfs.New(memory.New(), vfs.Options{}).View("u")
	for range 12 {
		p, dir := w.randomPath(), rnd.IntN(2) == 0
		for _, f := range []*vfs.View{w.plain, below} {
			put(f, name(p), dir)
		}
	}
	w.guard = access.New(below, w.model.policy)
	return w
}

// put makes a file or directory, if its parent is there.
func put(f ftp.FS, name string, dir bool) {
	if dir {
		_ = f.Mkdir(context.Background(), name)
		return
	}
	_ = store(f, name, 0)
}

func store(f ftp.FS, name string, off int64) error {
	up, err := f.Create(context.Background(), name, off)
	if err != nil {
		return err
	}
	defer up.Abort()
	if _, err := io.WriteString(up, "text"); err != nil {
		return err
	}
	return up.Commit(context.Background())
}

// cut leaves an unfinished upload.
func cut(f ftp.FS, name string) error {
	up, err := f.Create(context.Background(), name, 0)
	if err != nil {
		return err
	}
	_, err = io.WriteString(up, "te")
	up.Abort()
	return err
}

func randomPolicy(rnd *rand.Rand) access.Policy {
	var p access.Policy
	const most = access.All &^ access.Overwrite
	sets := []access.Verbs{0, access.All, access.All, most, most &^ access.Download, most &^ access.Upload,
		access.All &^ access.Rename, access.All &^ access.Rmdir, access.List | access.Download, access.List, access.Upload | access.Mkdir,
		access.List | access.Upload, access.All &^ access.List, access.All &^ access.Mkdir}
	taken := map[string]bool{}
	for range 1 + rnd.IntN(5) {
		r := access.Rule{Path: randomRulePath(rnd), Verbs: sets[rnd.IntN(len(sets))]}
		if rnd.IntN(3) == 0 {
			r.Verbs = access.Verbs(rnd.UintN(uint(access.All) + 1))
		}
		r.OwnOnly = rnd.IntN(6) == 0
		if !taken[r.Path] {
			p.Rules = append(p.Rules, r)
		}
		taken[r.Path] = true
	}
	for range rnd.IntN(5) - 2 {
		globs := []string{"a", "B", "[az]", "z*", "?"}
		one := access.Pattern{Path: randomRulePath(rnd), Hide: rnd.IntN(2) == 0}
		if rnd.IntN(2) == 0 {
			one.Deny = []string{globs[rnd.IntN(len(globs)-1)]}
		} else {
			one.Allow = []string{globs[rnd.IntN(len(globs))], globs[rnd.IntN(len(globs))]}
		}
		p.Patterns = append(p.Patterns, one)
	}
	return p
}

func randomRulePath(rnd *rand.Rand) string {
	p := "/"
	for range rnd.IntN(4) {
		p = path.Join(p, []string{"a", "b", "*"}[rnd.IntN(3)])
	}
	return p
}

func (w *world) randomPath() string {
	for {
		if p := w.model.paths[w.rnd.IntN(len(w.model.paths))]; strings.Count(p, "/") < 4 && p != "/" {
			return p
		}
	}
}

// likelyPath returns a path that mostly has a parent, and is mostly there where entry is set.
func (w *world) likelyPath(entry bool) string {
	p := w.randomPath()
	for range 30 {
		if w.kind(path.Dir(p)) == "dir" && (!entry || w.kind(p) != "") {
			break
		}
		p = w.randomPath()
	}
	return p
}

// name returns the name in an ftp.FS of an absolute path.
func name(p string) string {
	if p == "/" {
		return "."
	}
	return p[1:]
}

// kind returns "file", "part", "dir", or "" if there is nothing.
func (w *world) kind(p string) string {
	info, err := w.plain.Stat(context.Background(), name(p))
	switch {
	case err != nil:
		return ""
	case info.IsDir():
		return "dir"
	case info.(ftp.Partial).Unfinished():
		return "part"
	}
	return "file"
}

// there reports whether the client may know of p, which exists.
func (w *world) there(p string) bool {
	switch w.kind(p) {
	case "dir":
		return w.model.dirThere(p)
	case "file":
		return w.model.fileThere(p)
	case "part":
		return w.model.judge(p, false) != "hidden" && w.model.rule(p, true).Verbs&^(access.Mkdir|access.Rmdir) != 0
	}
	return false
}

// may reports whether v may be applied to p, which exists.
func (w *world) may(p string, v access.Verbs) bool {
	switch w.kind(p) {
	case "dir":
		return w.model.dir(p, v)
	case "part":
		return v == access.Delete && w.model.judge(p, false) == "" && w.model.can(p, true, v)
	}
	return w.model.file(p, v)
}

// mayPut reports whether an upload may begin.
func (w *world) mayPut(p string, again access.Verbs) bool {
	if w.kind(p) == "file" {
		return w.model.dirThere(path.Dir(p)) && w.model.file(p, again)
	}
	return w.model.dirThere(path.Dir(p)) && w.model.judge(p, false) == "" && w.model.can(p, true, access.Upload)
}

func (w *world) mayMove(from, to string) bool {
	m, dir := w.model, w.kind(from) == "dir"
	if w.kind(from) == "part" || !w.there(from) || !w.may(from, access.Rename) ||
		!m.dirThere(path.Dir(to)) || m.judge(to, dir) != "" || w.kind(to) == "file" && to != from && !m.file(to, access.Overwrite) {
		return false
	}
	if !dir {
		return m.can(to, true, access.Upload) && (m.can(from, true, access.Download) || !m.can(to, true, access.Download))
	}
	up := path.Dir(to)
	return m.dirThere(to) && m.can(up, false, access.Upload|access.Mkdir) && m.can(from, false, access.Rename) &&
		m.uniform(from) && m.uniform(to) && m.patternsFor(path.Dir(from)) == m.patternsFor(up) &&
		(m.can(from, false, access.Download) || !m.can(up, false, access.Download))
}

// ops are what a step may be, the more often the more there is to find.
var ops = []string{
	"stat", "open", "hash", "store", "store", "append", "append", "cut", "remove",
	"rename", "rename", "rename", "rename", "rename", "mkdir", "mkdir", "rmdir", "mtime", "chmod",
}

// step does one random operation on both trees, and compares what comes of it.
func (w *world) step() {
	ctx := context.Background()
	op := ops[w.rnd.IntN(len(ops))]
	p, to := w.likelyPath(op != "store" && op != "mkdir" && op != "cut"), w.likelyPath(false)
	exists, there := w.kind(p) != "", w.there(p)
	before := w.letters(p)
	may := exists && there
	var do func(f ftp.FS) error
	switch op {
	case "stat":
		do = func(f ftp.FS) error { _, err := f.Stat(ctx, name(p)); return err }
	case "open", "hash":
		may = may && w.may(p, access.Download)
		do = func(f ftp.FS) error { return read(f, name(p), op) }
	case "store":
		may = w.mayPut(p, access.Overwrite)
		do = func(f ftp.FS) error { return store(f, name(p), 0) }
	case "append":
		may = w.mayPut(p, access.Resume)
		do = func(f ftp.FS) error { return store(f, name(p), ftp.AtEnd) }
	case "cut":
		may = w.mayPut(p, access.Overwrite)
		do = func(f ftp.FS) error { return cut(f, name(p)) }
	case "remove":
		may = may && w.kind(p) != "dir" && w.may(p, access.Delete)
		do = func(f ftp.FS) error { return f.Remove(ctx, name(p)) }
	case "rename":
		may = may && w.mayMove(p, to)
		do = func(f ftp.FS) error { return f.Rename(ctx, name(p), name(to)) }
	case "mkdir":
		may = w.model.dirThere(path.Dir(p)) && w.model.dirThere(p) && w.model.judge(p, true) == "" && w.model.inside(path.Dir(p), access.Mkdir)
		do = func(f ftp.FS) error { return f.Mkdir(ctx, name(p)) }
	case "rmdir":
		may = may && w.kind(p) == "dir" && w.may(p, access.Rmdir)
		do = func(f ftp.FS) error { return f.Rmdir(ctx, name(p)) }
	case "mtime":
		may = may && w.may(p, access.Mtime)
		do = func(f ftp.FS) error { return f.(ftp.ModTimer).SetModTime(ctx, name(p), time.Unix(1e9, 0)) }
	case "chmod":
		may = may && w.may(p, access.Chmod)
		do = func(f ftp.FS) error { return f.(ftp.Moder).SetMode(ctx, name(p), 0o700) }
	}
	what := fmt.Sprintf("%s %s (to %s), which is a %q", op, p, to, w.kind(p))
	if !may {
		w.refused(what, op, exists && !there, p, to, do)
		w.compareFact(what, op, before, false)
		return
	}
	want, got := do(w.plain), do(w.asked(op))
	if (want == nil) != (got == nil) {
		w.t.Fatalf("%s is allowed: %v, but %v", what, want, got)
	}
	w.compareFact(what, op, before, want == nil)
	if want == nil {
		w.note(op, p, to)
	}
}

// asked returns what an operation is done on.
func (w *world) asked(op string) ftp.FS {
	if w.wire == nil || op == "cut" {
		return w.guard
	}
	return w.wire
}

func read(f ftp.FS, name, op string) error {
	if op == "hash" {
		_, err := f.(ftp.Hasher).Hash(context.Background(), name, "md5")
		if !errors.Is(err, errors.ErrUnsupported) {
			return err
		}
	}
	r, err := f.Open(context.Background(), name, 0)
	if err != nil {
		return err
	}
	return r.Close()
}

// refused does what is not allowed. Of an entry that the client may not know it must not be told,
// except by an upload that is refused only because the name is taken, and of what it stored itself.
func (w *world) refused(what, op string, secret bool, p, to string, do func(ftp.FS) error) {
	got := do(w.asked(op))
	if got == nil {
		w.t.Fatalf("%s is not allowed, but done", what)
	}
	if !secret || w.wire != nil || w.model.own[p] || w.model.own[to] || op == "store" || op == "append" || op == "cut" || op == "mkdir" {
		return
	}
	without := vfs.New(memory.New(), vfs.Options{}).View("u")
	for _, q := range w.model.paths[1:] {
		if q != p && !strings.HasPrefix(q, p+"/") && w.kind(q) != "" {
			put(without, name(q), w.kind(q) == "dir")
		}
	}
	if other := do(access.New(without, w.model.policy)); text(other) != text(got) {
		w.t.Fatalf("%s is not there, but answered %q, and without it %q", what, text(got), text(other))
	}
}

// text returns what the client is told by err.
func text(err error) string {
	if h, has := err.(interface{ Hint() string }); has {
		return h.Hint()
	}
	for _, e := range []error{fs.ErrNotExist, ftp.ErrNotDir, ftp.ErrIsDir, fs.ErrPermission, fs.ErrExist, fs.ErrInvalid} {
		if errors.Is(err, e) {
			return e.Error()
		}
	}
	return fmt.Sprint(err)
}

// note notes in the model what the session did.
func (w *world) note(op, p, to string) {
	own := func(p string) {
		w.model.own[p] = true
		for up := path.Dir(p); up != "/"; up = path.Dir(up) {
			w.model.leads[up] = true
		}
	}
	switch op {
	case "store", "append", "mkdir":
		own(p)
	case "remove", "rmdir":
		delete(w.model.own, p)
		delete(w.model.leads, p)
	case "rename":
		for q := range maps.Clone(w.model.own) {
			if q == p || strings.HasPrefix(q, p+"/") {
				delete(w.model.own, q)
				own(to + q[len(p):])
			}
		}
		for q := range maps.Clone(w.model.leads) {
			if q == p || strings.HasPrefix(q, p+"/") {
				delete(w.model.leads, q)
			}
		}
		own(to)
	}
}

// letters returns the perm fact that the client is shown for p, "-" if p is not there.
func (w *world) letters(p string) string {
	if w.wire != nil {
		return w.wire.fact(name(p))
	}
	info, err := w.guard.Stat(context.Background(), name(p))
	if err != nil {
		return "-"
	}
	return letters(w.guard.(ftp.Permitter).Permitted(name(p), info), info.IsDir())
}

func letters(perm ftp.Perm, dir bool) string {
	all := []ftp.Perm{ftp.PermRead, ftp.PermWrite, ftp.PermAppend, ftp.PermDelete, ftp.PermRename}
	words := "rwadf"
	if dir {
		all = []ftp.Perm{ftp.PermEnter, ftp.PermRead, ftp.PermCreate, ftp.PermMkdir, ftp.PermPurge, ftp.PermDelete, ftp.PermRename}
		words = "elcmpdf"
	}
	text := ""
	for i, one := range all {
		if perm&one != 0 {
			text += words[i : i+1]
		}
	}
	return text
}

// compareFact compares what the perm fact said before an operation with what came of it.
func (w *world) compareFact(what, op, fact string, done bool) {
	letter := map[string]string{"open": "r", "hash": "r", "store": "w", "cut": "w", "append": "a", "remove": "d", "rmdir": "d"}[op]
	if letter == "" || fact == "-" || op == "remove" == strings.Contains(fact, "e") || op == "rmdir" && !strings.Contains(fact, "e") {
		return
	}
	if strings.Contains(fact, "e") && op != "rmdir" {
		return // what is done with files
	}
	if done && !strings.Contains(fact, letter) {
		w.t.Fatalf("%s is done; the fact was perm=%s", what, fact)
	}
	if !done && strings.Contains(fact, letter) && op != "rmdir" { // which may not be empty
		w.t.Fatalf("%s is refused; the fact was perm=%s", what, fact)
	}
}

// compare compares the whole trees, what is listed, and every fact.
func (w *world) compare() {
	ctx := context.Background()
	for _, p := range w.model.paths {
		k := w.kind(p)
		if k == "" {
			continue
		}
		want := "-"
		if w.there(p) {
			want = w.model.perm(p, k == "dir")
			if k == "part" {
				want = ""
				if w.model.judge(p, false) == "" && w.model.can(p, true, access.Upload) {
					want += "wa"
				}
				if w.may(p, access.Delete) {
					want += "d"
				}
			}
		}
		if got := w.letters(p); got != want {
			w.t.Fatalf("the %s %s has perm=%s, want %s", k, p, got, want)
		}
		if k != "dir" {
			continue
		}
		var wanted, listed []string
		for _, n := range names {
			q := path.Join(p, n)
			switch w.kind(q) {
			case "dir":
				if w.model.dirListed(q) {
					wanted = append(wanted, n)
				}
			case "file":
				if w.model.fileListed(q) {
					wanted = append(wanted, n)
				}
			case "part":
				if r := w.model.rule(q, true); w.there(q) && (r.OwnOnly || r.Verbs&access.List != 0) {
					wanted = append(wanted, n)
				}
			}
		}
		var failed error
		for info, err := range w.guard.List(ctx, name(p)) {
			if failed = err; err == nil {
				listed = append(listed, info.Name())
			}
		}
		slices.Sort(listed)
		if may := w.model.dirListable(p); may != (failed == nil) || may && !slices.Equal(listed, wanted) {
			w.t.Fatalf("%s lists %q, %v; want %q, %v", p, listed, failed, wanted, may)
		}
	}
}

func TestPolicyAgreesWithTheModel(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	for i := range worlds(50) {
		agree(t, seed+i)
	}
}

// worlds returns how many random worlds a test looks at: few, or what FERRY_WORLDS says.
func worlds(few uint64) uint64 {
	if n, err := strconv.ParseUint(os.Getenv("FERRY_WORLDS"), 10, 64); err == nil {
		return n
	}
	return few
}

// agree runs the case of a seed.
func agree(t *testing.T, seed uint64) {
	w := newWorld(t, rand.New(rand.NewPCG(seed, 0)))
	defer func() {
		if t.Failed() {
			t.Logf("case %d: %+v", seed, w.model.policy)
		}
	}()
	for range 20 {
		w.step()
		w.compare()
	}
}
