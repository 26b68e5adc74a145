package announce

import (
	"strings"

	"ferry/remote"
)

// there returns what a change at a place means at another one, ok if it means anything there.
// Places are related when one is a directory of the other.
func there(place string, c remote.Change, to string) (_ remote.Change, ok bool) {
	if place == to {
		return c, true
	}
	if rest, below := under(place, to); below {
		if hidesNames(place) || !remote.ValidPath(rest) {
			return remote.Everything(), true
		}
		c.Name = joined(rest, c.Name)
		return c, true
	}
	root, below := under(to, place)
	switch {
	case !below:
		return c, false
	case hidesNames(place) || !remote.ValidPath(root):
		return remote.Everything(), true
	case remote.Below(c.Name, root):
		c.Name = strings.TrimPrefix(c.Name, root+"/")
		return c, true
	case c.Name == root || c.Name == "." || remote.Below(root, c.Name): // of the root there, or above
		return remote.Everything(), c.Below || c.Removed || c.Name == root
	}
	return c, false
}

// under reports whether a place is below another one, and by which path.
func under(place, top string) (rest string, ok bool) {
	rest, ok = strings.CutPrefix(place, top)
	if !ok || rest == "" {
		return "", false
	}
	if last := top[len(top)-1:]; last != "/" && last != ":" && rest[0] != '/' {
		return "", false
	}
	return strings.Trim(rest, "/"), true
}

// hidesNames reports whether names below a place are others than those in it.
func hidesNames(place string) bool {
	for _, kind := range []string{"crypt:", "union:", "combine:"} {
		if strings.Contains(place, kind) {
			return true
		}
	}
	return false
}

// joined returns the name of what is called name in dir.
func joined(dir, name string) string {
	if name == "." {
		return dir
	}
	return remote.Join(dir, name)
}
