package config

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"testing"
)

// rcloneEncrypted was written by rclone, with the password asdf.
const rcloneEncrypted = `# Encrypted rclone configuration File

RCLONE_ENCRYPT_V0:
b5Uk6mE3cUn5Wb8xiWYnVBAxXUirAaEG1PO/GIDiO9274AO+Yj790BwJA4d2y7lNkmHt4nJwIsoueFvUYmm7RDyzER8IA3XOCrjzl3OUcczZqcplk5JfBdhxMZpt1aGYWUdle1IgO/kAFne6sLD6IuxPySEb`

func key(t *testing.T, password string) *fileKey {
	t.Helper()
	k, err := newFileKey(password)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func TestOpenWhatRcloneSealed(t *testing.T) {
	box, encrypted, err := cutSealed([]byte(rcloneEncrypted))
	if err != nil || !encrypted {
		t.Fatalf("encrypted is %v, %v", encrypted, err)
	}
	plain, err := key(t, "asdf").open(box)
	if err != nil {
		t.Fatal(err)
	}
	d := parse(t, string(plain))
	for _, tt := range []struct{ section, key, want string }{{"nounc", "type", "local"}, {"nounc", "nounc", "true"}, {"unc", "nounc", "false"}} {
		if got, _ := d.Get(tt.section, tt.key); got != tt.want {
			t.Errorf("[%s] %s = %q, want %q", tt.section, tt.key, got, tt.want)
		}
	}
	if _, err := key(t, "asdF").open(box); !errors.Is(err, errWrongPassword) {
		t.Errorf("another password: %v", err)
	}
}

func TestSealIsUndoneByOpen(t *testing.T) {
	k := key(t, "p")
	first, second := k.seal([]byte("text")), k.seal([]byte("text"))
	if bytes.Equal(first, second) {
		t.Error("the same text is sealed the same way twice")
	}
	box, encrypted, err := cutSealed(first)
	if err != nil || !encrypted {
		t.Fatalf("encrypted is %v, %v", encrypted, err)
	}
	if plain, err := k.open(box); err != nil || string(plain) != "text" {
		t.Errorf("open: %q, %v", plain, err)
	}
}

func TestPasswordsAreNormalised(t *testing.T) {
	if *key(t, "cafe\u0301 \ufb01") != *key(t, "caf\u00e9 fi") {
		t.Error("two ways to type one password give two keys")
	}
	if *key(t, " p ") == *key(t, "p") {
		t.Error("spaces at the ends of a password do not count")
	}
	for _, password := range []string{"", "  \t", "\xff"} {
		if _, err := newFileKey(password); err == nil {
			t.Errorf("%q was accepted", password)
		}
	}
}

func TestCutSealed(t *testing.T) {
	for _, tt := range []struct {
		name, text    string
		wantEncrypted bool
		wantErr       string
	}{
		{"nothing", "", false, ""},
		{"plain", "[a]\nRCLONE_ENCRYPT_V0:\n", false, ""},
		{"comments only", "# RCLONE_ENCRYPT_V0:\n; x", false, ""},
		{"with a byte order mark", "\ufeff" + rcloneEncrypted, true, ""},
		{"with carriage returns", strings.ReplaceAll(rcloneEncrypted, "\n", "\r\n"), true, ""},
		{"in lines", strings.Replace(rcloneEncrypted, "2y7l", "2y\n7l", 1), true, ""},
		{"newer", "RCLONE_ENCRYPT_V1:\nxx", true, "newer"},
		{"not base64", "RCLONE_ENCRYPT_V0:\nb5Uk6mE3*", true, "damaged"},
		{"too short", "RCLONE_ENCRYPT_V0:\nb5Uk6mE3", true, "damaged"},
		{"without text", "RCLONE_ENCRYPT_V0:", true, "damaged"},
	} {
		_, encrypted, err := cutSealed([]byte(tt.text))
		if encrypted != tt.wantEncrypted {
			t.Errorf("%s: encrypted is %v", tt.name, encrypted)
		}
		checkError(t, tt.name, err, tt.wantErr)
	}
}

// checkError wants an error with that text, or none when it is empty.
func checkError(t *testing.T, what string, err error, want string) {
	t.Helper()
	switch {
	case want == "" && err != nil:
		t.Errorf("%s: %v", what, err)
	case want != "" && (err == nil || !strings.Contains(err.Error(), want)):
		t.Errorf("%s: the error is %v, want %q", what, err, want)
	}
}

func TestUnlockAsksInOrder(t *testing.T) {
	box, _, err := cutSealed([]byte(rcloneEncrypted))
	if err != nil {
		t.Fatal(err)
	}
	prompt := func(answers ...string) func(context.Context, bool) (string, error) {
		asked := 0
		return func(_ context.Context, wrong bool) (string, error) {
			if wrong != (asked > 0) {
				t.Errorf("question %d says that the last answer was wrong: %v", asked+1, wrong)
			}
			if asked == len(answers) {
				return "", errors.New("asked too often")
			}
			asked++
			return answers[asked-1], nil
		}
	}
	for _, tt := range []struct {
		name string
		from Passwords
		want string
	}{
		{"command", Passwords{Command: command("asdf"), Env: Environ{PasswordVariable: "wrong"}}, ""},
		{"command with line ends", Passwords{Command: command(`\r\nasdf\r\n\n`)}, ""},
		{"wrong command", Passwords{Command: command("x"), Env: Environ{PasswordVariable: "asdf"}}, "--password-command: wrong password"},
		{"command without output", Passwords{Command: command(`\n`), Env: Environ{PasswordVariable: "asdf"}}, "--password-command: it printed nothing"},
		{"command that fails", Passwords{Command: []string{"sh", "-c", "printf asdf; exit 3"}}, "--password-command: exit status 3"},
		{"no such command", Passwords{Command: []string{"ferry-no-such-command"}}, "--password-command: exec"},
		{"variable", Passwords{Env: Environ{PasswordVariable: "asdf"}, Prompt: prompt()}, ""},
		{"wrong variable", Passwords{Env: Environ{PasswordVariable: " asdf"}, Prompt: prompt("asdf")}, "RCLONE_CONFIG_PASS: wrong password"},
		{"prompt", Passwords{Prompt: prompt("asdf")}, ""},
		{"second answer", Passwords{Prompt: prompt("x", "asdf")}, ""},
		{"empty answer", Passwords{Prompt: prompt("", "asdf")}, ""},
		{"three wrong answers", Passwords{Prompt: prompt("x", "y", "z", "asdf")}, "wrong password"},
		{"prompt that fails", Passwords{Prompt: prompt()}, "asked too often"},
		{"nobody to ask", Passwords{}, "RCLONE_CONFIG_PASS or by --password-command"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if len(tt.from.Command) > 0 {
				needShell(t)
			}
			k, _, err := tt.from.unlock(t.Context(), box)
			checkError(t, "unlock", err, tt.want)
			if err == nil && *k != *key(t, "asdf") {
				t.Error("the key is not that of the password")
			}
		})
	}
}

