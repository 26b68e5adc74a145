package remote

import "errors"

// Final returns err as a failure that the same call would meet again, though no sentinel says what
// it is: an answer that this program does not know, or cannot read. It is Permanent. nil stays nil.
func Final(err error) error {
	if err == nil {
		return nil
	}
	return &final{err}
}

// IsFinal reports whether err is one of Final.
func IsFinal(err error) bool {
	var f *final
	return errors.As(err, &f)
}

type final struct{ err error }

func (e *final) Error() string { return e.err.Error() }

func (e *final) Unwrap() error { return e.err }

// Repeated returns err as a failure that may pass, but whose call a driver has made again as often
// as it was allowed to: the others who repeat calls pass it on, as their numbers would be
// multiplied. nil stays nil.
func Repeated(err error) error {
	if err == nil {
		return nil
	}
	return &repeated{err}
}

// WasRepeated reports whether err is one of Repeated.
func WasRepeated(err error) bool {
	var r *repeated
	return errors.As(err, &r)
}

type repeated struct{ err error }

func (e *repeated) Error() string { return e.err.Error() }

func (e *repeated) Unwrap() error { return e.err }
