package onedrive

import (
	"slices"
	"strings"
	"sync"
)

// maxKnown bounds memory: what is known of more items is dropped.
const maxKnown = 50_000

// maxNames is how many names of one item are kept.
const maxNames = 4

// places are the names that items were seen under, by id, as the feed of changes does not tell the
// old name of what has moved. They are kept only when somebody reads the feed.
type places struct {
	mu    sync.Mutex
	names map[string][]string // guarded by mu; the newest is the last; nil = they are not kept
}

func newPlaces() *places { return new(places) }

// keep begins to keep names.
func (p *places) keep() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.names == nil {
		p.names = map[string][]string{}
	}
}

// saw takes note of an item.
func (p *places) saw(id, name string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.add(id, name)
}

// LOCKS_REQUIRED(p.mu)
func (p *places) add(id, name string) {
	all := p.names[id]
	if p.names == nil || len(all) > 0 && all[len(all)-1] == name {
		return
	}
	if len(p.names) >= maxKnown {
		clear(p.names)
	}
	if len(all) >= maxNames {
		all = all[1:]
	}
	p.names[id] = append(slices.Clip(all), name)
}

// all returns the names that an item was seen under since it was forgotten.
func (p *places) all(id string) []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.names[id]
}

// name returns the name that an item was last seen under.
func (p *places) name(id string) (string, bool) {
	all := p.all(id)
	if len(all) == 0 {
		return "", false
	}
	return all[len(all)-1], true
}

// moved takes note of another name of an item. What is below it is somewhere else, too.
func (p *places) moved(id, name string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.forgetBelow(id)
	p.add(id, name)
}

// forget drops an item and all that is known below it.
func (p *places) forget(id string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.forgetBelow(id)
	delete(p.names, id)
}

// LOCKS_REQUIRED(p.mu)
func (p *places) forgetBelow(id string) {
	for _, name := range p.names[id] {
		for other, at := range p.names {
			if strings.HasPrefix(at[len(at)-1], name+"/") {
				delete(p.names, other)
			}
		}
	}
}
