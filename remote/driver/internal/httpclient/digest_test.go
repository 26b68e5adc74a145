package httpclient

import (
	"fmt"
	"strings"
	"testing"
)

func TestParseChallenges(t *testing.T) {
	for header, want := range map[string]string{
		`Basic`:                        `Basic map[]`,
		`Basic realm="a"`:              `Basic map[realm:a]`,
		`basic realm=a, charset=UTF-8`: `basic map[charset:UTF-8 realm:a]`,
		`Digest realm="a \"b\", c", nonce=x,  qop="auth,auth-int" , Basic realm="d"`: `Digest map[nonce:x qop:auth,auth-int realm:a "b", c] Basic map[realm:d]`,
		`Negotiate, Basic realm = "a"`:         `Negotiate map[] Basic map[realm:a]`,
		`Negotiate abc==, Digest REALM="x"`:    `Negotiate map[abc:] Digest map[realm:x]`,
		`, ,`:                                  ``,
		`Basic realm="never closed`:            `Basic map[realm:never closed]`,
		`="x"`:                                 ``,
		``:                                     ``,
		`Digest nonce="a", stale=TRUE`:         `Digest map[nonce:a stale:TRUE]`,
		`Bearer realm="r", error="x", Digest `: `Bearer map[error:x realm:r] Digest map[]`,
	} {
		var got []string
		for _, c := range parseChallenges(header) {
			got = append(got, fmt.Sprint(c.scheme, " ", c.params))
		}
		if s := strings.Join(got, " "); s != want {
			t.Errorf("%s: %s, want %s", header, s, want)
		}
	}
}

func FuzzChallenges(f *testing.F) {
	f.Add(`Digest realm="a \"b\", c", nonce=x,  qop="auth,auth-int" , Basic realm="d"`)
	f.Add(`Negotiate abc==, ="`)
	f.Fuzz(func(t *testing.T, header string) {
		if c, ok := bestChallenge([]string{header}); ok && c.digest != nil && c.digest.newHash() == nil {
			t.Error("a digest that cannot be made")
		}
	})
}

func TestBestChallenge(t *testing.T) {
	for _, c := range []struct {
		headers []string
		want    string
	}{
		{nil, ""},
		{[]string{"Negotiate", "Bearer"}, ""},
		{[]string{"Negotiate", "Basic"}, "basic"},
		{[]string{`Basic, Digest nonce=a`}, "digest"},
		{[]string{`Digest nonce=a, algorithm=MD5`, `Digest nonce=a, algorithm=SHA-256`, "Basic"}, "digest SHA-256"},
		{[]string{`Digest nonce=a, algorithm=SHA-512-256`, "Basic"}, "basic"},
		{[]string{`Digest nonce=a, qop="auth-int"`, "Basic"}, "basic"},
		{[]string{`Digest realm=x`, "Basic"}, "basic"},
	} {
		got := ""
		if best, ok := bestChallenge(c.headers); ok && best.digest != nil {
			got = strings.TrimSpace("digest " + best.digest.algorithm)
		} else if ok {
			got = "basic"
		}
		if got != c.want {
			t.Errorf("%q: %q, want %q", c.headers, got, c.want)
		}
	}
}

func TestTheFormOfADigestAnswer(t *testing.T) {
	d := &digest{realm: "r", nonce: "n", opaque: `o"p`, algorithm: "SHA-256", auth: true}
	for i, count := range []string{"00000001", "00000002"} {
		got, err := d.answer("GET", "/a%20b", `do"main\user`, "secret")
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(got, "secret") {
			t.Error("the password shows")
		}
		for _, want := range []string{
			`Digest username="do\"main\\user"`, `realm="r"`, `nonce="n"`, `uri="/a%20b"`, `algorithm=SHA-256`, `opaque="o\"p"`,
			`qop=auth`, `nc=` + count,
		} {
			if !strings.Contains(got, want) {
				t.Errorf("answer %d: %s lacks %s", i, got, want)
			}
		}
	}
	if _, err := d.answer("GET", "/", "a\r\nX: y", "p"); err == nil {
		t.Error("a user with a line end is sent")
	}
}
