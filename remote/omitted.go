package remote

import "context"

// A listing never leaves out silently what is there. What the far side lists and List cannot yield,
// a driver reports by Omitted: a line that is not understood, a name that is no ValidName or that
// CheckName would refuse. A listing of which nothing is understood is ErrMalformed instead. What
// the driver's documentation leaves out is not reported: the hidden files of uploads, devices,
// links that lead nowhere.

// omittedKey is that of the function in the values of a context.
type omittedKey struct{}

// WithOmitted returns a context under which report is called for each entry that List leaves out
// though something is there: with what the far side called it, or its whole line, and with the
// reason, the same one for all of a kind. It may be called by several goroutines at once, and again
// for the same entry when a listing is repeated.
func WithOmitted(ctx context.Context, report func(entry, reason string)) context.Context {
	return context.WithValue(ctx, omittedKey{}, report)
}

// Omitted reports that a listing under ctx leaves entry out. Drivers call it; decorators need not
// know.
func Omitted(ctx context.Context, entry, reason string) {
	if report, ok := ctx.Value(omittedKey{}).(func(entry, reason string)); ok {
		report(entry, reason)
	}
}

// Reasons for which drivers leave entries out.
const (
	OmittedName     = "the name cannot be part of a path"
	OmittedEncoding = "the name is not written as the option encoding writes it"
	OmittedLine     = "the line is not understood"
)
