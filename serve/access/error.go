package access

import (
	"io/fs"

	"ferry/ftp"
)

// The hints to clients.
const (
	hintName     = "That name cannot be used here; choose another one."
	hintPattern  = "Names like this one are not allowed here; choose another one."
	hintPart     = "Incomplete upload: finish it before renaming it."
	hintRules    = "Other permissions hold for a part of this directory, so it keeps its name; move its files one by one."
	hintGain     = "You may not download from there, so you cannot move it to where you may."
	hintAgain    = "Somebody else stored a file of that name meanwhile; send it again."
	hintSize     = "The file is larger than you may store."
	hintReadOnly = "This directory is read-only."
	hintMount    = "Another storage is in this directory or below it; it cannot be removed, renamed or changed."
	hintAcross   = "That is on another storage: upload it there, then delete it here."
	hintNowhere  = "Nothing can be stored here; change into one of the directories."
	hintNoMtime  = "The storage cannot set modification times."
	hintNoChmod  = "The storage keeps no permission bits."
)

// hintOf returns the hint of a refused verb.
func hintOf(verb Verbs) string {
	switch verb {
	case List:
		return "You may not list this directory."
	case Download:
		return "You may not download from here."
	case Upload:
		return "You may not upload new files here."
	case Overwrite:
		return "You may not replace files here; send it under another name."
	case Resume:
		return "You may not continue or append to files here; send it whole under another name."
	case Delete:
		return "You may not delete files here."
	case Rename:
		return "You may not rename here."
	case Mkdir:
		return "You may not make directories here."
	case Rmdir:
		return "You may not remove directories here."
	case Mtime:
		return "You may not set times here."
	}
	return "You may not change permission bits here."
}

// A denial is an error with a hint for the client.
type denial struct {
	*fs.PathError
	hint string
}

// Hint returns one line that is safe to show to the client.
func (e *denial) Hint() string { return e.hint }

func (e *denial) Unwrap() error { return e.PathError }

func refuse(op, name string, err error, hint string) error {
	return &denial{&fs.PathError{Op: op, Path: name, Err: err}, hint}
}

// forbid refuses verb.
func forbid(op, name string, verb Verbs) error {
	return refuse(op, name, fs.ErrPermission, hintOf(verb))
}

// notThere is the error for a name that does not exist, and for one that the client may not know.
func notThere(op, name string) error {
	return &fs.PathError{Op: op, Path: name, Err: fs.ErrNotExist}
}

// tooLarge refuses a file that is longer than the limit.
func tooLarge(name string) error { return refuse("create", name, ftp.ErrQuota, hintSize) }
