package http

import (
	"io"
	"net/url"
	"strings"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"

	"ferry/remote"
	"ferry/remote/network"
)

// A link leads from the page of a directory to something in it.
type link struct {
	name string
	dir  bool
}

// maxTag is the longest tag that is read; a page with a longer one is no list of files.
const maxTag = 1 << 20

// A page is what links are resolved against.
type page struct {
	dir      string            // path of the directory that it lists, with a slash at its end
	base     *url.URL          // what its links are relative to
	verbatim bool              // names are what is written in the link, not decoded
	omit     func(href string) // is told of what is in the directory and has no name; may be nil

	known bool   // a link led into the directory, to itself or up
	other string // the first link that led elsewhere
}

// newPage describes the page that was found at u.
func newPage(u *url.URL, verbatim bool) *page {
	dir := u.Path
	if verbatim {
		dir = u.EscapedPath()
	}
	return &page{dir: dir[:strings.LastIndexByte(dir, '/')+1], base: u, verbatim: verbatim}
}

// links gives the links that lead one level down to take, in their order, until that returns false.
// What a list of files has besides is left out: the way up, the ways to sort it, other sites. Of
// links to the same name one behind the other, as of an icon and its text, one is given. A page of
// more tags than all lets pass is an error.
func (p *page) links(content io.Reader, all *network.Listing, take func(link) bool) error {
	z := html.NewTokenizer(content)
	z.SetMaxBuf(maxTag)
	last := ""
	for {
		switch z.Next() {
		case html.ErrorToken:
			if z.Err() == io.EOF {
				return nil
			}
			return z.Err()
		case html.StartTagToken, html.SelfClosingTagToken:
			if err := all.Entries(1); err != nil {
				return err
			}
			l, ok := p.tag(z)
			if !ok || l.name == last {
				continue
			}
			last = l.name
			if !take(l) {
				return nil
			}
		}
	}
}

// tag reads the tag that z stands at.
func (p *page) tag(z *html.Tokenizer) (link, bool) {
	name, more := z.TagName()
	tag := atom.Lookup(name)
	if !more || tag != atom.A && tag != atom.Base {
		return link{}, false
	}
	href, ok := hrefOf(z)
	if !ok {
		return link{}, false
	}
	if tag == atom.Base {
		if base, err := p.base.Parse(href); err == nil {
			p.base = base
		}
		return link{}, false
	}
	return p.follow(href)
}

func hrefOf(z *html.Tokenizer) (string, bool) {
	for {
		key, value, more := z.TagAttr()
		if string(key) == "href" {
			return strings.TrimSpace(string(value)), true
		}
		if !more {
			return "", false
		}
	}
}

// follow finds out what href leads to. It is false for what is not one level below the page.
func (p *page) follow(href string) (link, bool) {
	u, err := p.base.Parse(href)
	if err != nil && !strings.ContainsAny(href, ":?#") { // a name with a percent sign that is written as it is
		u, err = p.base.Parse(strings.ReplaceAll(href, "%", "%25"))
	}
	if err != nil || u.Scheme != p.base.Scheme || u.Host != p.base.Host || u.Opaque != "" {
		p.elsewhere(href)
		return link{}, false
	}
	if up, ok := strings.CutSuffix(u.Path, "/"); ok && strings.HasPrefix(p.dir, up+"/") { // to the directory itself, or above
		p.known = true
		return link{}, false
	}
	if u.RawQuery != "" || u.ForceQuery {
		p.elsewhere(href)
		return link{}, false
	}
	path, dir := strings.CutSuffix(u.EscapedPath(), "/")
	slash := strings.LastIndexByte(path, '/')
	if slash < 0 {
		p.elsewhere(href)
		return link{}, false
	}
	parent, name := path[:slash+1], path[slash+1:]
	if !p.verbatim {
		var err1, err2 error
		parent, err1 = url.PathUnescape(parent)
		name, err2 = url.PathUnescape(name)
		if err1 != nil || err2 != nil {
			return link{}, false
		}
	}
	if parent != p.dir {
		p.elsewhere(href)
		return link{}, false
	}
	p.known = true
	if !remote.ValidName(name) {
		if p.omit != nil {
			p.omit(href)
		}
		return link{}, false
	}
	return link{name, dir}, true
}

// elsewhere notes a link that leads out of the directory.
func (p *page) elsewhere(href string) {
	if p.other == "" {
		p.other = href[:min(len(href), 200)]
	}
}
