package auth

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/go-crypt/x/yescrypt"
)

// What one verification may cost: about two seconds of a processor, and 256 MiB.
const (
	maxArgonMemory = 1 << 18 // KiB
	maxArgonWork   = 1 << 20 // KiB times passes
	maxArgonLanes  = 16
	maxBcryptCost  = 15
	maxScryptBlock = 1 << 21 // N times r, of 128 bytes each
	maxScryptWork  = 1 << 22 // N times r times p
	maxPBKDF2      = 2_000_000
	minCryptRounds = 1000 // what crypt(3) would take for less
	maxCryptRounds = 1_000_000
)

// maxHash is the length of a hash in bytes, and minKey that of what is compared: fewer bytes would
// be those of many passwords.
const (
	maxHash = 512
	minKey  = 16
)

const makeOne = "make one with `ferry users hash`"

var (
	errPlainText  = errors.New("a password in plain text, or a hash of a kind that is not known, is not accepted: " + makeOne)
	errDamaged    = errors.New("the hash is incomplete or was changed: copy it again, or " + makeOne)
	errWeakHash   = errors.New("a hash without rounds, of the kind {MD5} or {SHA256}, is not accepted: " + makeOne)
	errFaultyHash = errors.New("a hash of the kind $2x$ or $2$, which is known to be faulty, is not accepted: " + makeOne)
)

// tooMuch refuses a cost.
func tooMuch(what string, value, limit int) error {
	return fmt.Errorf("a hash with %s=%d would take too much of this server: at most %d is accepted; %s", what, value, limit, makeOne)
}

// argonLanes checks v=19, m=KiB,t=passes,p=lanes, salt, key; it returns the lanes.
func argonLanes(fields []string) (int, error) {
	if len(fields) != 4 || fields[0] != "v=19" || !enough(fields[3]) {
		return 0, errDamaged
	}
	n, ok := numbers(fields[1], "m=", "t=", "p=")
	if !ok || n[1] < 1 || n[2] < 1 {
		return 0, errDamaged
	}
	switch m, t, p := n[0], n[1], n[2]; {
	case m > maxArgonMemory:
		return 0, tooMuch("m", m, maxArgonMemory)
	case m*t > maxArgonWork:
		return 0, tooMuch("t", t, maxArgonWork/m)
	case p > maxArgonLanes:
		return 0, tooMuch("p", p, maxArgonLanes)
	case m < 8*p:
		return 0, errDamaged
	default:
		return p, nil
	}
}

// checkBcrypt checks cost, salt and key.
func checkBcrypt(fields []string) error {
	cost, ok := number(strings.TrimPrefix(fields[0], "0"))
	switch {
	case len(fields) != 2 || len(fields[0]) != 2 || !ok || cost < 4 || !inAlphabet(fields[1]):
		return errDamaged
	case cost > maxBcryptCost:
		return tooMuch("cost", cost, maxBcryptCost)
	}
	return nil
}

// checkScryptFields checks ln=log2 N,r=r,p=p, salt and key.
func checkScryptFields(fields []string) error {
	if len(fields) != 3 || !enough(fields[2]) {
		return errDamaged
	}
	n, ok := numbers(fields[0], "ln=", "r=", "p=")
	if !ok {
		return errDamaged
	}
	return checkScrypt(n[0], n[1], n[2])
}

// checkScrypt checks the costs of scrypt and yescrypt.
func checkScrypt(ln, r, p int) error {
	switch {
	case ln < 1 || r < 1 || p < 1:
		return errDamaged
	case ln > 21 || r > maxScryptBlock>>ln:
		return tooMuch("N*r", r<<min(ln, 30), maxScryptBlock)
	case p > maxScryptWork/(r<<ln):
		return tooMuch("p", p, maxScryptWork/(r<<ln))
	}
	return nil
}

// checkYescrypt checks parameters (three characters), salt and key.
func checkYescrypt(fields []string) error {
	if len(fields) != 3 || len(fields[0]) != 3 || fields[0][0] != 'j' || len(fields[2]) != 43 {
		return errDamaged
	}
	for _, f := range fields {
		if !inAlphabet(f) {
			return errDamaged
		}
	}
	if len(yescrypt.Decode64([]byte(fields[1]))) == 0 {
		return errDamaged
	}
	ln, r := strings.IndexByte(alphabet, fields[0][1])+1, strings.IndexByte(alphabet, fields[0][2])+1
	return checkScrypt(ln, r, 1)
}

// checkPBKDF2 checks rounds, salt and key.
func checkPBKDF2(fields []string) error {
	if len(fields) != 3 || !enough(fields[2]) {
		return errDamaged
	}
	rounds, ok := number(fields[0])
	if !ok || rounds < 1 {
		return errDamaged
	}
	// A key that is longer than a sum is derived in as many blocks, each with all rounds.
	if blocks := (len(fields[2])*3/4 + 63) / 64; rounds > maxPBKDF2/blocks {
		return tooMuch("rounds", rounds, maxPBKDF2/blocks)
	}
	return nil
}

// checkSHACrypt checks rounds=rounds, which may be missing, salt and key.
func checkSHACrypt(fields []string, key int) error {
	if text, found := strings.CutPrefix(fields[0], "rounds="); found {
		rounds, ok := number(text)
		if !ok || rounds < minCryptRounds {
			return errDamaged
		}
		if rounds > maxCryptRounds {
			return tooMuch("rounds", rounds, maxCryptRounds)
		}
		fields = fields[1:]
	}
	if len(fields) != 2 || len(fields[0]) > 16 || len(fields[1]) != key || !inAlphabet(fields[1]) {
		return errDamaged
	}
	return nil
}

// enough reports whether key, in some base 64, has enough bytes.
func enough(key string) bool { return len(key)*6/8 >= minKey }

// numbers parses numbers that follow names and are separated by commas.
func numbers(text string, names ...string) ([]int, bool) {
	parts := strings.Split(text, ",")
	if len(parts) != len(names) {
		return nil, false
	}
	var n []int
	for i, name := range names {
		digits, found := strings.CutPrefix(parts[i], name)
		v, ok := number(digits)
		if !found || !ok {
			return nil, false
		}
		n = append(n, v)
	}
	return n, true
}

// number parses a decimal number as it is written in hashes: without sign and leading zeros.
func number(text string) (int, bool) {
	n, err := strconv.ParseUint(text, 10, 32)
	return int(n), err == nil && strconv.FormatUint(n, 10) == text && n < 1<<31
}

// alphabet are the digits of crypt(3), the lowest first.
const alphabet = "./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

func inAlphabet(s string) bool { return strings.Trim(s, alphabet) == "" }
