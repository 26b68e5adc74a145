package remote

import "context"

// A listing never omits existing entries silently. A driver reports by Omitted each entry that the
// server lists and List cannot yield: a line that cannot be parsed, a name that is no ValidName or
// that CheckName would refuse. If nothing of a listing can be parsed, the error is ErrMalformed
// instead. Entries that the driver omits by its documentation are not reported: hidden files of
// uploads, devices, dangling links.

// omittedKey is the context key of the function.
type omittedKey struct{}

// WithOmitted returns a context under which report is called for each existing entry that List
// omits: with the server's name of the entry, or its whole line, and with the reason, which is the
// same for all of a kind. report may be called by several goroutines at once, and again for the
// same entry when a listing is repeated.
func WithOmitted(ctx context.Context, report func(entry, reason string)) context.Context {
	return context.WithValue(ctx, omittedKey{}, report)
}

// Omitted reports that a listing under ctx omits entry. Drivers call it; decorators need not know.
func Omitted(ctx context.Context, entry, reason string) {
	if report, ok := ctx.Value(omittedKey{}).(func(entry, reason string)); ok {
		report(entry, reason)
	}
}

// The reasons for which drivers omit entries.
const (
	OmittedName     = "the name cannot be part of a path"
	OmittedEncoding = "the name is not written as the option encoding writes it"
	OmittedLine     = "the line is not understood"
)

// A Spelling is how names are written where they are kept.
type Spelling interface {
	Encode(name string) string
	Decode(written string) string
}

// ReadName returns the name that is written so by s, or why List omits an entry of that name.
func ReadName(s Spelling, written string) (name, omitted string) {
	name = s.Decode(written)
	switch {
	case !ValidName(written) || !ValidName(name):
		return "", OmittedName
	case s.Encode(name) != written:
		return "", OmittedEncoding
	}
	return name, ""
}

// incompleteKey is the context key of the function.
type incompleteKey struct{}

// WithIncomplete returns a context under which report is called when a listing goes on although
// some of what exists could not be found out: from such a listing nobody may conclude that a name
// does not exist. report may be called several times, before the listing ends.
func WithIncomplete(ctx context.Context, report func()) context.Context {
	return context.WithValue(ctx, incompleteKey{}, report)
}

// Incomplete reports that a listing under ctx lacks entries that are not known. Drivers that are
// made of several remotes call it; decorators need not know.
func Incomplete(ctx context.Context) {
	if report, ok := ctx.Value(incompleteKey{}).(func()); ok {
		report()
	}
}
