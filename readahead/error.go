package readahead

import (
	"io/fs"

	"ferry/remote"
)

// A hintError is an error with a hint for the client.
type hintError struct {
	*fs.PathError
	hint string
}

// Hint returns one line that is safe to show to the client and says what to do.
func (e *hintError) Hint() string { return e.hint }

func (e *hintError) Unwrap() error { return e.PathError }

// errChanged ends a reader whose file was replaced.
func errChanged(name string) error {
	return &hintError{&fs.PathError{Op: "read", Path: name, Err: remote.ErrChanged},
		"The file was changed while it was read; read it again."}
}

// errDigest ends a reader of a file whose checksum is not the one that the remote reports.
func errDigest(name string) error {
	return &hintError{&fs.PathError{Op: "read", Path: name, Err: remote.ErrDigest},
		"What came is not what the storage has, by its checksum; read it again. (--no-checksum does not compare.)"}
}
