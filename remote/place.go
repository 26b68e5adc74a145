package remote

import "strings"

// ChangeAt returns what a change of a remote means for another one, ok if it means anything there;
// place and to are what their Info.Identity returns. Places are related when one is a directory of
// the other. Where names of the one say nothing of those of the other it is Everything.
func ChangeAt(place string, c Change, to string) (_ Change, ok bool) {
	if place == to {
		return c, true
	}
	if rest, below := under(place, to); below {
		if hidesNames(place) || !ValidPath(rest) {
			return Everything(), true
		}
		c.Name = joined(rest, c.Name)
		return c, true
	}
	root, below := under(to, place)
	switch {
	case !below:
		return c, false
	case hidesNames(place) || !ValidPath(root):
		return Everything(), true
	case Below(c.Name, root):
		c.Name = strings.TrimPrefix(c.Name, root+"/")
		return c, true
	case c.Name == root || c.Name == "." || Below(root, c.Name): // of the root there, or above
		return Everything(), c.Below || c.Removed || c.Name == root
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
	return Join(dir, name)
}
