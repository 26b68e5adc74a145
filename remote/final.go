package remote

import "errors"

// Final marks err as a failure that the same call would meet again, although no sentinel fits: an
// answer that this program does not know or cannot parse. The result is Permanent. nil stays nil.
func Final(err error) error {
	if err == nil {
		return nil
	}
	return &final{err}
}

// IsFinal reports whether err was marked by Final.
func IsFinal(err error) bool {
	var f *final
	return errors.As(err, &f)
}

type final struct{ err error }

func (e *final) Error() string { return e.err.Error() }

func (e *final) Unwrap() error { return e.err }

// Repeated marks err as a transient failure whose call the driver has already repeated as often as
// allowed. Layers that repeat calls return it as it is, as otherwise the attempts would multiply.
// nil stays nil.
func Repeated(err error) error {
	if err == nil {
		return nil
	}
	return &repeated{err}
}

// WasRepeated reports whether err was marked by Repeated.
func WasRepeated(err error) bool {
	var r *repeated
	return errors.As(err, &r)
}

type repeated struct{ err error }

func (e *repeated) Error() string { return e.err.Error() }

func (e *repeated) Unwrap() error { return e.err }
