package remote

import "errors"

// Permanent says whether repeating a call at once makes sense. Whether it ever will is another
// question: a key that is wrong today is mended tomorrow, a bucket is made, a clock is set. What
// was acknowledged and waits for the remote is given up only where the answer is about the file
// itself.

// RefusesObject reports whether err is an answer about the name of a file or about its content,
// which will be the same whatever becomes of the account, the bucket, the clock, the network and
// this machine: the remote cannot hold such a name, or so long a file, or has a directory where the
// file should be or a file where its directory should be. A lack of permission is none: an operator
// can mend it.
func RefusesObject(err error) bool {
	var passes *mayPass
	if errors.As(err, &passes) {
		return false
	}
	for _, answer := range []error{ErrBadName, ErrTooLarge, ErrIsDir, ErrNotDir} {
		if errors.Is(err, answer) {
			return true
		}
	}
	return false
}

// MayPass returns err as one that is not about the object, for an answer that looks like it: a
// server that refuses what is not permitted as a bad name, a bucket whose name is wrong in the
// configuration. nil stays nil.
func MayPass(err error) error {
	if err == nil {
		return nil
	}
	return &mayPass{err}
}

type mayPass struct{ err error }

func (e *mayPass) Error() string { return e.err.Error() }

func (e *mayPass) Unwrap() error { return e.err }
