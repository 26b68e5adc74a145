package test

import (
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"ferry/remote/remotetest/servers/oauthserver"
)

// lastAddress opens a link as a browser on another machine does, and returns the address that it is
// sent to last, which it cannot reach.
func lastAddress(t *testing.T, link string) string {
	t.Helper()
	client := &http.Client{
		Transport:     &http.Transport{DisableKeepAlives: true},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	answer, err := client.Get(link)
	if err != nil {
		t.Fatal(err)
	}
	answer.Body.Close()
	return answer.Header.Get("Location")
}

var link = regexp.MustCompile(`(?m)^http\S+authorize\S+`)

// emptyConfig returns the path of a configuration that is not there yet, or is encrypted, and an
// environment with it in which Google is s.
func emptyConfig(t *testing.T, s *oauthserver.Server, password string) (path string, env []string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "rclone.conf")
	env = []string{"PATH=" + os.Getenv("PATH"), "TERM=xterm", "RCLONE_CONFIG=" + path, "RCLONE_CONFIG_PASS=" + password, "HOME=" + t.TempDir(),
		"RCLONE_GCS_AUTH_URL=" + s.AuthURL(), "RCLONE_GCS_TOKEN_URL=" + s.TokenURL(), "RCLONE_GCS_ENDPOINT=http://127.0.0.1:9"}
	if password != "" {
		touch := exec.Command(ferryBinary, "config", "encryption", "set", "--password-command", "echo "+password)
		touch.Env = env
		if out, err := touch.CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
	}
	return path, env
}

// A remote is made by questions, on a machine without a browser, in an encrypted file and in one
// that is not: what is typed and pasted is not shown, and what comes of it is checked.
func TestARemoteIsMadeByQuestions(t *testing.T) {
	t.Parallel()
	for _, password := range []string{"", "potato"} {
		s := oauthserver.Start(t)
		path, env := emptyConfig(t, s, password)
		cmd := exec.Command(ferryBinary, "config")
		cmd.Env = env
		p := onTerminal(t, cmd)
		answer := func(question, text string) {
			t.Helper()
			p.shows(question)
			p.types(text + "\r")
		}
		answer("q) quit: ", "n")
		p.shows("Name of the new remote: ")
		p.types("\x03") // which is told to be the end of the question alone
		p.shows("This is the menu again")
		answer("q) quit: ", "n")
		answer("Name of the new remote: ", "mem")
		answer("Type (a name or a number): ", "memory")
		p.shows("mem", "not offered", "memory", "n) new")
		answer("(none)", "n")
		p.types("g\r")
		p.types("nonsense\rgcs\r")
		p.shows(`there is no type "nonsense"`)
		answer("service_account_file: ", "")
		answer("project_number: ", "")
		answer("env_auth", "")
		answer("client_id: ", oauthserver.ClientID)
		answer("client_secret: ", oauthserver.ClientSecret)
		answer("go through them?", "n")
		p.shows("Paste here: ")
		at := link.FindString(strings.ReplaceAll(p.seen.String(), "\r", ""))
		p.types(lastAddress(t, at) + "\r")
		p.shows(`remote "g" is logged in to`, "only with the option project_number") // by the check
		answer("not everything works", "e")
		p.types("g\r")
		answer("Option to change", "location")
		answer("location: ", "EU")
		p.shows("location = EU")
		p.types("\r") // no more; then it is checked
		p.types("q\r")
		p.ended()
		seen := p.seen.String()
		if strings.Contains(seen, oauthserver.Mark) || strings.Contains(seen, oauthserver.ClientSecret) {
			t.Errorf("a secret is shown: %s", seen)
		}
		text, err := os.ReadFile(path)
		if err != nil || strings.HasPrefix(string(text), "# Encrypted") != (password != "") {
			t.Errorf("the file is %.30q, %v", text, err)
		}
		show := exec.Command(ferryBinary, "config", "dump")
		show.Env = env
		out, err := show.Output()
		if err != nil || !strings.Contains(string(out), oauthserver.Mark) || !strings.Contains(string(out), `"location": "EU"`) {
			t.Errorf("the configuration is %s, %v", out, err)
		}
	}
}

// A password that nothing checks would be noticed too late: crypt takes any.
func TestPasswordsThatNothingChecksAreAskedTwice(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "rclone.conf")
	cmd := exec.Command(ferryBinary, "config")
	cmd.Env = append(os.Environ(), "RCLONE_CONFIG="+path, "HOME="+t.TempDir())
	p := onTerminal(t, cmd)
	answer := func(question, text string) {
		t.Helper()
		p.shows(question)
		p.types(text + "\r")
	}
	answer("q) quit: ", "n")
	answer("Name of the new remote: ", "c")
	answer("Type (a name or a number): ", "crypt")
	answer("remote: ", t.TempDir())
	answer("password: ", "potato")
	answer("Again: ", "tomato")
	// What is typed before a question is there shows, as terminals do it.
	answer("two different passwords.\r\npassword: ", "potato")
	answer("two different passwords.\r\npassword: \r\nAgain: ", "potato")
	answer("password2: ", "")
	answer("filename_encryption [standard]: ", "nothing")
	p.shows("it is one of standard, obfuscate, off")
	answer("filename_encryption [standard]: ", "off")
	answer("go through them?", "y")
	answer("directory_name_encryption", "perhaps")
	p.shows("it is true or false")
	for _, option := range []string{"directory_name_encryption", "filename_encoding", "suffix", "no_data_encryption", "pass_bad_blocks", "strict_names", "show_mapping"} {
		answer(option+" [", "")
	}
	answer("n) new", "q")
	p.ended()
	text, err := os.ReadFile(path)
	if err != nil || !strings.Contains(string(text), "filename_encryption = off") || strings.Contains(string(text), "potato") || strings.Contains(p.seen.String(), "potato") {
		t.Errorf("%s, %v\n%q", text, err, p.seen.String())
	}
}
