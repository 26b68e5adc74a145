package vfs

import (
	"errors"
	"io/fs"
	"strconv"

	"ferry/remote"
)

// The hints to clients for errors that they can do something about.
const (
	hintReadOnly   = "The server is read-only."
	hintNoModTime  = "Modification times are switched off (--no-modtime)."
	hintNoSeek     = "Reading from an offset is switched off (--no-seek); read from the beginning."
	hintPart       = "Incomplete upload: continue it with REST and STOR, or delete it."
	hintPartRename = "Incomplete upload: finish it before renaming it."
	hintContinue   = "This storage cannot continue a file; --vfs-cache-mode writes would allow it."
	hintNothing    = "There is nothing of that name to continue; send it from the beginning."
	hintDirRename  = "This storage cannot rename directories."
	hintChanged    = "The file was changed meanwhile; send the rest again."
	hintTaken      = "Somebody else stored a file of that name meanwhile; send it under another name."
	hintModes      = "This storage keeps no permission bits."
	hintTold       = "What is there of this upload is not what you were told; ask for its size again."
	hintBusy       = "Another session of yours is sending this file; try again when that has ended."
	hintRecent     = "Another address of yours sent this a moment ago; go on in five minutes, or send it from the beginning."
	hintBadTime    = "The storage cannot keep that time."
	hintSetTime    = "This storage cannot set modification times."
)

// hintInterruptedElsewhere does not contain the length: only the client that sent the part may know
// it.
const hintInterruptedElsewhere = "An upload of this file from another address of yours was cut: send it from the beginning, without REST."

// hintInterrupted is for an upload that would continue a file whose overwrite was interrupted after
// kept bytes.
func hintInterrupted(kept int64) string {
	if kept == 0 {
		return "Your last upload of this file was cut: send it from the beginning, without REST."
	}
	return "Your last upload of this file was cut: continue it with REST " + strconv.FormatInt(kept, 10) +
		", or send it from the beginning."
}

func hintElsewhere(node string) string { return "It waits on node " + node + " to be sent; try again." }

func hintBeyond(off, size int64) string {
	return "Offset " + strconv.FormatInt(off, 10) + " is beyond the end of the file; its size is " + strconv.FormatInt(size, 10) + "."
}

// A hintError is an error with a hint for the client.
type hintError struct {
	*fs.PathError
	hint string
}

// Hint returns one line that is safe to show to the client and says what to do.
func (e *hintError) Hint() string { return e.hint }

func (e *hintError) Unwrap() error { return e.PathError }

// refuse returns the error of an operation that this package refuses by itself.
func refuse(op, name string, err error, hint string) error {
	return &hintError{&fs.PathError{Op: op, Path: name, Err: err}, hint}
}

// unsupported adds hint to an ErrUnsupported of the remote.
func unsupported(op, name string, err error, hint string) error {
	if errors.Is(err, remote.ErrUnsupported) {
		return refuse(op, name, err, hint)
	}
	return err
}

// found turns an ErrNotExist into false.
func found(e remote.Entry, err error) (remote.Entry, bool, error) {
	if errors.Is(err, remote.ErrNotExist) {
		return remote.Entry{}, false, nil
	}
	return e, err == nil, err
}

// isMissing reports whether err means that a directory does not exist.
func isMissing(err error) bool {
	return errors.Is(err, remote.ErrNotExist) || errors.Is(err, remote.ErrNotDir)
}

// waitsElsewhere returns the error of an operation on what waits at a node.
func waitsElsewhere(op, name, node string) error {
	return refuse(op, name, remote.ErrChanged, hintElsewhere(node))
}
