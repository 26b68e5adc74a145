package users_test

import (
	"reflect"
	"strings"
	"testing"
	"time"

	"ferry/hooks/settings"
	"ferry/serve/users"
)

const hooksText = `
[users.bob]
auth = "none"

[[hooks]]
name = "erp"
events = ["upload.stored", "delete"]
users = ["camera-*", "bob"]
paths = "/in/**"
url = "https://example.org/hook"
secret = ["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "an older one of many bytes"]
format = "aws"
timeout = "10s"
settle = "5s"
ignore = []
concurrency = 8
give_up = "1d"
batch = 100

[[hooks]]
events = "check"
program = ["/usr/bin/scan", "--fdpass"]
fail = "open"
quarantine = "/quarantine"
`

func TestHooks(t *testing.T) {
	f, err := users.Parse("users.toml", []byte(hooksText))
	if err != nil {
		t.Fatal(err)
	}
	want := []settings.Hook{{
		Name: "erp", Events: []string{"upload.stored", "delete"}, Users: []string{"camera-*", "bob"}, Paths: []string{"/in/**"},
		URL: "https://example.org/hook", Secrets: []string{"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "an older one of many bytes"},
		Format: "aws", Timeout: 10 * time.Second, Settle: 5 * time.Second, Ignore: []string{}, Concurrency: 8, GiveUp: 24 * time.Hour, Batch: 100,
	}, {
		Name: "scan-927224", Events: []string{"check"}, Program: []string{"/usr/bin/scan", "--fdpass"}, Fail: "open", Quarantine: "/quarantine",
	}}
	if got := f.Hooks(); !reflect.DeepEqual(got, want) {
		t.Errorf("%+v", got)
	}
}

// Each mistake is told with its place, and none shows a secret.
func TestMistakesOfHooks(t *testing.T) {
	for text, want := range map[string]string{
		`paths = ["/x"]`: "1:3: a hook says what it is told of",
		"events = [\"delete\", \n\"upload.storred\"]": `3:1: hooks.0.events.1: there is no event "upload.storred": did you mean upload.stored?`,
		"events = [\"login.nothing\"]":                "there is no event",
		"evnets = []":                                 "2:1: there is no key evnets here: did you mean events?",
		`events = "delete"`:                           "1:3: a hook calls a program or a url",
		"secret = \"pa55word\"":                       "hooks.0.secret: a secret has at least 16 bytes",
		"url = \"ftp://bob:pa55word@x/\"":             "hooks.0.url: the address of a hook",
		"paths = \"[\"":                               "is no pattern",
		"timeout = 5":                                 "a duration has a unit",
		"timeout = \"off\"":                           "it has an end",
		"concurrency = 0":                             "0 is not between 1 and 100",
		"env = \"bash\"":                              "none of ferry, sftpgo, pure-ftpd",
		"program = []":                                "a program has a name",
		"users = \"a/[\"":                             "is no pattern of users",
		"name = \"a/b\"":                              "cannot be a name",
	} {
		_, err := users.Parse("users.toml", []byte("[[hooks]]\n"+text+"\n"))
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "pa55word") {
			t.Errorf("%s: %v, not %s", text, err, want)
		}
	}
	twice := "[[hooks]]\nname = \"a\"\nevents = \"delete\"\nprogram = \"x\"\n"
	if _, err := users.Parse("users.toml", []byte(twice+twice)); err == nil || !strings.Contains(err.Error(), `users.toml:6:8: hooks.1.name: two hooks have the name "a"`) {
		t.Errorf("one name for two: %v", err)
	}
	if _, err := users.Parse("users.toml", []byte("hooks = 3")); err == nil || !strings.Contains(err.Error(), "[[hooks]]") {
		t.Errorf("not an array: %v", err)
	}
}
