package auth

import (
	"fmt"
	"slices"
	"strings"

	"github.com/go-crypt/crypt/algorithm"
	"github.com/go-crypt/crypt/algorithm/argon2"
	"github.com/go-crypt/crypt/algorithm/bcrypt"
	"github.com/go-crypt/crypt/algorithm/pbkdf2"
	"github.com/go-crypt/crypt/algorithm/scrypt"
	"github.com/go-crypt/crypt/algorithm/shacrypt"
)

// weakHashes begin hashes that are tried too fast. {SHA} is accepted as Apache's servers accept
// it.
var weakHashes = []string{"{MD5}", "{SHA256}", "{SHA512}", "{SSHA}", "{SMD5}", "{SSHA256}", "{SSHA512}"}

// parseHash returns a hash if it is accepted; the error says why not and what to do.
func parseHash(hash string) (parsedHash, error) {
	if len(hash) > maxHash {
		return parsedHash{}, fmt.Errorf("more than %d characters are no hash: %s", maxHash, makeOne)
	}
	fields := strings.Split(hash, "$")
	if len(fields) < 3 || fields[0] != "" {
		return parseUnmarked(hash)
	}
	kind, fields := fields[1], fields[2:]
	switch kind {
	case "argon2id", "argon2i", "argon2d":
		lanes, err := argonLanes(fields)
		return decode(hash, argon2.Decode, lanes, err)
	case "2a", "2b", "2y":
		h, err := decode(hash, bcrypt.Decode, 1, checkBcrypt(fields))
		h.longest = maxBcrypt
		return h, err
	case "2", "2x":
		return parsedHash{}, errFaultyHash
	case "scrypt":
		return decode(hash, scrypt.Decode, 1, checkScryptFields(fields))
	case "y":
		return decode(hash, scrypt.Decode, 1, checkYescrypt(fields))
	case "pbkdf2", "pbkdf2-sha1", "pbkdf2-sha256", "pbkdf2-sha512":
		return decode(hash, pbkdf2.Decode, 1, checkPBKDF2(fields))
	case "5":
		return decode(hash, shacrypt.Decode, 1, checkSHACrypt(fields, 43))
	case "6":
		return decode(hash, shacrypt.Decode, 1, checkSHACrypt(fields, 86))
	case "7":
		return parseScrypt7(fields)
	case "1", "apr1":
		return parseMD5(kind, fields)
	}
	return parsedHash{}, errPlainText
}

// parseUnmarked returns a hash that does not start as crypt(3) has it.
func parseUnmarked(hash string) (parsedHash, error) {
	if strings.HasPrefix(hash, shaPrefix) {
		return parseSHA1(hash)
	}
	if slices.ContainsFunc(weakHashes, func(p string) bool { return strings.HasPrefix(hash, p) }) {
		return parsedHash{}, errWeakHash
	}
	return parsedHash{}, errPlainText
}

// decode decodes a hash unless its fields are not accepted. The library's errors are not passed
// on: they show parts of the hash.
func decode(hash string, by func(string) (algorithm.Digest, error), lanes int, refused error) (parsedHash, error) {
	if refused != nil {
		return parsedHash{}, refused
	}
	d, err := by(hash)
	if err != nil {
		return parsedHash{}, errDamaged
	}
	return parsedHash{digest: d, longest: maxPassword, lanes: lanes}, nil
}
