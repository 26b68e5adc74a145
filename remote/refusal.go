package remote

import "errors"

// Permanent decides whether repeating a call at once makes sense. Whether it will ever succeed is
// another question: a wrong key is fixed tomorrow, a bucket is created, a clock is set. A pending
// change that was acknowledged is given up only if the answer is about the file itself.

// RefusesObject reports whether err is an answer about the name or the content of a file that no
// change to the account, the bucket, the clock, the network or this machine will alter: the remote
// cannot hold such a name or so long a file, or has a directory in the place of the file or a file
// in the place of its directory. A lack of permission does not count: an operator can fix it.
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

// MayPass marks err as not being about the object, for an answer that looks as if it were: a server
// that reports a lack of permission as a bad name, or a bucket whose name is wrong in the
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
