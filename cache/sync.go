package cache

// Sync returns when what was made of the records by calls that have returned survives a loss of
// power: those that failed at the last moment too.
func (s *Store) Sync() error { return s.syncDirty.wait() }
