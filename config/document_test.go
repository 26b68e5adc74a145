package config

import (
	"slices"
	"strings"
	"testing"
)

// parse reads a document that must be right.
func parse(t *testing.T, text string) *Document {
	t.Helper()
	d, err := ParseDocument([]byte(text))
	if err != nil {
		t.Fatalf("%q: %v", text, err)
	}
	return d
}

func TestDocumentValues(t *testing.T) {
	const bq = "`"
	tests := []struct {
		name, text   string
		section, key string
		want         string
	}{
		{"byte order mark", "\ufeff[a]\nk = v\n", "a", "k", "v"},
		{"no line end", "[a]\nk = v", "a", "k", "v"},
		{"carriage returns", "[a]\r\nk = v\r\n", "a", "k", "v"},
		{"spaces around everything", "  [ a ]  \n \t k \t =  v w  \n", "a", "k", "v w"},
		{"hash in a value", "[a]\nk = v # w\n", "a", "k", "v # w"},
		{"semicolon in a value", "[a]\nk = v ; w\n", "a", "k", "v ; w"},
		{"hash at the beginning of a value", "[a]\nk = #v\n", "a", "k", "#v"},
		{"first separator is an equals sign", "[a]\nk = x:y=z\n", "a", "k", "x:y=z"},
		{"first separator is a colon", "[a]\nk: x=y:z\n", "a", "k", "x=y:z"},
		{"key in double quotes", "[a]\n\"k = l\" = v\n", "a", "k = l", "v"},
		{"key in three double quotes", "[a]\n\"\"\"k\"l\"\"\" = v\n", "a", `k"l`, "v"},
		{"key in back-ticks", "[a]\n" + bq + "k:l" + bq + ": v\n", "a", "k:l", "v"},
		{"quoted key keeps its spaces", "[a]\n\" k \"=v\n", "a", " k ", "v"},
		{"value in back-ticks", "[a]\nk = " + bq + "  v  " + bq + "\n", "a", "k", "  v  "},
		{"value in three double quotes", "[a]\nk = \"\"\" v \"\"\"\n", "a", "k", " v "},
		{"the last back-tick counts", "[a]\nk = " + bq + "x" + bq + "y" + bq + "\n", "a", "k", "x" + bq + "y"},
		{"what follows the quote is dropped", "[a]\nk = " + bq + "x" + bq + " y\n", "a", "k", "x"},
		{"double quotes stay", "[a]\nk = \"v\"\n", "a", "k", `"v"`},
		{"single quotes stay", "[a]\nk = 'v'\n", "a", "k", "'v'"},
		{"one back-tick is a value", "[a]\nk = " + bq + "\n", "a", "k", bq},
		{"five double quotes are a value", "[a]\nk = \"\"\"\"\"\n", "a", "k", `"""""`},
		{"empty value", "[a]\nk =\n", "a", "k", ""},
		{"the last entry counts", "[a]\nk = 1\nk = 2\n", "a", "k", "2"},
		{"over sections of one name", "[a]\nk = 1\n[b]\n[a]\nk = 2\n", "a", "k", "2"},
		{"first hyphen", "[a]\n- = x\n- = y\n", "a", "#1", "x"},
		{"second hyphen", "[a]\n- = x\n- = y\n", "a", "#2", "y"},
		{"hyphens are counted from the header", "[a]\n- = x\n[b]\n- = y\n", "b", "#1", "y"},
		{"no line continuation", "[a]\nk = v\\\nl = w\n", "a", "k", `v\`},
		{"before the first section", "k = v\n[a]\n", "DEFAULT", "k", "v"},
		{"section of that name", "[DEFAULT]\nk = v\n", "DEFAULT", "k", "v"},
		{"brackets in a name", "[a]b]\nk = v\n", "a]b", "k", "v"},
		{"a bracket begins a key", "[a]\n[k = v\n", "a", "[k", "v"},

		{"reference to the same section", "[a]\nh = x\nk = %(h)s/y\n", "a", "k", "x/y"},
		{"reference to DEFAULT", "h = x\n[a]\nk = %(h)s/y\n", "a", "k", "x/y"},
		{"DEFAULT goes first", "h = x\n[a]\nh = z\nk = %(h)s/y\n", "a", "k", "x/y"},
		{"reference to nothing", "[a]\nk = x%(h)sy\n", "a", "k", "xy"},
		{"reference to a reference", "[a]\ng = x\nh = %(g)s!\nk = %(h)s%(h)s\n", "a", "k", "x!x!"},
		{"reference within DEFAULT", "g = x\nh = %(g)s!\n[a]\nk = %(h)s\n", "a", "k", "x!"},
		{"a key with s at its end is cut", "[a]\npa = x\npass = y\nk = %(pass)s\n", "a", "k", "x"},
		{"not a reference", "[a]\nk = %(h)d %h %()s\n", "a", "k", "%(h)d %h %()s"},
		{"reference to itself", "[a]\nk = x%(k)s\n", "a", "k", ""},
		{"reference to itself, doubled", "[a]\nk = x%(k)s%(k)s\n", "a", "k", ""},
		{"reference to itself in DEFAULT", "k = x%(k)s\n[a]\nl = %(k)s\n", "a", "l", ""},

		{"inherited", "[a]\nk = v\n[a.b]\n", "a.b", "k", "v"},
		{"inherited over two", "[a]\nk = v\n[a.b]\n[a.b.c]\n", "a.b.c", "k", "v"},
		{"own goes first", "[a]\nk = v\n[a.b]\nk = w\n", "a.b", "k", "w"},
		{"own empty value goes first", "[a]\nk = v\n[a.b]\nk =\n", "a.b", "k", ""},
		{"inherited reference is that of the parent", "[a]\nh = x\nk = %(h)s\n[a.b]\nh = y\n", "a.b", "k", "x"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			d := parse(t, tt.text)
			if got, ok := d.Get(tt.section, tt.key); !ok || got != tt.want {
				t.Errorf("%q: [%s] %s = %q, %v; want %q", tt.text, tt.section, tt.key, got, ok, tt.want)
			}
			if got := string(d.Bytes()); got != tt.text {
				t.Errorf("%q is written as %q", tt.text, got)
			}
		})
	}
}

// Each key refers to the next one many times over, which are more replacements than can be made one
// by one.
func TestExpansionEnds(t *testing.T) {
	var text strings.Builder
	for i := range 26 {
		text.WriteString(string(rune('a'+i)) + " = ")
		for range 10 {
			text.WriteString("%(" + string(rune('a'+i+1)) + ")s%(x)sx")
		}
		text.WriteString("\n")
	}
	text.WriteString("[remote]\nk = %(a)s\n")
	if got, ok := parse(t, text.String()).Get("remote", "k"); !ok || got != "" {
		t.Errorf("got %d bytes, %v; want none", len(got), ok)
	}
}

func TestDocumentWithoutValue(t *testing.T) {
	for _, tt := range []struct{ text, section, key string }{
		{"[a]\n# k = v\n", "a", "k"},
		{"[a]\n; k = v\n", "a", "k"},
		{"  # k = v\n", "DEFAULT", "k"},
		{"[a]\nk = v\n", "b", "k"},
		{"[a]\nk = v\n", "a", "K"},
		{"[a]\nk = v\n", "a.b", "k"}, // there is no section a.b
		{"[a]\nk = v\n[a.b.c]\n", "a.b.c", "k"},
		{"k = v\n[a]\n", "a", "k"}, // DEFAULT is for references only
		{"[a]\n\"\" = v\n", "a", ""},
	} {
		if got, ok := parse(t, tt.text).Get(tt.section, tt.key); ok {
			t.Errorf("%q: [%s] %s = %q, want nothing", tt.text, tt.section, tt.key, got)
		}
	}
}

func TestDocumentKeepsTheOrder(t *testing.T) {
	d := parse(t, "x = 1\n[b]\nz = 1\ny = 2\n[a]\n[b]\nz = 3\n\" \" = 4\nw = 5\n")
	if got, want := d.Sections(), []string{"DEFAULT", "b", "a"}; !slices.Equal(got, want) {
		t.Errorf("sections %q, want %q", got, want)
	}
	if got, want := d.Keys("b"), []string{"z", "y", "w"}; !slices.Equal(got, want) {
		t.Errorf("keys %q, want %q", got, want)
	}
	if got := d.Keys("c"); got != nil {
		t.Errorf("keys of a section that is not there: %q", got)
	}
}

func TestDocumentErrorsNameTheLineOnly(t *testing.T) {
	for _, tt := range []struct {
		text string
		line string
	}{
		{"[a]\nhunter2\n", "line 2"},
		{"\n\n[a\nk = v\n", "line 3"},
		{"[a]\n= hunter2\n", "line 2"},
		{"[a]\n\"k hunter2 = v\n", "line 2"},
		{"[a]\nk = `hunter2\n", "line 2"},
		{"[a]\nk = \"\"\"hunter2\n", "line 2"},
		{"[]\nk = hunter2\n", "line 2"},
	} {
		_, err := ParseDocument([]byte(tt.text))
		if err == nil {
			t.Errorf("%q was read", tt.text)
		} else if !strings.HasPrefix(err.Error(), tt.line+":") || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%q: the error is %q, want %s and no value", tt.text, err, tt.line)
		}
	}
}
