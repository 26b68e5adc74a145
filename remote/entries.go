package remote

import "iter"

// Entries returns the listing that list gives to take, until that returns false. The error that
// list returns comes last, unless the listing was ended before.
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
