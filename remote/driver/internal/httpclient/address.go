package httpclient

import (
	"errors"
	"net/url"
	"strings"
)

// ParseBase reads the URL of a server, and path below it. The URL of the result has a path that
// ends with a slash, and neither user nor query: the user and the password that raw holds are
// returned apart. The error is the end of a line that begins with the option's name; it shows
// nothing of raw.
func ParseBase(raw, path string) (base *url.URL, user, pass string, err error) {
	if raw == "" {
		return nil, "", "", errors.New("is empty: give the address, as in https://example.com/dav")
	}
	if !strings.Contains(raw, "://") {
		raw = "https://" + raw
	}
	u, err := url.Parse(raw)
	switch {
	case err != nil:
		return nil, "", "", errors.New("is not an address: write it as in https://example.com/dav")
	case u.Scheme != "http" && u.Scheme != "https":
		return nil, "", "", errors.New("begins with neither http:// nor https://")
	case u.Host == "":
		return nil, "", "", errors.New("names no host: write it as in https://example.com/dav")
	case u.RawQuery != "":
		return nil, "", "", errors.New("has a query, which cannot be part of the address of a directory: remove what is behind the question mark")
	}
	if u.User != nil {
		user = u.User.Username()
		pass, _ = u.User.Password()
	}
	u.User, u.Fragment, u.RawFragment, u.ForceQuery = nil, "", "", false
	return Below(withSlash(u), strings.Trim(path, "/"), true), user, pass, nil
}

// withSlash returns u with a path that ends in a slash.
func withSlash(u *url.URL) *url.URL {
	if strings.HasSuffix(u.Path, "/") {
		return u
	}
	v := *u
	v.Path += "/"
	if v.RawPath != "" {
		v.RawPath += "/"
	}
	return &v
}

// Below returns the URL of name below base, which ends with a slash; name is "." or "" for base
// itself. A directory's URL ends with a slash.
func Below(base *url.URL, name string, dir bool) *url.URL {
	v := *base
	if name == "." || name == "" {
		return &v
	}
	escaped := base.EscapedPath() + Escape(name)
	v.Path += name
	if dir {
		v.Path += "/"
		escaped += "/"
	}
	v.RawPath = escaped
	return &v
}

// Escape quotes every byte of name that is not unreserved (RFC 3986 section 2.3) except the slash,
// as some servers take more characters for special than the standard does.
func Escape(name string) string {
	const hex = "0123456789ABCDEF"
	b := make([]byte, 0, len(name)+16)
	for i := range len(name) {
		c := name[i]
		if '0' <= c && c <= '9' || 'a' <= c|0x20 && c|0x20 <= 'z' || strings.IndexByte("-._~/", c) >= 0 {
			b = append(b, c)
		} else {
			b = append(b, '%', hex[c>>4], hex[c&15])
		}
	}
	return string(b)
}
