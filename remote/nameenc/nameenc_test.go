package nameenc_test

import (
	"strings"
	"testing"

	"ferry/remote/nameenc"
)

const (
	display = nameenc.Slash | nameenc.Ctl | nameenc.Del | nameenc.Dot
	s3      = nameenc.Slash | nameenc.InvalidUtf8 | nameenc.Dot
	ftp     = display | nameenc.RightSpace
	azure   = nameenc.Slash | nameenc.BackSlash | nameenc.Del | nameenc.Ctl | nameenc.RightPeriod | nameenc.InvalidUtf8
	win     = nameenc.LtGt | nameenc.DoubleQuote | nameenc.Colon | nameenc.Question | nameenc.Asterisk | nameenc.Pipe |
		nameenc.BackSlash | nameenc.RightSpace | nameenc.RightPeriod | nameenc.Slash | nameenc.Ctl
	all = nameenc.Raw - 1
)

func TestEncode(t *testing.T) {
	for _, c := range []struct {
		e          nameenc.Encoding
		name, want string
	}{
		{display, "plain.txt", "plain.txt"},
		{display, "a\nb\x7f", "a␊b␡"},
		{display, "a␊b", "a‛␊b"},
		{display, "a／b", "a‛／b"},
		{display, ".", "．"},
		{display, "..", "．．"},
		{display, "．", "‛．"},
		{display, "．．", "‛．‛．"},
		{display, "...", "..."},
		{display, "a．", "a．"},
		{display, "‛", "‛‛"},
		{display, "␀", "␀"},
		{display, "‛␀", "‛␀"},
		{display, "‛‛␀", "‛‛‛␀"},
		{display, "a ", "a "},
		{ftp, "a ", "a␠"},
		{ftp, "a␠", "a‛␠"},
		{ftp, " a", " a"},
		{ftp, "a  ", "a ␠"},
		{s3, "a\xff\xfeb", "a‛FF‛FEb"},
		{s3, "a\nb", "a\nb"},
		{s3, "‛FF", "‛‛FF"},
		{display, "a\xffb", "a\xffb"},
		{azure, `a\b.`, "a＼b．"},
		{azure, "a..", "a.．"},
		{win, `<a>:"b"|?*`, "＜a＞：＂b＂｜？＊"},
		{nameenc.LeftSpace | nameenc.LeftTilde | nameenc.LeftPeriod, " ~.", "␠~."},
		{nameenc.LeftTilde, "~a~", "～a~"},
		{nameenc.LeftPeriod, ".a.", "．a."},
		{nameenc.LeftCrLfHtVt | nameenc.RightCrLfHtVt, "\t\t\t", "␉\t␉"},
		{nameenc.CrLf, "\r\n\t", "␍␊\t"},
		{nameenc.Raw, "‛\x00", "‛\x00"},
		{0, "", ""},
	} {
		if got := c.e.Encode(c.name); got != c.want {
			t.Errorf("%v: Encode(%q) = %q, want %q", c.e, c.name, got, c.want)
		}
		if got := c.e.Decode(c.want); got != c.name {
			t.Errorf("%v: Decode(%q) = %q, want %q", c.e, c.want, got, c.name)
		}
	}
}

func TestDecodeKeepsWhatEncodeDoesNotWrite(t *testing.T) {
	for _, name := range []string{"‛a", "a‛", "‛", "‛0A", "‛F", "‛FG", "‛ff", "＼", "a␠b"} {
		if got := s3.Decode(name); got != name {
			t.Errorf("Decode(%q) = %q", name, got)
		}
	}
}

func TestPathsAreEncodedByElement(t *testing.T) {
	const path, want = "a ／/ b /c ", "a ‛／/ b␠/c␠"
	if got := ftp.EncodePath(path); got != want {
		t.Errorf("EncodePath = %q, want %q", got, want)
	}
	if got := ftp.DecodePath(want); got != path {
		t.Errorf("DecodePath = %q, want %q", got, path)
	}
}

func TestParse(t *testing.T) {
	for s, want := range map[string]nameenc.Encoding{
		"None":                             0,
		"Slash,Dot":                        nameenc.Slash | nameenc.Dot,
		"slash, invalidutf8":               nameenc.Slash | nameenc.InvalidUtf8,
		"None,Raw":                         nameenc.Raw,
		display.String():                   display,
		azure.String():                     azure,
		all.String():                       all,
		nameenc.Encoding(0).String():       0,
		(nameenc.Raw).String():             nameenc.Raw,
		"Slash,CrLf,InvalidUtf8,Dot,Slash": nameenc.Slash | nameenc.CrLf | nameenc.InvalidUtf8 | nameenc.Dot,
	} {
		if got, err := nameenc.Parse(s); err != nil || got != want {
			t.Errorf("Parse(%q) = %v, %v", s, got, err)
		}
	}
	for _, s := range []string{"", "Slash,", "Slashes", "Slash Dot"} {
		if _, err := nameenc.Parse(s); err == nil {
			t.Errorf("Parse(%q) succeeds", s)
		}
	}
}

func FuzzRoundTrip(f *testing.F) {
	for _, e := range []nameenc.Encoding{0, display, s3, ftp, azure, win, all, nameenc.Dot | nameenc.RightPeriod} {
		for _, name := range []string{"", "．.", ".．", " ␠ ", "‛", "‛FF\xff", "a\xe2\x80", "␀\x00␀", "～~", "...", "‛．‛"} {
			f.Add(uint64(e), name)
		}
	}
	f.Fuzz(func(t *testing.T, bits uint64, name string) {
		e := nameenc.Encoding(bits) & (nameenc.Raw<<1 - 1)
		encoded := e.Encode(name)
		if strings.Contains(name, "\x00") {
			return // no name has it
		}
		if got := e.Decode(encoded); got != name {
			t.Errorf("%v: %q is encoded as %q, which is decoded as %q", e, name, encoded, got)
		}
		if e&nameenc.Raw != 0 {
			return
		}
		if e&nameenc.Slash != 0 && strings.Contains(encoded, "/") || strings.Contains(encoded, "\x00") {
			t.Errorf("%v: %q is encoded as %q", e, name, encoded)
		}
		if e&nameenc.Dot != 0 && (encoded == "." || encoded == "..") {
			t.Errorf("%v: %q is encoded as %q", e, name, encoded)
		}
	})
}
