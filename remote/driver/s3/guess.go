package s3

import (
	"math/big"
	"slices"
	"strings"
)

// A guesser tells from the first keys of a listing which come later. It takes what differs in the
// keys for a number, with the characters it has seen as digits: good for counters, times and
// hashes, and no worse than nothing for anything else.
type guesser struct {
	head, tail string // what all keys begin and end with
	digits     []byte // sorted
	width      int    // how many of them a number has
	at, step   *big.Int
	end        *big.Int // there are no numbers from here on
}

// newGuesser returns one that guesses every span-th key behind the last of keys, which are sorted
// and all begin with prefix; nil if nothing can be guessed.
func newGuesser(keys []string, prefix string, span int) *guesser {
	if len(keys) < 2 || !slices.IsSorted(keys) {
		return nil
	}
	g := &guesser{}
	g.head = commonPrefix(keys[0], keys[len(keys)-1]) // of all, as they are sorted
	g.tail = keys[0][len(g.head):]
	for _, key := range keys {
		g.tail = commonSuffix(g.tail, key[len(g.head):])
	}
	if !g.learn(keys) {
		return nil
	}
	for len(g.head) > len(prefix) && slices.Contains(g.digits, g.head[len(g.head)-1]) { // the leading zeros of a counter
		g.head = g.head[:len(g.head)-1]
		g.width++
	}
	base := big.NewInt(int64(len(g.digits)))
	g.end = new(big.Int).Exp(base, big.NewInt(int64(g.width)), nil)
	g.at = g.number(keys[len(keys)-1])
	g.step = new(big.Int).Sub(g.at, g.number(keys[0]))
	g.step.Mul(g.step, big.NewInt(int64(span)))
	g.step.Div(g.step, big.NewInt(int64(len(keys)-1)))
	if g.step.Sign() <= 0 {
		return nil
	}
	return g
}

// learn finds the digits, and reports whether they can be used.
func (g *guesser) learn(keys []string) bool {
	var seen [128]bool
	for _, key := range keys {
		part := strings.TrimSuffix(key[len(g.head):], g.tail)
		g.width = max(g.width, len(part))
		for _, c := range []byte(part) {
			if c >= 128 || c == '/' {
				return false
			}
			seen[c] = true
		}
	}
	for c, ok := range seen {
		if ok {
			g.digits = append(g.digits, byte(c))
		}
	}
	const longest = 64 // of a number that is worth it
	return len(g.digits) > 1 && g.width <= longest
}

// number reads the number in a key; missing digits are the lowest.
func (g *guesser) number(key string) *big.Int {
	part := strings.TrimSuffix(key[len(g.head):], g.tail)
	n, base := new(big.Int), big.NewInt(int64(len(g.digits)))
	for i := range g.width {
		n.Mul(n, base)
		if i < len(part) {
			d, _ := slices.BinarySearch(g.digits, part[i])
			n.Add(n, big.NewInt(int64(d)))
		}
	}
	return n
}

// next returns the next guess; false when there is none.
func (g *guesser) next() (string, bool) {
	g.at.Add(g.at, g.step)
	if g.at.Cmp(g.end) >= 0 {
		return "", false
	}
	text := make([]byte, g.width)
	n, digit, base := new(big.Int).Set(g.at), new(big.Int), big.NewInt(int64(len(g.digits)))
	for i := g.width - 1; i >= 0; i-- {
		n.DivMod(n, base, digit)
		text[i] = g.digits[digit.Int64()]
	}
	return g.head + string(text) + g.tail, true
}

func commonPrefix(a, b string) string {
	n := 0
	for n < min(len(a), len(b)) && a[n] == b[n] {
		n++
	}
	return a[:n]
}

func commonSuffix(a, b string) string {
	n := 0
	for n < min(len(a), len(b)) && a[len(a)-1-n] == b[len(b)-1-n] {
		n++
	}
	return a[len(a)-n:]
}
