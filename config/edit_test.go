package config

import (
	"strings"
	"testing"
)

const before = `# The remotes of this house.

# The big disk.
[nas]
type = sftp
# Its name.
host=nas.example.org
port   :   22

; about the bucket
[bucket]
type = s3
`

func TestSetKeepsTheRest(t *testing.T) {
	tests := []struct {
		name, section, key, value string
		old, new                  string // what is replaced in the text; old "" is its end
	}{
		{"in its place", "nas", "host", "10.0.0.1", "host=nas.example.org", "host=10.0.0.1"},
		{"with its separator", "nas", "port", "2222", "port   :   22", "port   :   2222"},
		{"a new key below the last", "nas", "user", "bob", "port   :   22\n", "port   :   22\nuser = bob\n"},
		{"in the last section", "bucket", "region", "eu", "", "region = eu\n"},
		{"a new section at the end", "other", "type", "memory", "", "\n[other]\ntype = memory\n"},
		{"spaces at the ends", "nas", "host", " x ", "host=nas.example.org", "host=` x `"},
		{"a back-tick in front", "nas", "host", "`x`", "host=nas.example.org", "host=``x``"},
		{"a back-tick within", "nas", "host", "x`y", "host=nas.example.org", "host=x`y"},
		{"three double quotes", "nas", "host", `"""x"""`, "host=nas.example.org", "host=`\"\"\"x\"\"\"`"},
		{"an empty value", "nas", "host", "", "host=nas.example.org", "host="},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			draft := parse(t, before).Edit()
			if err := draft.Set(tt.section, tt.key, tt.value); err != nil {
				t.Fatal(err)
			}
			want := before + tt.new
			if tt.old != "" {
				want = strings.Replace(before, tt.old, tt.new, 1)
			}
			if got := string(draft.Bytes()); got != want {
				t.Errorf("the text is\n%s\nwant\n%s", got, want)
			}
			for name, d := range map[string]*Document{"draft": draft.Document, "text": parse(t, want)} {
				if got, ok := d.Get(tt.section, tt.key); !ok || got != tt.value {
					t.Errorf("the %s says %q, %v; want %q", name, got, ok, tt.value)
				}
			}
		})
	}
}

func TestSetOnOtherTexts(t *testing.T) {
	for _, tt := range []struct{ name, text, want string }{
		{"nothing", "", "[a]\nk = v\n"},
		{"no line end", "[a]", "[a]\nk = v\n"},
		{"carriage returns", "[a]\r\nl = w\r\n", "[a]\r\nl = w\r\nk = v\r\n"},
		{"carriage returns and no last line end", "[b]\r\nl = w", "[b]\r\nl = w\r\n\r\n[a]\r\nk = v\r\n"},
		{"a section in two places", "[a]\n[b]\n[a]\nl = w\n[c]\n", "[a]\n[b]\n[a]\nl = w\nk = v\n[c]\n"},
		{"several entries", "[a]\nk = 1\n# c\nk = 2\n", "[a]\n# c\nk = v\n"},
		{"without a value", "[a]\nk =", "[a]\nk =v"},
		{"byte order mark", "\ufeff", "\ufeff[a]\nk = v\n"},
		{"a comment without line end", "# c", "# c\n\n[a]\nk = v\n"},
	} {
		draft := parse(t, tt.text).Edit()
		if err := draft.Set("a", "k", "v"); err != nil {
			t.Errorf("%s: %v", tt.name, err)
		} else if got := string(draft.Bytes()); got != tt.want {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
	}
}

func TestSetRefusesWhatWouldBeLost(t *testing.T) {
	for _, tt := range []struct{ section, key, value, want string }{
		{"a", "k", "x\ny", "line end"},
		{"a", "k", "x\ry", "line end"},
		{"a", "k", "x%(y)sz", "reference"},
		{"a b ", "k", "v", "name"},
		{"-a", "k", "v", "name"},
		{"a]", "k", "v", "name"},
		{"", "k", "v", "name"},
		{"a", "k-l", "v", "not the name of an option"},
		{"a", "-", "v", "not the name of an option"},
		{"a", "#k", "v", "not the name of an option"},
		{"a", "", "v", "not the name of an option"},
	} {
		draft := parse(t, before).Edit()
		err := draft.Set(tt.section, tt.key, tt.value)
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("Set(%q, %q, %q) = %v, want %q", tt.section, tt.key, tt.value, err, tt.want)
		}
		if got := string(draft.Bytes()); got != before {
			t.Errorf("Set(%q, %q, %q) failed and changed the text into\n%s", tt.section, tt.key, tt.value, got)
		}
	}
}

