package retry

import (
	"errors"
	"fmt"
	"io/fs"
)

// An uncertain error ends the repetition of a call that was sent and not answered, where another
// attempt could harm what somebody has stored since. It is not permanent: whoever knows more may
// call again.
type uncertain struct {
	what string
	why  error // of the attempt that was not answered
}

func (u *uncertain) Error() string { return fmt.Sprintf("%v; %s", u.why, u.what) }

func (u *uncertain) Unwrap() error { return u.why }

// Hint returns a line for the client.
func (u *uncertain) Hint() string {
	return "The storage did not say whether it was done: look before you try again."
}

func isUncertain(err error) bool {
	var u *uncertain
	return errors.As(err, &u)
}

// unsure is the error of a call that is not repeated after lost: because what it would do is not
// known, or because of err.
func unsure(op, name string, lost, err error) error {
	what := "it may be done, and what is there now be new: it was left alone"
	if err != nil {
		what = "what became of it could not be seen: " + err.Error()
	}
	return &fs.PathError{Op: op, Path: name, Err: &uncertain{what, lost}}
}
