package http

import (
	"fmt"
	"io"
	"net/url"
	"os"
	"strings"
	"testing"
	"testing/iotest"

	"ferry/remote/network"
)

func linksOf(t *testing.T, at, content string) (string, error) {
	t.Helper()
	u, err := url.Parse(at)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	err = newPage(u, false).links(iotest.HalfReader(strings.NewReader(content)), network.Options{}.Listing(), func(l link) bool {
		name := fmt.Sprintf("%q", l.name)
		if l.dir {
			name += "/"
		}
		got = append(got, name)
		return true
	})
	return strings.Join(got, " "), err
}

func TestPagesOfServers(t *testing.T) {
	for _, server := range []string{"apache", "nginx", "caddy"} {
		content, err := os.ReadFile("testdata/" + server + ".html")
		if err != nil {
			t.Fatal(err)
		}
		got, err := linksOf(t, "http://example.com/pub/", string(content))
		if want := `"photos"/ "a b&c.txt" "50%?.txt"`; got != want || err != nil {
			t.Errorf("%s: %s, %v; want %s", server, got, err, want)
		}
	}
}

func TestLinks(t *testing.T) {
	for _, c := range []struct{ at, content, want string }{
		{"http://h/d/", `<a href=x>`, `"x"`},
		{"http://h/d/", `<A HREF='x/'>`, `"x"/`},
		{"http://h/d/", `<a class=y href="/d/x" title=z>`, `"x"`},
		{"http://h/d/", `<a href="http://h/d/x"><a href="//h/d/y">`, `"x" "y"`},
		{"http://h/d/", `<a href="https://h/d/x"><a href="http://g/d/y"><a href="http://h:81/d/y">`, ``},
		{"http://h/d/", `<a href="x/y"><a href="../x"><a href="/x"><a href="x//">`, ``},
		{"http://h/d/", `<a href=""><a href="."><a href="./"><a href=".."><a href="/"><a href="#x"><a href="/d">`, ``},
		{"http://h/d/", `<a href="x?"><a href="x?y"><a href="?y">`, ``},
		{"http://h/d/", `<a href="x#y">`, `"x"`},
		{"http://h/d/", `<a href="mailto:x@h"><a href="javascript:x()"><a href="./a:b">`, `"a:b"`},
		{"http://h/d/", `<a href="a%2Fb"><a href="%2e%2e"><a href="%2E"><a href="a%00b">`, ``},
		{"http://h/d/", `<a href="100%.txt"><a href="a b"><a href="%FF">`, `"100%.txt" "a b" "\xff"`},
		{"http://h/d/", `<a href="x">1</a><a href="x">2</a><a href="y">3</a><a href="x">4</a>`, `"x" "y" "x"`},
		{"http://h/d/", `<!-- <a href="x"> --><script>"<a href='y'>"</script><textarea><a href="z"></textarea>`, ``},
		{"http://h/d/", `<base href="/d/e/"><a href="../x"><a href="y">`, `"x"`},
		{"http://h/d/index.html", `<a href="x">`, `"x"`},
		{"http://h/a%20b/", `<a href="/a%20b/x"><a href="/a b/y"><a href="/a+b/z">`, `"x" "y"`},
		{"http://h/", `<a href="x"><a href="/y/">`, `"x" "y"/`},
		{"http://h/d/", `<area href="x"><link href="y"><a name="z"><a>`, ``},
	} {
		if got, err := linksOf(t, c.at, c.content); got != c.want || err != nil {
			t.Errorf("%s on %s: %s, %v; want %s", c.content, c.at, got, err, c.want)
		}
	}
}

func TestAPageThatBreaksOffIsAnError(t *testing.T) {
	u := &url.URL{Scheme: "http", Host: "h", Path: "/"}
	content := io.MultiReader(strings.NewReader(`<a href="x"></a><a href="`), iotest.ErrReader(io.ErrUnexpectedEOF))
	n := 0
	err := newPage(u, false).links(content, network.Options{}.Listing(), func(link) bool { n++; return true })
	if err != io.ErrUnexpectedEOF || n != 1 {
		t.Errorf("%d links, %v", n, err)
	}
}

func TestATagWithoutEndIsAnError(t *testing.T) {
	if _, err := linksOf(t, "http://h/", `<a href="`+strings.Repeat("x", 2*maxTag)); err == nil {
		t.Error("no error")
	}
}

func FuzzLinks(f *testing.F) {
	for _, server := range []string{"apache", "nginx", "caddy"} {
		content, err := os.ReadFile("testdata/" + server + ".html")
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(content))
	}
	f.Add(`<base href="x"><a href="100%">`)
	f.Fuzz(func(t *testing.T, content string) {
		u := &url.URL{Scheme: "http", Host: "h", Path: "/d/"}
		_ = newPage(u, false).links(strings.NewReader(content), network.Options{}.Listing(), func(l link) bool {
			if l.name == "" || l.name == "." || l.name == ".." || strings.ContainsAny(l.name, "/\x00") {
				t.Errorf("the name %q", l.name)
			}
			return true
		})
	})
}
