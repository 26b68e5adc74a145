package faulty

import "ferry/remote/wrap/intercept"

// An Op is a call that can go wrong.
type Op = intercept.Op

// The calls of a Remote and of its optional interfaces, and those on what Open and Stage return.
const (
	Stat          = intercept.Stat
	List          = intercept.List
	Open          = intercept.Open
	Read       Op = "read" // of a reader that Open returned
	Put           = intercept.Put
	Remove        = intercept.Remove // also of a version
	Mkdir         = intercept.Mkdir
	Rmdir         = intercept.Rmdir
	Move          = intercept.Move // the name that a fault goes by is the old one, as with Copy
	Copy          = intercept.Copy
	SetModTime    = intercept.SetModTime
	SetMode       = intercept.SetMode
	Hash          = intercept.Hash
	Usage         = intercept.Usage // by the name "."
	Stage         = intercept.Stage
	Write      Op = "write" // to a stage
	Commit        = intercept.Commit
	Keep          = intercept.Keep
	Abort         = intercept.Abort
	Part          = intercept.Part
	DropPart      = intercept.DropPart
)

// changes reports whether op is a change that can be in doubt.
func changes(op Op) bool {
	switch op {
	case Put, Remove, Mkdir, Rmdir, Move, Copy, SetModTime, SetMode, Commit:
		return true
	}
	return false
}
