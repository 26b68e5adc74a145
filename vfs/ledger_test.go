package vfs

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// A ledger keeps what a client has been promised, as what may be under each of its names. After an acknowledged change that is
// one thing. A change that failed, or that nobody answered, may have been made, or may be made at any time until the next
// one of that name is acknowledged: both are possible then. Nobody else changes these names.
type ledger struct {
	may map[string]map[string]bool // contents, by name; directories, whose names end in a slash, hold isDirectory
	// carried are names to which a rename without an answer may still carry what is stored under the old name.
	carried map[string]map[string]bool
	kept    []keeping
}

// A keeping is a content that must not be lost: a rename without an answer has been made, or it has not.
type keeping struct{ from, to, content string }

// What may be under a name, besides contents. No content begins with a zero.
const (
	isAbsent    = "\x00absent"
	isDirectory = "\x00directory"
)

func newLedger() *ledger {
	return &ledger{may: map[string]map[string]bool{}, carried: map[string]map[string]bool{}}
}

func one(state string) map[string]bool { return map[string]bool{state: true} }

// now returns what may be under name.
func (l *ledger) now(name string) map[string]bool {
	if l.may[name] == nil {
		l.may[name] = one(isAbsent)
	}
	return l.may[name]
}

// contents are those that may be under name.
func (l *ledger) contents(name string) map[string]bool {
	all := maps.Clone(l.now(name))
	delete(all, isAbsent)
	return all
}

// set notes that a change of name was acknowledged.
func (l *ledger) set(name string, states map[string]bool) {
	for _, to := range l.carried {
		delete(to, name)
	}
	l.forgetKept(name)
	l.may[name] = maps.Clone(states)
	l.carry(name)
}

// add notes that a change of name was not acknowledged.
func (l *ledger) add(name string, states map[string]bool) {
	l.forgetKept(name)
	maps.Copy(l.now(name), states)
	l.carry(name)
}

func (l *ledger) forgetKept(name string) {
	l.kept = slices.DeleteFunc(l.kept, func(k keeping) bool { return k.from == name || k.to == name })
}

// carry notes that what may be under name may be carried away.
func (l *ledger) carry(name string) {
	for to := range l.carried[name] {
		before := len(l.now(to))
		maps.Copy(l.now(to), l.contents(name))
		if len(l.now(to)) > before {
			l.carry(to)
		}
	}
}

// below returns the names below dir.
func (l *ledger) below(dir string) []string {
	var all []string
	for name := range l.may {
		if strings.HasPrefix(name, dir+"/") && name != dir+"/" {
			all = append(all, name)
		}
	}
	slices.Sort(all)
	return all
}

// rename notes that a file was moved, or perhaps.
func (l *ledger) rename(from, to string, acknowledged bool) {
	l.move(from, to, l.contents(from), acknowledged)
}

// move notes that one of the states was moved, or perhaps.
func (l *ledger) move(from, to string, moved map[string]bool, acknowledged bool) {
	if acknowledged {
		l.set(to, moved)
		l.set(from, one(isAbsent))
		return
	}
	sure := len(l.now(from)) == 1 && len(moved) == 1 && !moved[isAbsent] && !moved[isDirectory]
	l.add(to, moved)
	l.add(from, one(isAbsent))
	if sure {
		l.kept = append(l.kept, keeping{from, to, slices.Collect(maps.Keys(moved))[0]})
	}
	if l.carried[from] == nil {
		l.carried[from] = map[string]bool{}
	}
	l.carried[from][to] = true
}

// renameDir is rename of a directory with everything in it.
func (l *ledger) renameDir(from, to string, acknowledged bool) {
	names := l.below(from)
	l.rename(from+"/", to+"/", acknowledged)
	for _, name := range names {
		l.move(name, to+strings.TrimPrefix(name, from), maps.Clone(l.now(name)), acknowledged)
	}
}

// check compares a tree with what may be there, and returns what is wrong.
func (l *ledger) check(tree map[string]string) (wrong []string) {
	for _, name := range slices.Sorted(maps.Keys(l.may)) {
		got, there := tree[name]
		if !there {
			got = isAbsent
		}
		if !l.may[name][got] {
			wrong = append(wrong, fmt.Sprintf("%s is %q, may be %q", name, got, slices.Sorted(maps.Keys(l.may[name]))))
		}
	}
	for _, k := range l.kept {
		if tree[k.from] != k.content && tree[k.to] != k.content && l.may[k.from][k.content] && l.may[k.to][k.content] {
			wrong = append(wrong, fmt.Sprintf("%q is neither %s nor %s", k.content, k.from, k.to))
		}
	}
	for _, name := range slices.Sorted(maps.Keys(tree)) {
		if l.may[name] == nil {
			wrong = append(wrong, fmt.Sprintf("nobody has made %s", name))
		}
	}
	return wrong
}