func TestThePasswordCommandRunsInTheEnvironment(t *testing.T) {
	needShell(t)
	var stderr strings.Builder
	p := Passwords{
		Command: []string{"sh", "-c", `read line; echo "$line $RCLONE_CONFIG_DIR $HOME"; echo note >&2`},
		Env:     Environ{"RCLONE_CONFIG_DIR": "/dir"},
		Stdin:   strings.NewReader("typed\n"),
		Stderr:  &stderr,
	}
	if got, err := p.run(t.Context()); err != nil || got != "typed /dir " {
		t.Errorf("it printed %q, %v", got, err)
	}
	if stderr.String() != "note\n" {
		t.Errorf("on standard error it printed %q", stderr.String())
	}
}

func TestTheCommandForANewPasswordKnows(t *testing.T) {
	needShell(t)
	p := Passwords{Command: []string{"sh", "-c", "echo new$RCLONE_PASSWORD_CHANGE"}}
	if got, err := p.NewPassword(t.Context()); err != nil || got != "new1" {
		t.Errorf("it printed %q, %v", got, err)
	}
	if got, err := p.run(t.Context()); err != nil || got != "new" {
		t.Errorf("for the old password it printed %q, %v", got, err)
	}
}

func TestParseCommand(t *testing.T) {
	for in, want := range map[string][]string{
		"":                        nil,
		"pass show ferry":         {"pass", "show", "ferry"},
		`echo "with spaces"`:      {"echo", "with spaces"},
		`echo "a ""quoted"" one"`: {"echo", `a "quoted" one`},
		"echo  two":               {"echo", "", "two"},
	} {
		got, err := ParseCommand(in)
		if err != nil || strings.Join(got, "|") != strings.Join(want, "|") {
			t.Errorf("ParseCommand(%q) = %q, %v; want %q", in, got, err, want)
		}
	}
	for _, in := range []string{`echo "open`, `echo x"y`} {
		if got, err := ParseCommand(in); err == nil {
			t.Errorf("ParseCommand(%q) = %q, want an error", in, got)
		}
	}
}
