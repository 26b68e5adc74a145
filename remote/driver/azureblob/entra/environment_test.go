package entra_test

import (
	"errors"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"ferry/remote/driver/azureblob/entra"
)

// program puts a program on a PATH that has nothing else, which writes output or, where that is
// empty, fails.
func program(t *testing.T, name, output string) {
	t.Helper()
	if runtime.GOOS == "windows" {
		t.Skip("the double is a shell script")
	}
	dir := t.TempDir()
	script := "#!/bin/sh\necho \"$*\" >'" + dir + "/args'\nprintf '%s' '" + output + "'\n"
	if output == "" {
		script = "#!/bin/sh\necho '" + secret + "' >&2\nexit 1\n"
	}
	if err := os.WriteFile(filepath.Join(dir, name), []byte(script), 0o700); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", dir)
}

// noMachine lets the metadata service be at an address where nobody is.
func noMachine(t *testing.T) {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ln.Close() // nobody listens there now
	t.Setenv("AZURE_POD_IDENTITY_AUTHORITY_HOST", "http://"+ln.Addr().String())
}

func TestTheLoginOfAProgramIsUsed(t *testing.T) {
	clean(t)
	local := time.Now().Add(time.Hour).Format("2006-01-02 15:04:05.000000")
	for what, output := range map[string]string{
		"az":     `{"accessToken":"T","expires_on":` + in(time.Hour) + `,"expiresOn":"2001-01-01 00:00:00.000000"}`,
		"old az": `{"accessToken":"T","expiresOn":"` + local + `"}`,
	} {
		program(t, "az", output)
		got, err := entra.AZ().Token(t.Context())
		if left := time.Until(got.Expires); err != nil || got.Value != "T" || left > time.Hour || left < 59*time.Minute {
			t.Errorf("%s: %v, %v", what, left, err)
		}
		args, err := os.ReadFile(filepath.Join(os.Getenv("PATH"), "args"))
		if want := "account get-access-token -o json --resource https://storage.azure.com\n"; err != nil || string(args) != want {
			t.Errorf("%s: %q, %v", what, args, err)
		}
	}
	for what, output := range map[string]string{"log in": "", "az login": "no JSON"} {
		program(t, "az", output)
		if _, err := entra.AZ().Token(t.Context()); err == nil || !strings.Contains(err.Error(), what) || strings.Contains(err.Error(), secret) {
			t.Errorf("%s: %v", what, err)
		}
	}
}

// Each way is offered by the environment, besides the later ones.
func TestTheFirstIdentityOfTheEnvironmentIsUsed(t *testing.T) {
	a := startAuthority(t)
	program(t, "az", `{"accessToken":"from az","expires_on":`+in(time.Hour)+`}`)
	use := func(want string) {
		t.Helper()
		c, err := entra.Environment(a.Client())
		if err != nil {
			t.Fatal(err)
		}
		if got, err := c.Token(t.Context()); err != nil || got.Value != want {
			t.Errorf("want %s: %s, %v", want, got.Value, err)
		}
	}
	noMachine(t)
	use("from az")
	m := startMachine(t)
	t.Setenv("AZURE_AUTHORITY_HOST", a.URL)
	t.Setenv("AZURE_POD_IDENTITY_AUTHORITY_HOST", m.URL)
	m.answer = `{"access_token":"from the machine","expires_in":"3599"}`
	use("from the machine")
	path := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(path, []byte("vouched"), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("AZURE_TENANT_ID", "t")
	t.Setenv("AZURE_CLIENT_ID", "c")
	t.Setenv("AZURE_FEDERATED_TOKEN_FILE", path)
	if use("T"); a.form.Get("client_assertion") != "vouched" {
		t.Errorf("the workload identity: %v", a.form)
	}
	t.Setenv("AZURE_CLIENT_SECRET", secret)
	if use("T"); a.form.Get("client_secret") != secret {
		t.Errorf("the service principal: %v", a.form)
	}
	for name, want := range map[string]string{
		"dev": "from az", "AzureCLICredential": "from az", "managedidentitycredential": "from the machine", "prod": "T",
	} {
		t.Setenv("AZURE_TOKEN_CREDENTIALS", name)
		use(want)
	}
	t.Setenv("AZURE_TOKEN_CREDENTIALS", "AzurePowerShellCredential")
	if _, err := entra.Environment(a.Client()); err == nil {
		t.Error("a credential that there is not is chosen")
	}
}

func TestAPrincipalThatIsRefusedIsNotPassedOver(t *testing.T) {
	a := startAuthority(t)
	program(t, "az", `{"accessToken":"from az","expires_on":`+in(time.Hour)+`}`)
	a.status, a.answer = 401, `{"error":"invalid_client"}`
	t.Setenv("AZURE_TENANT_ID", "t")
	t.Setenv("AZURE_CLIENT_ID", "c")
	t.Setenv("AZURE_CLIENT_SECRET", secret)
	c, err := entra.Environment(a.Client())
	if err != nil {
		t.Fatal(err)
	}
	_, err = c.Token(t.Context())
	var r *entra.RefusedError
	if !errors.As(err, &r) {
		t.Errorf("%v", err)
	}
}

func TestAnEnvironmentWithoutAnIdentitySaysWhatItLacks(t *testing.T) {
	a := startAuthority(t)
	noMachine(t)
	program(t, "azd", "")
	c, err := entra.Environment(a.Client())
	if err != nil {
		t.Fatal(err)
	}
	_, err = c.Token(t.Context())
	if err == nil || strings.Contains(err.Error(), secret) {
		t.Fatalf("%v", err)
	}
	for _, want := range []string{"AZURE_TENANT_ID", "AZURE_FEDERATED_TOKEN_FILE", "managed identity", "az is not found", "azd gives no token"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("nothing of %s: %v", want, err)
		}
	}
	program(t, "azd", `{"token":"from azd","expiresOn":"`+time.Now().Add(time.Hour).UTC().Format(time.RFC3339)+`"}`)
	if got, err := c.Token(t.Context()); err != nil || got.Value != "from azd" {
		t.Errorf("%s, %v", got.Value, err)
	}
}
