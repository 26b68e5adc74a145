// Package ledger keeps what the client of a remote was promised, when changes fail and nobody knows
// what has become of them.
//
//	l := ledger.New()
//	l.Set("f", ledger.One("content")) // a change that was acknowledged
//	l.Add("f", ledger.One("more"))    // one that was not: it may be made at any time
//	wrong := l.Check(tree)            // of what is there in the end
package ledger

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// A Ledger keeps what may be under each of the names of a client. After an acknowledged change that
// is one thing. A change that failed, or that nobody answered, may have been made, or may be made
// at any time until the next one of that name is acknowledged: both are possible then. Nobody else
// changes these names. Directories have names that end in a slash, and hold Directory. A Ledger is
// used by one goroutine.
type Ledger struct {
	may map[string]map[string]bool // contents, by name
	// carried are names to which a rename without an answer may still carry what is stored under
	// the old name.
	carried map[string]map[string]bool
	kept    []keeping
}

// A keeping is a content that must not be lost: a rename without an answer has been made, or it has
// not.
type keeping struct{ from, to, content string }

// What may be under a name, besides contents. No content begins with a zero.
const (
	Absent    = "\x00absent"
	Directory = "\x00directory"
)

// New returns a ledger of nothing.
func New() *Ledger {
	return &Ledger{may: map[string]map[string]bool{}, carried: map[string]map[string]bool{}}
}

// One is a single state.
func One(state string) map[string]bool { return map[string]bool{state: true} }

// Now returns what may be under name.
func (l *Ledger) Now(name string) map[string]bool {
	if l.may[name] == nil {
		l.may[name] = One(Absent)
	}
	return l.may[name]
}

// Contents are those that may be under name.
func (l *Ledger) Contents(name string) map[string]bool {
	all := maps.Clone(l.Now(name))
	delete(all, Absent)
	return all
}

// Set notes that a change of name was acknowledged.
func (l *Ledger) Set(name string, states map[string]bool) {
	for _, to := range l.carried {
		delete(to, name)
	}
	l.forgetKept(name)
	l.may[name] = maps.Clone(states)
	l.carry(name)
}

// Add notes that a change of name was not acknowledged.
func (l *Ledger) Add(name string, states map[string]bool) {
	l.forgetKept(name)
	maps.Copy(l.Now(name), states)
	l.carry(name)
}

func (l *Ledger) forgetKept(name string) {
	l.kept = slices.DeleteFunc(l.kept, func(k keeping) bool { return k.from == name || k.to == name })
}

// carry notes that what may be under name may be carried away.
func (l *Ledger) carry(name string) {
	for to := range l.carried[name] {
		before := len(l.Now(to))
		maps.Copy(l.Now(to), l.Contents(name))
		if len(l.Now(to)) > before {
			l.carry(to)
		}
	}
}

// Below returns the names below dir.
func (l *Ledger) Below(dir string) []string {
	var all []string
	for name := range l.may {
		if strings.HasPrefix(name, dir+"/") && name != dir+"/" {
			all = append(all, name)
		}
	}
	slices.Sort(all)
	return all
}

// Rename notes that a file was moved, or perhaps.
func (l *Ledger) Rename(from, to string, acknowledged bool) {
	l.move(from, to, l.Contents(from), acknowledged)
}

// move notes that one of the states was moved, or perhaps.
func (l *Ledger) move(from, to string, moved map[string]bool, acknowledged bool) {
	if acknowledged {
		l.Set(to, moved)
		l.Set(from, One(Absent))
		return
	}
	sure := len(l.Now(from)) == 1 && len(moved) == 1 && !moved[Absent] && !moved[Directory]
	l.Add(to, moved)
	l.Add(from, One(Absent))
	if sure {
		l.kept = append(l.kept, keeping{from, to, slices.Collect(maps.Keys(moved))[0]})
	}
	if l.carried[from] == nil {
		l.carried[from] = map[string]bool{}
	}
	l.carried[from][to] = true
}

// RenameDir is rename of a directory with everything in it.
func (l *Ledger) RenameDir(from, to string, acknowledged bool) {
	names := l.Below(from)
	l.Rename(from+"/", to+"/", acknowledged)
	for _, name := range names {
		l.move(name, to+strings.TrimPrefix(name, from), maps.Clone(l.Now(name)), acknowledged)
	}
}

// Check compares a tree with what may be there, and returns what is wrong.
func (l *Ledger) Check(tree map[string]string) (wrong []string) {
	for _, name := range slices.Sorted(maps.Keys(l.may)) {
		got, there := tree[name]
		if !there {
			got = Absent
		}
		if !l.may[name][got] {
			wrong = append(wrong, fmt.Sprintf("%s is %s, may be %s", name, shortly(got), Shortly(l.may[name])))
		}
	}
	for _, k := range l.kept {
		if tree[k.from] != k.content && tree[k.to] != k.content && l.may[k.from][k.content] && l.may[k.to][k.content] {
			wrong = append(wrong, fmt.Sprintf("%s is neither %s nor %s", shortly(k.content), k.from, k.to))
		}
	}
	for _, name := range slices.Sorted(maps.Keys(tree)) {
		if l.may[name] == nil {
			wrong = append(wrong, fmt.Sprintf("nobody has made %s", name))
		}
	}
	return wrong
}

// Shortly tells states for messages.
func Shortly(states map[string]bool) string {
	var all []string
	for _, state := range slices.Sorted(maps.Keys(states)) {
		all = append(all, shortly(state))
	}
	return strings.Join(all, " or ")
}

func shortly(state string) string {
	const most = 40
	switch {
	case state == Absent:
		return "absent"
	case state == Directory:
		return "a directory"
	case len(state) > most:
		return fmt.Sprintf("%q (%d bytes)", state[:most]+"...", len(state))
	}
	return fmt.Sprintf("%q", state)
}
