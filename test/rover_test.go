package test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"time"
)

// A rover is a client that goes on with its own files through whichever node the balancer gives it.
type rover struct {
	*hunted
	name string
	user string
	home *clusterNode // the only node that it goes to; nil = any
	rng  *rand.Rand
	may  map[string][]*string // what each file may hold; nil = it may not be there

	stored, appended, renamed, deleted, unknown, refused int
}

func (r *rover) work() {
	for !r.over.Load() {
		addr := r.front
		if r.home != nil {
			addr = r.home.front
		}
		m, err := loginMortalAs(addr, r.user)
		if err != nil {
			time.Sleep(10 * time.Millisecond) // there is no node at the moment
			continue
		}
		err = r.settle(m)
		for err == nil && !r.over.Load() {
			if err = r.step(m); err == errOverQuota {
				err = r.makeRoom(m)
			}
		}
		m.close()
		if code(err) != 0 {
			r.Errorf("%s: %v", r.name, err)
			return
		}
	}
}

// read returns the content of a file when it is one that it may have, within the time in which
// nodes see what was done through others.
func (r *rover) read(m *mortal, name string) (*string, error) {
	for end := time.Now().Add(converge); ; time.Sleep(20 * time.Millisecond) {
		got, err := m.fetch(name)
		if err != nil && code(err) == 0 {
			return nil, err
		}
		if err == nil && oneOf(r.now(name), got) {
			return got, nil
		}
		if time.Now().After(end) {
			r.Errorf("%s reads as %s, may be %s (%v)", name, shortly(got), shortly(r.now(name)...), err)
			return got, nil
		}
	}
}

// patiently repeats what is refused because the node does not see yet what was done through
// another.
func (r *rover) patiently(do func() error) error {
	for end := time.Now().Add(converge); ; time.Sleep(20 * time.Millisecond) {
		err := do()
		if c := code(err); c != 450 && c != 451 && c != 550 || time.Now().After(end) {
			return err
		}
	}
}

// settle finds out what became of the commands that nobody answered, and decides it.
func (r *rover) settle(m *mortal) error {
	for name, may := range r.may {
		if len(may) == 1 {
			if _, err := r.read(m, name); err != nil {
				return err
			}
			continue
		}
		time.Sleep(300 * time.Millisecond) // what the killed node had sent may still arrive
		got, err := r.read(m, name)
		if err != nil {
			return err
		}
		if got != nil && r.rng.IntN(2) == 0 {
			r.may[name] = []*string{got, nil}
			err = r.remove(m, name)
		} else {
			err = r.store(m, name)
		}
		if err == errOverQuota && got != nil {
			err = r.remove(m, name)
		}
		if err != nil && err != errOverQuota { // what is not there stays undecided
			return err
		}
	}
	return nil
}

// step does one thing and notes what is promised. What is undecided is stored: nothing can be
// appended to it or removed.
func (r *rover) step(m *mortal) error {
	name := fmt.Sprintf("%s-%s-%d", r.user, r.name, r.rng.IntN(5))
	switch n := r.rng.IntN(10); {
	case n < 4 || len(r.now(name)) > 1:
		return r.store(m, name)
	case n < 5:
		return r.appendTo(m, name)
	case n < 8:
		return r.storeAndRename(m, name)
	case n < 9:
		return r.remove(m, name)
	}
	_, err := r.read(m, name)
	return err
}

// now is what name may be; a file that was never stored is not there.
func (r *rover) now(name string) []*string {
	if may, ok := r.may[name]; ok {
		return may
	}
	return []*string{nil}
}

// change does something after which each of the files has its new content; until it is acknowledged
// both are possible. What is over the quota has changed nothing.
func (r *rover) change(count *int, do func() error, to map[string]*string) error {
	before := map[string][]*string{}
	for name, next := range to {
		before[name] = r.now(name)
		r.may[name] = append(r.now(name)[:len(r.now(name)):len(r.now(name))], next)
	}
	err := r.patiently(do)
	if c := code(err); r.user == "q" && (c == 552 || c == 452) {
		for name, may := range before {
			r.may[name] = may
		}
		r.refused++
		r.done.Add(1)
		return errOverQuota
	}
	if err != nil {
		r.unknown++
		return err
	}
	for name, next := range to {
		r.may[name] = []*string{next}
	}
	*count++
	r.done.Add(1)
	return nil
}

// errOverQuota is the error of a change that the quota does not allow.
var errOverQuota = errors.New("over the quota")

// makeRoom deletes one of the files that are there.
func (r *rover) makeRoom(m *mortal) error {
	for name, may := range r.may {
		if len(may) == 1 && may[0] != nil {
			return r.remove(m, name)
		}
	}
	return nil
}

func (r *rover) body() *string {
	size := r.rng.IntN(40_000)
	switch r.rng.IntN(30) {
	case 0:
		size = 6 << 20 // more than one part
	case 1:
		size = 1 << 20
	}
	body := string(content(size, fmt.Sprint(r.name, r.rng.Uint64())))
	return &body
}

func (r *rover) store(m *mortal, name string) error {
	body := r.body()
	return r.change(&r.stored, func() error { return m.send("STOR "+name, []byte(*body)) }, map[string]*string{name: body})
}

// appendTo is done by a client that sees the file as it is: what a node does not see yet is
// appended to something else.
func (r *rover) appendTo(m *mortal, name string) error {
	if _, err := r.read(m, name); err != nil {
		return err
	}
	more, whole := r.body(), ""
	if before := r.now(name)[0]; before != nil {
		whole = *before
	}
	whole += *more
	return r.change(&r.appended, func() error { return m.send("APPE "+name, []byte(*more)) }, map[string]*string{name: &whole})
}

// storeAndRename is what careful clients do.
func (r *rover) storeAndRename(m *mortal, name string) error {
	body, part := r.body(), name+".part"
	err := r.change(&r.stored, func() error { return m.send("STOR "+part, []byte(*body)) }, map[string]*string{part: body})
	if err != nil {
		return err
	}
	return r.change(&r.renamed, func() error {
		if _, err := m.do("RNFR "+part, 350); err != nil {
			return err
		}
		_, err := m.do("RNTO "+name, 250)
		return err
	}, map[string]*string{part: nil, name: body})
}

func (r *rover) remove(m *mortal, name string) error {
	if r.now(name)[0] == nil {
		return nil
	}
	return r.change(&r.deleted, func() error {
		_, err := m.do("DELE "+name, 250)
		return err
	}, map[string]*string{name: nil})
}
