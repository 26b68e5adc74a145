package settings

import (
	"cmp"
	"crypto/sha256"
	"fmt"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
)

// A SameNameError says that a hook has the name of one before it.
type SameNameError struct {
	Name  string
	Index int // of the later one
}

func (e *SameNameError) Error() string {
	return fmt.Sprintf("two hooks have the name %q: what waits for one would be given to the other", e.Name)
}

// Unique gives names to hooks that have none, and returns a *SameNameError if two have the same. A
// name is made of what is called, without what is secret, and of the events, so that what waits for
// a hook stays with it when others are added, or in another order. Of several that call the same
// for the same events the second and those that follow have a number.
func Unique(hooks []Hook) error {
	taken := map[string]bool{}
	var nameless []*Hook
	for i := range hooks {
		h := &hooks[i]
		switch {
		case h.Name == "":
			nameless = append(nameless, h)
		case taken[h.Name]:
			return &SameNameError{h.Name, i}
		default:
			taken[h.Name] = true
		}
	}
	slices.SortStableFunc(nameless, func(a, b *Hook) int {
		return cmp.Or(slices.Compare(a.Users, b.Users), slices.Compare(a.Paths, b.Paths))
	})
	for _, h := range nameless {
		own := h.ownName()
		h.Name = own
		for n := 2; taken[h.Name]; n++ {
			h.Name = fmt.Sprint(own, "-", n)
		}
		taken[h.Name] = true
	}
	return nil
}

// ownName returns a name made of what h is: a word for people, and some digits.
func (h Hook) ownName() string {
	word, parts := "hook", []string{"program"}
	if len(h.Program) > 0 {
		word = filepath.Base(h.Program[0])
		parts = append(parts, h.Program...)
	} else if u, err := url.Parse(h.URL); err == nil {
		parts = []string{"url", u.Scheme, u.Host, u.Opaque, u.Path}
		word = cmp.Or(u.Hostname(), u.Scheme, word)
	}
	// In a name are no characters that another place, as the path of a call, has a use for.
	word = strings.Map(func(r rune) rune {
		if strings.ContainsRune(`/\:*?{}[]`, r) || r <= ' ' {
			return '_'
		}
		return r
	}, word)
	names := slices.Clone(h.Events)
	slices.Sort(names)
	sum := sha256.Sum256([]byte(strings.Join(append(parts, names...), "\x00")))
	return fmt.Sprintf("%s-%x", word, sum[:3])
}
