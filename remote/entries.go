package remote

import "iter"

// Entries returns the entries that list passes to take as a sequence. take returns false when the
// consumer stops. The error of list comes last, unless the consumer stopped before.
func Entries(list func(take func(Entry) bool) error) iter.Seq2[Entry, error] {
	return func(yield func(Entry, error) bool) {
		more := true
		err := list(func(e Entry) bool {
			more = yield(e, nil)
			return more
		})
		if err != nil && more {
			yield(Entry{}, err)
		}
	}
}
