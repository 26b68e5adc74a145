package remote

// CommonCaps returns what may be relied on in a tree that is made of several remotes, whichever of
// them a name is in. There is at least one.
func CommonCaps(first Caps, others ...Caps) Caps {
	all := first
	for _, c := range others {
		all.ReadOnly = all.ReadOnly && c.ReadOnly
		all.ImplicitDirs = all.ImplicitDirs || c.ImplicitDirs
		all.CaseInsensitive = all.CaseInsensitive || c.CaseInsensitive
		all.Modes = all.Modes && c.Modes
		all.MoveDir = all.MoveDir && c.MoveDir
		all.CheapStat = all.CheapStat && c.CheapStat
		all.PartsApart = all.PartsApart && c.PartsApart
		all.NoParts = all.NoParts || c.NoParts
		if all.ModTime == 0 || c.ModTime == 0 {
			all.ModTime = 0
		} else {
			all.ModTime = max(all.ModTime, c.ModTime)
		}
		if all.MaxName == 0 || c.MaxName > 0 && c.MaxName < all.MaxName {
			all.MaxName = c.MaxName
		}
	}
	return all
}
