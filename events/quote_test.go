package events

import (
	"encoding/json"
	"strings"
	"testing"
	"unicode"
)

// What is quoted reads as it was with any reader of JSON, and has nothing that a terminal obeys.
func TestAppendQuoted(t *testing.T) {
	for in, want := range map[string]string{
		"":                        `""`,
		"plain /a~":               `"plain /a~"`,
		`say "\n"`:                `"say \"\\n\""`,
		"\r\n\x00\x1b[31m\x7f":    `"\u000d\u000a\u0000\u001b[31m\u007f"`,
		"\u00e4 \u732b <&>":       "\"\u00e4 \u732b <&>\"",
		"\u202e\u2028\u0085":      `"\u202e\u2028\u0085"`,
		"\U000e0001\U0001f408":    "\"\\udb40\\udc01\U0001f408\"",
		"a\xffb\xc3":              "\"a\ufffdb\ufffd\"",
		"really \ufffd \"there\"": "\"really \ufffd \\\"there\\\"\"",
	} {
		if got := string(AppendQuoted([]byte("x:"), in)); got != "x:"+want {
			t.Errorf("%q: %s, want %s", in, got, want)
		}
	}
	if got, want := string(AppendQuotedList(nil, []string{"a", "\n"})), `["a","\u000a"]`; got != want {
		t.Errorf("a list is %s, want %s", got, want)
	}
	if got := string(AppendQuotedList(nil, nil)); got != "[]" {
		t.Errorf("no list is %s", got)
	}
}

func FuzzAppendQuoted(f *testing.F) {
	f.Add("a\xff\U000e0001\"")
	f.Fuzz(func(t *testing.T, s string) {
		quoted, read := AppendQuoted(nil, s), ""
		if err := json.Unmarshal(quoted, &read); err != nil || read != string([]rune(s)) {
			t.Errorf("%q: %s is read as %q, %v", s, quoted, read, err)
		}
		if i := strings.IndexFunc(string(quoted), func(r rune) bool { return !unicode.IsPrint(r) }); i >= 0 {
			t.Errorf("%q: %q has what does not print", s, quoted)
		}
	})
}
