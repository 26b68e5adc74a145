package access

import (
	"context"
	"errors"
	"io/fs"

	"ferry/ftp"
)

// rename is Rename from what the file is called. With keep it replaces none: a file that has the
// name is errTaken.
func (t *tree) rename(ctx context.Context, from, to string, keep bool) error {
	rename, fresh := t.under.Rename, false
	if keep || !t.alike(from, to) {
		var err error
		if fresh, err = t.checkRename(ctx, from, to, keep); err != nil {
			return err
		}
	}
	if fresh {
		rename = func(ctx context.Context, from, to string) error {
			return ftp.Forward{FS: t.under}.RenameNew(ctx, from, to, keep && t.conflict == Beside)
		}
	}
	switch err := rename(ctx, from, to); {
	case fresh && errors.Is(err, fs.ErrExist):
		return t.taken("rename", to, Overwrite)
	case err != nil:
		return t.veil("rename", to, t.veil("rename", from, err))
	}
	t.sent.forget(from)
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

// checkRename returns an error if the entry may not be renamed, and whether it must not replace a
// file.
func (t *tree) checkRename(ctx context.Context, from, to string, keep bool) (fresh bool, err error) {
	info, err := t.stat(ctx, from, t.under.Stat)
	if err != nil {
		return false, err
	}
	k := kindOf(info)
	above := t.rules.inside(parent(from))
	switch g := t.grant(from, k); {
	case k == aPart:
		return false, refuse("rename", from, fs.ErrPermission, hintPart)
	case k == aDir && !g.verbs.has(Rename) && above.Verbs.has(Rename) && !above.OwnOnly && from != root:
		return false, refuse("rename", from, fs.ErrPermission, hintRules)
	case !g.verbs.has(Rename):
		return false, forbid("rename", from, Rename)
	}
	if err := t.checkTarget(from, to, k); err != nil {
		return false, err
	}
	if fresh = (keep || !t.grant(to, aFile).verbs.has(Overwrite)) && !t.same(to, from); fresh {
		exists, err := t.exists(ctx, "rename", to)
		if err != nil {
			return false, err
		}
		if exists {
			return false, t.taken("rename", to, Overwrite)
		}
	}
	return fresh, t.implied(ctx, to)
}

// checkTarget returns an error if from, a k that may be renamed, may not be called to.
func (t *tree) checkTarget(from, to string, k kind) error {
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
	return nil
}
