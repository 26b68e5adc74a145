package entra_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"ferry/remote/driver/azureblob/entra"
)

// secret is in every credential that must not show.
const secret = "c2VjcmV0c2VjcmV0c2VjcmV0"

var somebody = entra.Principal{Tenant: "contoso.example", ClientID: "c"}

// clean takes what the environment may say of identities away.
func clean(t *testing.T) {
	t.Helper()
	for _, line := range os.Environ() {
		name, _, _ := strings.Cut(line, "=")
		for _, prefix := range []string{"AZURE_", "IDENTITY_", "MSI_", "IMDS_", "DEFAULT_IDENTITY_"} {
			if strings.HasPrefix(name, prefix) {
				t.Setenv(name, "")
			}
		}
	}
}

// An authority gives tokens to who sends the form that check accepts.
type authority struct {
	*httptest.Server
	asked  int
	status int
	answer string
	form   url.Values // of the last request
	path   string
}

func startAuthority(t *testing.T) *authority {
	t.Helper()
	clean(t)
	a := &authority{status: http.StatusOK, answer: `{"token_type":"Bearer","access_token":"T","expires_in":3599}`}
	a.Server = httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_ = r.ParseForm() // an empty form is seen by the test
		a.asked, a.form, a.path = a.asked+1, r.PostForm, r.URL.Path
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(a.status)
		_, _ = w.Write([]byte(a.answer))
	}))
	t.Cleanup(a.Close)
	t.Setenv("AZURE_AUTHORITY_HOST", a.URL)
	return a
}

func TestAPrincipalsSecretGivesATokenThatIsKept(t *testing.T) {
	a := startAuthority(t)
	c, err := entra.Secret(a.Client(), somebody, secret)
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		got, err := c.Token(t.Context())
		if left := time.Until(got.Expires); err != nil || got.Value != "T" || left < 50*time.Minute || left > time.Hour {
			t.Fatalf("%v, valid for %v, %v", got.Value, left, err)
		}
	}
	want := url.Values{
		"grant_type": {"client_credentials"}, "client_id": {"c"}, "client_secret": {secret},
		"scope": {"https://storage.azure.com/.default"},
	}
	if a.asked != 1 || a.path != "/contoso.example/oauth2/v2.0/token" || a.form.Encode() != want.Encode() {
		t.Errorf("asked %d times, at %s for %v", a.asked, a.path, a.form)
	}
}

func TestATokenAboutToEndIsNotUsedAgain(t *testing.T) {
	a := startAuthority(t)
	a.answer = `{"token_type":"Bearer","access_token":"T","expires_in":200}`
	c, err := entra.Secret(a.Client(), somebody, secret)
	if err != nil {
		t.Fatal(err)
	}
	for n := 1; n <= 2; n++ {
		if _, err := c.Token(t.Context()); err != nil || a.asked != n {
			t.Errorf("asked %d times, %v", a.asked, err)
		}
	}
}

func TestRefusalsAreToldFromFailures(t *testing.T) {
	for status, refused := range map[int]bool{400: true, 401: true, 403: true, 429: false, 500: false, 503: false} {
		a := startAuthority(t)
		a.status, a.answer = status, `{"error":"invalid_client","error_description":"`+secret+`"}`
		c, err := entra.Secret(a.Client(), somebody, secret)
		if err != nil {
			t.Fatal(err)
		}
		_, err = c.Token(t.Context())
		var r *entra.RefusedError
		if err == nil || errors.As(err, &r) != refused || strings.Contains(err.Error(), secret) || !strings.Contains(err.Error(), "invalid_client") {
			t.Errorf("status %d: %v", status, err)
		}
		a.Close()
	}
}

func TestAFederatedTokenIsReadEachTime(t *testing.T) {
	a := startAuthority(t)
	a.answer = `{"token_type":"Bearer","access_token":"T","expires_in":1}`
	path := filepath.Join(t.TempDir(), "token")
	c, err := entra.Federated(a.Client(), somebody, path)
	if err != nil {
		t.Fatal(err)
	}
	for _, content := range []string{"one", "two"} {
		if err := os.WriteFile(path, []byte(content+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := c.Token(t.Context())
		if err != nil || a.form.Get("client_assertion") != content || a.form.Get("client_secret") != "" ||
			a.form.Get("client_assertion_type") != "urn:ietf:params:oauth:client-assertion-type:jwt-bearer" {
			t.Errorf("%v, %v", a.form, err)
		}
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Token(t.Context()); err == nil || errors.Is(err, os.ErrNotExist) {
		t.Errorf("without the file: %v", err)
	}
}

func TestPrincipalsThatCannotBe(t *testing.T) {
	clean(t)
	for want, p := range map[string]entra.Principal{
		"client id":    {Tenant: "t"},
		"tenant is":    {ClientID: "c"},
		"AD FS":        {ClientID: "c", Tenant: "adfs"},
		"neither an i": {ClientID: "c", Tenant: "../x"},
	} {
		if _, err := entra.Secret(http.DefaultClient, p, secret); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", want, err)
		}
	}
	t.Setenv("AZURE_AUTHORITY_HOST", "http://login.example")
	if _, err := entra.Secret(http.DefaultClient, somebody, secret); err == nil {
		t.Error("a secret is sent in clear")
	}
}

func TestWaitingForATokenEnds(t *testing.T) {
	a := startAuthority(t)
	c, err := entra.Secret(a.Client(), somebody, secret)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := c.Token(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
}
