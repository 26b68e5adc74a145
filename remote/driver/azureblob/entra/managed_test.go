package entra_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"ferry/remote/driver/azureblob/entra"
)

// machine gives out tokens as a machine does.
type machine struct {
	*httptest.Server
	status  int
	answer  string
	request *http.Request // the last
	form    url.Values    // of that: its query, or its body
}

func startMachine(t *testing.T) *machine {
	t.Helper()
	clean(t)
	m := &machine{status: http.StatusOK, answer: `{"access_token":"T","expires_in":"3599"}`}
	m.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_ = r.ParseForm() // an empty form is seen by the test
		m.request, m.form = r, r.Form
		w.WriteHeader(m.status)
		_, _ = w.Write([]byte(m.answer))
	}))
	t.Cleanup(m.Close)
	return m
}

func TestManagedIdentities(t *testing.T) {
	for what, c := range map[string]struct {
		variables map[string]string // URL stands for the server's
		id        entra.Identity
		header    string
		value     string
		method    string
		path      string
		form      string
	}{
		"virtual machine": {map[string]string{"AZURE_POD_IDENTITY_AUTHORITY_HOST": "URL"}, entra.Identity{},
			"Metadata", "true", "GET", "/metadata/identity/oauth2/token", "api-version=2018-02-01"},
		"virtual machine, by resource": {map[string]string{"AZURE_POD_IDENTITY_AUTHORITY_HOST": "URL"}, entra.Identity{ResourceID: "/r"},
			"Metadata", "true", "GET", "/metadata/identity/oauth2/token", "api-version=2018-02-01&msi_res_id=/r"},
		"App Service": {map[string]string{"IDENTITY_ENDPOINT": "URL/a", "IDENTITY_HEADER": "h"}, entra.Identity{ClientID: "c"},
			"X-Identity-Header", "h", "GET", "/a", "api-version=2019-08-01&client_id=c"},
		"App Service, by resource": {map[string]string{"IDENTITY_ENDPOINT": "URL/a", "IDENTITY_HEADER": "h"}, entra.Identity{ResourceID: "/r"},
			"X-Identity-Header", "h", "GET", "/a", "api-version=2019-08-01&mi_res_id=/r"},
		"Machine Learning": {map[string]string{"MSI_ENDPOINT": "URL/m", "MSI_SECRET": "s", "DEFAULT_IDENTITY_CLIENT_ID": "d"}, entra.Identity{},
			"Secret", "s", "GET", "/m", "api-version=2017-09-01&clientid=d"},
		"Cloud Shell": {map[string]string{"MSI_ENDPOINT": "URL/s"}, entra.Identity{},
			"Metadata", "true", "POST", "/s", ""},
		"Azure Arc": {map[string]string{"IDENTITY_ENDPOINT": "URL/arc", "IMDS_ENDPOINT": "x"}, entra.Identity{ObjectID: "o"},
			"Metadata", "true", "GET", "/arc", "api-version=2020-06-01&object_id=o"},
	} {
		t.Run(what, func(t *testing.T) {
			m := startMachine(t)
			for name, value := range c.variables {
				t.Setenv(name, strings.Replace(value, "URL", m.URL, 1))
			}
			credential, err := entra.Managed(m.Client(), c.id)
			if err != nil {
				t.Fatal(err)
			}
			if got, err := credential.Token(t.Context()); err != nil || got.Value != "T" || time.Until(got.Expires) < 50*time.Minute {
				t.Fatalf("%v, %v", got.Expires, err)
			}
			want, err := url.ParseQuery(c.form)
			if err != nil {
				t.Fatal(err)
			}
			want.Set("resource", "https://storage.azure.com")
			r := m.request
			if r.Method != c.method || r.URL.Path != c.path || r.Header.Get(c.header) != c.value || m.form.Encode() != want.Encode() {
				t.Errorf("%s %s, %v, %s", r.Method, r.URL.Path, m.form, r.Header.Get(c.header))
			}
		})
	}
}

func TestAnswersOfMachines(t *testing.T) {
	for what, c := range map[string]struct {
		status         int
		answer         string
		valid, refused bool
		life           time.Duration
	}{
		"time as a number":    {200, `{"access_token":"T","expires_on":` + in(time.Hour) + `}`, true, false, time.Hour},
		"time as a string":    {200, `{"access_token":"T","expires_on":"` + in(time.Hour) + `"}`, true, false, time.Hour},
		"time in words":       {200, `{"access_token":"T","expires_on":"06/05/2026 17:08:39 +00:00"}`, true, false, 6 * time.Minute},
		"no token":            {200, `{}`, false, false, 0},
		"no identity":         {400, `{"error":"invalid_request"}`, false, true, 0},
		"error of other form": {400, `{"error":{"code":"Bad","message":"m"}}`, false, true, 0},
		"too many":            {429, ``, false, false, 0},
		"restarts":            {410, ``, false, false, 0},
	} {
		m := startMachine(t)
		m.status, m.answer = c.status, c.answer
		t.Setenv("AZURE_POD_IDENTITY_AUTHORITY_HOST", m.URL)
		credential, err := entra.Managed(m.Client(), entra.Identity{})
		if err != nil {
			t.Fatal(err)
		}
		got, err := credential.Token(t.Context())
		var r *entra.RefusedError
		if (err == nil) != c.valid || errors.As(err, &r) != c.refused {
			t.Errorf("%s: %v", what, err)
		}
		if left := time.Until(got.Expires); c.valid && (left > c.life || left < c.life-10*time.Second) {
			t.Errorf("%s: valid for %v", what, left)
		}
	}
}

// in is a moment from now, in seconds as servers write it.
func in(d time.Duration) string { return strconv.FormatInt(time.Now().Add(d).Unix(), 10) }

func TestManagedIdentitiesThatCannotBe(t *testing.T) {
	for want, variables := range map[string]map[string]string{
		"Service Fabric":   {"IDENTITY_ENDPOINT": "x", "IDENTITY_HEADER": "x", "IDENTITY_SERVER_THUMBPRINT": "x"},
		"Machine Learning": {"MSI_ENDPOINT": "x", "MSI_SECRET": "x"},
		"Cloud Shell":      {"MSI_ENDPOINT": "x"},
	} {
		t.Run(want, func(t *testing.T) {
			clean(t)
			for name, value := range variables {
				t.Setenv(name, value)
			}
			if _, err := entra.Managed(http.DefaultClient, entra.Identity{ObjectID: "o"}); err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%v", err)
			}
		})
	}
}
