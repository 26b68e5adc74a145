package auth

import (
	"crypto/md5"
	"crypto/sha1"
	"crypto/subtle"
	"encoding/base64"
	"strings"

	"github.com/go-crypt/x/scrypt"
	"github.com/go-crypt/x/yescrypt"
)

// A textDigest is a hash that is made again, as text, from a password.
type textDigest struct {
	want string
	hash func(password string) (string, error)
}

// MatchAdvanced reports whether password has this hash.
func (d textDigest) MatchAdvanced(password string) (bool, error) {
	got, err := d.hash(password)
	return subtle.ConstantTimeCompare([]byte(got), []byte(d.want)) == 1, err
}

func parsedText(want string, hash func(string) (string, error)) parsedHash {
	return parsedHash{digest: textDigest{want, hash}, longest: maxPassword, lanes: 1}
}

const shaPrefix = "{SHA}"

// parseSHA1 parses {SHA}sum.
func parseSHA1(hash string) (parsedHash, error) {
	text := strings.TrimPrefix(hash, shaPrefix)
	if sum, err := base64.StdEncoding.DecodeString(text); err != nil || len(sum) != sha1.Size {
		return parsedHash{}, errDamaged
	}
	return parsedText(text, func(password string) (string, error) {
		sum := sha1.Sum([]byte(password))
		return base64.StdEncoding.EncodeToString(sum[:]), nil
	}), nil
}

// parseScrypt7 parses what libsodium writes: one digit for log2 N, five each for r and p, the salt
// as it is, and 32 bytes of the key.
func parseScrypt7(fields []string) (parsedHash, error) {
	const head, key = 11, 32
	if len(fields) != 2 || len(fields[0]) < head || !inAlphabet(fields[0][:head]) || len(fields[1]) != 43 || !inAlphabet(fields[1]) {
		return parsedHash{}, errDamaged
	}
	ln, r, p := digits(fields[0][:1]), digits(fields[0][1:6]), digits(fields[0][6:head])
	if err := checkScrypt(ln, r, p); err != nil {
		return parsedHash{}, err
	}
	salt := []byte(fields[0][head:])
	return parsedText(fields[1], func(password string) (string, error) {
		sum, err := scrypt.Key([]byte(password), salt, 1<<ln, r, p, key)
		return string(yescrypt.Encode64(sum)), err
	}), nil
}

// digits parses a number with its lowest digit first.
func digits(text string) (n int) {
	for i := range len(text) {
		n |= strings.IndexByte(alphabet, text[i]) << (6 * i)
	}
	return n
}

// parseMD5 parses salt and sum of $apr1$salt$sum or $1$salt$sum.
func parseMD5(kind string, fields []string) (parsedHash, error) {
	if len(fields) != 2 || len(fields[0]) > 8 || len(fields[1]) != 22 || !inAlphabet(fields[1]) {
		return parsedHash{}, errDamaged
	}
	return parsedText(fields[1], func(password string) (string, error) {
		return md5Crypt(password, "$"+kind+"$", fields[0]), nil
	}), nil
}

// md5Crypt is the password hash of FreeBSD that Apache calls apr1, with another magic string.
func md5Crypt(password, magic, salt string) string {
	pw := []byte(password)
	inner := md5.Sum([]byte(password + salt + password))
	d := md5.New()
	d.Write([]byte(password + magic + salt))
	for n := len(pw); n > 0; n -= md5.Size {
		d.Write(inner[:min(n, md5.Size)])
	}
	for n := len(pw); n > 0; n >>= 1 {
		if n&1 == 1 {
			d.Write([]byte{0})
		} else {
			d.Write(pw[:1])
		}
	}
	sum := d.Sum(nil)
	for round := range 1000 {
		first, last := sum, pw
		if round%2 == 1 {
			first, last = pw, sum
		}
		d.Reset()
		d.Write(first)
		if round%3 != 0 {
			d.Write([]byte(salt))
		}
		if round%7 != 0 {
			d.Write(pw)
		}
		d.Write(last)
		sum = d.Sum(nil)
	}
	return encodeMD5(sum)
}

// encodeMD5 encodes a sum in the order of crypt(3).
func encodeMD5(sum []byte) string {
	var b strings.Builder
	for i := range 5 {
		third := i + 12
		if i == 4 {
			third = 5
		}
		putDigits(&b, uint32(sum[i])<<16|uint32(sum[i+6])<<8|uint32(sum[third]), 4)
	}
	putDigits(&b, uint32(sum[11]), 2)
	return b.String()
}

func putDigits(b *strings.Builder, v uint32, count int) {
	for range count {
		b.WriteByte(alphabet[v&63])
		v >>= 6
	}
}
