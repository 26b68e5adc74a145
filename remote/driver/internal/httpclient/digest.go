package httpclient

import (
	"crypto/md5"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"slices"
	"strings"
	"sync/atomic"
)

// A digest is a challenge of RFC 7616 and how often it was answered.
type digest struct {
	realm, nonce, opaque string
	algorithm            string // as the server writes it; "" means MD5
	auth                 bool   // the server offers the quality of protection "auth"
	count                atomic.Uint32
}

// A challenge is what a server wants: a digest, or the password itself.
type challenge struct {
	digest *digest // nil for basic
	stale  bool
	rank   int
}

// bestChallenge picks the strongest of the challenges that can be answered.
func bestChallenge(headers []string) (challenge, bool) {
	var best challenge
	for _, h := range headers {
		for _, c := range parseChallenges(h) {
			if made := c.challenge(); made.rank > best.rank {
				best = made
			}
		}
	}
	return best, best.rank > 0
}

// A rawChallenge is a challenge as it is written.
type rawChallenge struct {
	scheme string
	params map[string]string
}

// challenge returns what c asks for; the rank is 0 when that cannot be answered.
func (c rawChallenge) challenge() challenge {
	if strings.EqualFold(c.scheme, "Basic") {
		return challenge{rank: 1}
	}
	if !strings.EqualFold(c.scheme, "Digest") {
		return challenge{}
	}
	d := &digest{realm: c.params["realm"], nonce: c.params["nonce"], opaque: c.params["opaque"], algorithm: c.params["algorithm"]}
	qop := strings.Split(strings.ReplaceAll(c.params["qop"], " ", ""), ",")
	d.auth = slices.Contains(qop, "auth")
	if !d.auth && c.params["qop"] != "" || d.nonce == "" || d.newHash() == nil {
		return challenge{}
	}
	made := challenge{digest: d, stale: strings.EqualFold(c.params["stale"], "true"), rank: 2}
	if strings.HasPrefix(strings.ToUpper(d.algorithm), "SHA-256") {
		made.rank = 3
	}
	return made
}

// newHash returns the function of the algorithm, or nil when it is not known.
func (d *digest) newHash() func() hash.Hash {
	switch strings.TrimSuffix(strings.ToUpper(d.algorithm), "-SESS") {
	case "", "MD5":
		return md5.New
	case "SHA-256":
		return sha256.New
	}
	return nil
}

// answer returns the value of the header Authorization for a request (RFC 7616 section 3.4).
func (d *digest) answer(method, uri, user, pass string) (string, error) {
	if strings.ContainsAny(user, "\r\n") {
		return "", errors.New("the option user holds a line end")
	}
	sum := func(parts ...string) string {
		h := d.newHash()()
		h.Write([]byte(strings.Join(parts, ":")))
		return hex.EncodeToString(h.Sum(nil))
	}
	cnonce := rand.Text()
	count := fmt.Sprintf("%08x", d.count.Add(1))
	secret := sum(user, d.realm, pass)
	if strings.HasSuffix(strings.ToUpper(d.algorithm), "-SESS") {
		secret = sum(secret, d.nonce, cnonce)
	}
	request := sum(method, uri)
	response := sum(secret, d.nonce, request)
	if d.auth {
		response = sum(secret, d.nonce, count, cnonce, "auth", request)
	}
	var b strings.Builder
	fmt.Fprintf(&b, `Digest username=%s, realm=%s, nonce=%s, uri=%s, response="%s"`,
		quote(user), quote(d.realm), quote(d.nonce), quote(uri), response)
	if d.algorithm != "" {
		fmt.Fprintf(&b, `, algorithm=%s`, d.algorithm)
	}
	if d.opaque != "" {
		fmt.Fprintf(&b, `, opaque=%s`, quote(d.opaque))
	}
	if d.auth {
		fmt.Fprintf(&b, `, qop=auth, nc=%s, cnonce="%s"`, count, cnonce)
	}
	return b.String(), nil
}

func quote(s string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(s) + `"`
}

// parseChallenges reads the value of a header WWW-Authenticate (RFC 9110 section 11.6.1), in which
// commas separate both the challenges and the parameters of one.
func parseChallenges(s string) []rawChallenge {
	var list []rawChallenge
	for {
		s = strings.TrimLeft(s, " \t,=") // some schemes have one value, which may end with = signs
		word := token(s)
		if word == "" {
			return list
		}
		rest := strings.TrimLeft(s[len(word):], " \t")
		if !strings.HasPrefix(rest, "=") || len(list) == 0 {
			list = append(list, rawChallenge{scheme: word, params: map[string]string{}})
			s = rest
			continue
		}
		value, after := cutParam(strings.TrimLeft(rest[1:], " \t"))
		list[len(list)-1].params[strings.ToLower(word)] = value
		s = after
	}
}

// token returns the token that s begins with.
func token(s string) string {
	end := strings.IndexAny(s, " \t,=\"")
	if end < 0 {
		return s
	}
	return s[:end]
}

// cutParam reads a token or a quoted string.
func cutParam(s string) (value, rest string) {
	if !strings.HasPrefix(s, `"`) {
		value = token(s)
		return value, s[len(value):]
	}
	var b strings.Builder
	for i := 1; i < len(s); i++ {
		switch {
		case s[i] == '\\' && i+1 < len(s):
			i++
			b.WriteByte(s[i])
		case s[i] == '"':
			return b.String(), s[i+1:]
		default:
			b.WriteByte(s[i])
		}
	}
	return b.String(), ""
}
