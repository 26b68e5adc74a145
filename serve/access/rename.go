package access

import (
	"context"
	"io/fs"
)

// Rename implements ftp.FS. It takes Rename where the entry is, and Upload where it is to be, for a
// directory also Mkdir; to replace a file also Overwrite. Nothing is moved to where more may be
// read of it, and no directory into, out of or around paths with other rules.
func (t *tree) Rename(ctx context.Context, from, to string) error {
	if !t.alike(from, to) {
		if err := t.checkRename(ctx, from, to); err != nil {
			return err
		}
	}
	if err := t.under.Rename(ctx, from, to); err != nil {
		return t.veil("rename", to, t.veil("rename", from, err))
	}
	t.own.move(from, to)
	t.own.add(to)
	return nil
}

// alike reports whether one rule that allows any rename holds for both names, and nothing else.
func (t *tree) alike(from, to string) bool {
	c := t.rules.inside(parent(from))
	return c == t.rules.inside(parent(to)) && c.Verbs.has(Rename|Upload|Overwrite|Mkdir) && !c.OwnOnly &&
		len(t.rules.patterns.all) == 0 && t.undivided(from) && t.undivided(to)
}

// undivided reports whether no rule has its path at or below name.
func (t *tree) undivided(name string) bool {
	return !t.rules.anyBelow(name, max(1, depthOf(name)), func(*rule) bool { return true })
}

func (t *tree) checkRename(ctx context.Context, from, to string) error {
	info, err := t.Stat(ctx, from)
	if err != nil {
		return err
	}
	k := kindOf(info)
	above := t.rules.inside(parent(from))
	switch g := t.grant(from, k); {
	case k == aPart:
		return refuse("rename", from, fs.ErrPermission, hintPart)
	case k == aDir && !g.verbs.has(Rename) && above.Verbs.has(Rename) && !above.OwnOnly && from != root:
		return refuse("rename", from, fs.ErrPermission, hintRules)
	case !g.verbs.has(Rename):
		return forbid("rename", from, Rename)
	}
	return t.checkTarget(ctx, from, to, k)
}

// checkTarget returns an error if from, a k that may be renamed, may not be called to.
func (t *tree) checkTarget(ctx context.Context, from, to string, k kind) error {
	old, needs := t.rules.ofFile(from), Upload
	if k == aDir {
		old, needs = t.rules.inside(from), Upload|Mkdir
	}
	c, err := t.room("rename", to, k)
	switch {
	case err != nil:
		return err
	case !c.Verbs.has(Upload):
		return forbid("rename", to, Upload)
	case !c.Verbs.has(needs):
		return forbid("rename", to, Mkdir)
	case k == aDir && (!t.rules.uniform(to) || t.rules.patterns.differ(from, to)):
		return refuse("rename", to, fs.ErrPermission, hintRules)
	case c.Verbs.has(Download) && !old.Verbs.has(Download):
		return refuse("rename", to, fs.ErrPermission, hintGain)
	}
	if !t.grant(to, aFile).verbs.has(Overwrite) && to != from {
		exists, err := t.exists(ctx, "rename", to)
		if err != nil {
			return err
		}
		if exists {
			return t.taken("rename", to, Overwrite)
		}
	}
	return t.implied(ctx, to)
}