func TestDeleteKey(t *testing.T) {
	draft := parse(t, "[a]\nk = 1\nl = 2\nk = 3\n[b]\nk = 4\n").Edit()
	if !draft.DeleteKey("a", "k") {
		t.Error("the key was not there")
	}
	if draft.DeleteKey("a", "k") || draft.DeleteKey("c", "k") {
		t.Error("a key that is not there was deleted")
	}
	if got, want := string(draft.Bytes()), "[a]\nl = 2\n[b]\nk = 4\n"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	if _, ok := draft.Get("a", "k"); ok {
		t.Error("the deleted key has a value")
	}
}

func TestDeleteSection(t *testing.T) {
	for _, tt := range []struct{ name, section, text, want string }{
		{"with its comments", "nas", before, "# The remotes of this house.\n\n; about the bucket\n[bucket]\ntype = s3\n"},
		{"the last one", "bucket", before, before[:strings.Index(before, "; about")]},
		{"in two places", "a", "[a]\nk = 1\n[b]\nk = 2\n[a]\nk = 3\n", "[b]\nk = 2\n"},
		{"what is set off stays", "a", "[a]\nk = 1\n# end of a\n\n# the end\n", "# the end\n"},
		{"alone", "a", "[a]\nk = 1\n", ""},
		{"keys before the first section", "DEFAULT", "k = 1\n[a]\nk = 2\n", "[a]\nk = 2\n"},
		{"not there", "c", before, before},
	} {
		draft := parse(t, tt.text).Edit()
		if got, want := draft.DeleteSection(tt.section), tt.text != tt.want; got != want {
			t.Errorf("%s: deleted is %v", tt.name, got)
		}
		if got := string(draft.Bytes()); got != tt.want {
			t.Errorf("%s:\n%s\nwant\n%s", tt.name, got, tt.want)
		}
		if draft.Has(tt.section) {
			t.Errorf("%s: the section is still there", tt.name)
		}
	}
}

func TestADraftLeavesItsDocument(t *testing.T) {
	d := parse(t, before)
	draft := d.Edit()
	if err := draft.Set("nas", "host", "x"); err != nil {
		t.Fatal(err)
	}
	draft.DeleteKey("nas", "port")
	draft.DeleteSection("bucket")
	if got := string(d.Bytes()); got != before {
		t.Errorf("the document has become\n%s", got)
	}
	if got, _ := d.Get("nas", "host"); got != "nas.example.org" {
		t.Errorf("the host of the document is %q", got)
	}
}

func TestRedact(t *testing.T) {
	const text = "# c\n[nas]\ntype = sftp\npass=`x`\npass = y\nkey_file = k\n[b]\nsecret_access_key =\r\n[nas.sub]\npass: z\n"
	const want = "# c\n[nas]\ntype = sftp\npass=***\npass = ***\nkey_file = k\n[b]\nsecret_access_key =\r\n[nas.sub]\npass: ***\n"
	d := parse(t, text)
	if got := string(d.Redact()); got != want {
		t.Errorf("%q, want %q", got, want)
	}
	if got := string(d.Bytes()); got != text {
		t.Errorf("the document has become %q", got)
	}
}
