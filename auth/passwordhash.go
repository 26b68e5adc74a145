package auth

import (
	"crypto/md5"
	"crypto/sha1"
	"crypto/subtle"
	"encoding/base64"
	"strings"

	"golang.org/x/crypto/bcrypt"
)

// supported reports whether matches supports hash.
func supported(hash string) bool {
	switch {
	case isBcrypt(hash):
		_, err := bcrypt.Cost([]byte(hash))
		return err == nil
	case strings.HasPrefix(hash, shaPrefix):
		sum, err := base64.StdEncoding.DecodeString(hash[len(shaPrefix):])
		return err == nil && len(sum) == sha1.Size
	}
	_, _, ok := splitMD5(hash)
	return ok
}

// matches reports whether hash is the hash of password.
func matches(hash, password string) bool {
	if isBcrypt(hash) {
		return bcrypt.CompareHashAndPassword([]byte(hash), []byte(password)) == nil
	}
	var got string
	if strings.HasPrefix(hash, shaPrefix) {
		sum := sha1.Sum([]byte(password))
		got = shaPrefix + base64.StdEncoding.EncodeToString(sum[:])
	} else if magic, salt, ok := splitMD5(hash); ok {
		got = magic + salt + "$" + md5Crypt(password, magic, salt)
	} else {
		return false
	}
	return subtle.ConstantTimeCompare([]byte(got), []byte(hash)) == 1
}

const shaPrefix = "{SHA}"

func isBcrypt(hash string) bool {
	return strings.HasPrefix(hash, "$2a$") || strings.HasPrefix(hash, "$2b$") || strings.HasPrefix(hash, "$2y$")
}

// md5Sum is the number of characters of the sum in a hash of md5Crypt.
const md5Sum = 22

// splitMD5 parses $apr1$salt$sum and $1$salt$sum.
func splitMD5(hash string) (magic, salt string, ok bool) {
	for _, magic := range []string{"$apr1$", "$1$"} {
		rest, found := strings.CutPrefix(hash, magic)
		if !found {
			continue
		}
		salt, sum, found := strings.Cut(rest, "$")
		return magic, salt, found && len(salt) <= 8 && len(sum) == md5Sum
	}
	return "", "", false
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

// encodeMD5 encodes a sum in the order and alphabet of crypt(3): six bits per character, the lowest
// first.
func encodeMD5(sum []byte) string {
	const alphabet = "./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
	var b strings.Builder
	put := func(v uint32, chars int) {
		for range chars {
			b.WriteByte(alphabet[v&63])
			v >>= 6
		}
	}
	for i := range 5 {
		third := i + 12
		if i == 4 {
			third = 5
		}
		put(uint32(sum[i])<<16|uint32(sum[i+6])<<8|uint32(sum[third]), 4)
	}
	put(uint32(sum[11]), 2)
	return b.String()
}
