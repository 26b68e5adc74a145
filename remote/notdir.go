package remote

// A FileError is the ErrNotDir of a List of a file that the remote has described, so that no Stat
// is needed.
type FileError struct{ Entry Entry }

func (*FileError) Error() string { return ErrNotDir.Error() }

func (*FileError) Unwrap() error { return ErrNotDir }
