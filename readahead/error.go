package readahead

import (
	"io/fs"

	"ferry/remote"
)

// hintError is an error together with what the client may be told about it.
type hintError struct {
	*fs.PathError
	hint string
}

// Hint returns one line that is safe to show to the client and says what would help.
func (e *hintError) Hint() string { return e.hint }

func (e *hintError) Unwrap() error { return e.PathError }

// errChanged ends a reader whose file became another one.
func errChanged(name string) error {
	return &hintError{&fs.PathError{Op: "read", Path: name, Err: remote.ErrChanged},
		"The file was changed while it was read; read it again."}
}

// errDigest ends a reader of a file that has another checksum than the remote tells.
func errDigest(name string) error {
	return &hintError{&fs.PathError{Op: "read", Path: name, Err: remote.ErrDigest},
		"What came is not what the storage has, by its checksum; read it again. (--no-checksum does not compare.)"}
}
