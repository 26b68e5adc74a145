package auth

import (
	"errors"
	"fmt"
	"strings"

	"github.com/go-crypt/crypt/algorithm"
	"github.com/go-crypt/crypt/algorithm/argon2"
	"github.com/go-crypt/crypt/algorithm/bcrypt"
	"github.com/go-crypt/crypt/algorithm/pbkdf2"
	"github.com/go-crypt/crypt/algorithm/scrypt"
	"github.com/go-crypt/crypt/algorithm/shacrypt"
)

// maxPassword is the number of bytes from which on no password is right. The cost of sha512-crypt
// grows with the length of the password.
const maxPassword = 1024

// maxBcrypt is the number of bytes that bcrypt looks at. A longer password is never right, as many
// others would be, too.
const maxBcrypt = 72

// A parsedHash is a hash whose form and costs are accepted.
type parsedHash struct {
	digest  digest
	longest int // password that can be right, in bytes
	lanes   int // processors that its verification uses at a time
}

type digest interface {
	MatchAdvanced(password string) (bool, error)
}

// Supported returns nil if Verify can verify passwords against hash: argon2id, argon2i, argon2d,
// bcrypt ($2a$, $2b$, $2y$), scrypt ($scrypt$, $7$), yescrypt, PBKDF2, sha512-crypt, sha256-crypt,
// MD5 ($1$, $apr1$) and {SHA}. Otherwise the error says what to do: plain text is refused, and so
// is a hash whose verification would take too much of this server. The error does not show the
// hash.
func Supported(hash string) error {
	_, err := parseHash(hash)
	return err
}

// Verify reports whether password is the one of hash, in constant time. It takes as much processor
// time and memory as the hash says; a Verifier bounds both. It fails if the hash is not Supported.
func Verify(hash, password string) (bool, error) {
	h, err := parseHash(hash)
	if err != nil {
		return false, err
	}
	return h.verify(password)
}

// verify costs the same for passwords that are too long.
func (h parsedHash) verify(password string) (bool, error) {
	right, err := h.digest.MatchAdvanced(password[:min(len(password), h.longest)])
	if err != nil {
		return false, fmt.Errorf("the hash cannot be verified: %w", err)
	}
	return right && len(password) <= h.longest, nil
}

// DefaultAlgorithm is what NewHash uses without an algorithm.
const DefaultAlgorithm = "argon2id"

// Algorithms returns the names that NewHash knows.
func Algorithms() []string {
	return []string{DefaultAlgorithm, "bcrypt", "scrypt", "yescrypt", "sha512-crypt", "sha256-crypt", "pbkdf2-sha256"}
}

// NewHash returns a hash of password with a new salt. An empty algorithm is DefaultAlgorithm; the
// cost is "normal", which is also meant by "", or "high". A password that no client can send, or
// that the algorithm would look at in part only, is an error.
func NewHash(algorithm, cost, password string) (string, error) {
	if algorithm == "" {
		algorithm = DefaultAlgorithm
	}
	if cost != "" && cost != "normal" && cost != "high" {
		return "", fmt.Errorf("%q is no cost: there are normal and high", cost)
	}
	switch {
	case password == "":
		return "", errors.New("the password is empty")
	case strings.ContainsAny(password, "\r\n\x00"):
		return "", errors.New("the password has a line end or a zero byte, which no client can send")
	case len(password) > maxPassword:
		return "", fmt.Errorf("the password has more than %d bytes", maxPassword)
	case algorithm == "bcrypt" && len(password) > maxBcrypt:
		return "", fmt.Errorf("bcrypt looks at %d bytes of a password only: give a shorter one, or use %s", maxBcrypt, DefaultAlgorithm)
	}
	h, err := hasher(algorithm, cost == "high")
	if err != nil {
		return "", err
	}
	d, err := h.Hash(password)
	if err != nil {
		return "", err
	}
	return d.Encode(), nil
}

// hasher returns what makes hashes. The normal cost of argon2id is what OWASP asks for at least,
// the high one that of RFC 9106 for little memory.
func hasher(name string, high bool) (algorithm.Hash, error) {
	pick := func(normal, highest int) int {
		if high {
			return highest
		}
		return normal
	}
	switch name {
	case DefaultAlgorithm:
		return argon2.New(argon2.WithVariantID(), argon2.WithM(uint32(pick(19456, 65536))),
			argon2.WithT(pick(2, 3)), argon2.WithP(pick(1, 4)))
	case "bcrypt":
		return bcrypt.New(bcrypt.WithVariant(bcrypt.VariantStandard), bcrypt.WithCost(pick(10, 13)))
	case "scrypt":
		return scrypt.New(scrypt.WithVariant(scrypt.VariantScrypt), scrypt.WithLN(pick(15, 17)), scrypt.WithR(8), scrypt.WithP(1))
	case "yescrypt":
		return scrypt.New(scrypt.WithVariant(scrypt.VariantYescrypt), scrypt.WithLN(pick(12, 15)), scrypt.WithR(32), scrypt.WithP(1))
	case "sha512-crypt":
		return shacrypt.New(shacrypt.WithSHA512(), shacrypt.WithRounds(pick(100_000, 500_000)))
	case "sha256-crypt":
		return shacrypt.New(shacrypt.WithSHA256(), shacrypt.WithRounds(pick(100_000, 500_000)))
	case "pbkdf2-sha256":
		return pbkdf2.New(pbkdf2.WithVariant(pbkdf2.VariantSHA256), pbkdf2.WithIterations(pick(600_000, 1_200_000)))
	}
	return nil, fmt.Errorf("%q is no algorithm for passwords: there are %s", name, strings.Join(Algorithms(), ", "))
}
