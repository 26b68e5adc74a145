package journal

// Sync makes durable what was kept before the call. Callers at the same time share one sync.
func (j *Journal) Sync() error {
	j.mu.Lock()
	defer j.mu.Unlock()
	for want := j.written; j.synced < want; {
		switch {
		case j.closed:
			return errClosed
		case j.syncing:
			j.changed.Wait()
			continue
		}
		if err := j.syncOnce(); err != nil {
			return err
		}
	}
	return nil
}

// syncOnce syncs the file. It lets the lock go meanwhile.
//
// LOCKS_REQUIRED(j.mu)
func (j *Journal) syncOnce() error {
	file, upTo, moved := j.file, j.written, j.moved
	j.syncing = true
	j.mu.Unlock()
	err := file.Sync()
	if err == nil && moved {
		err = j.disk.SyncDir(".")
	}
	j.mu.Lock()
	j.syncing = false
	j.changed.Broadcast()
	if err == nil {
		j.synced, j.moved = upTo, false
	}
	return err
}
