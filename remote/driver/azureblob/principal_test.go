package azureblob_test

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"ferry/remote"
	"ferry/remote/driver/azureblob"
	"ferry/remote/network"
)

// The login and the storage are one server here.
func TestAPrincipalsTokenIsSentToTheService(t *testing.T) {
	refuses := false
	web := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.URL.Path == "/t/oauth2/v2.0/token" && refuses:
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(http.StatusUnauthorized)
			_, _ = io.WriteString(w, `{"error":"invalid_client","error_description":"`+secret+`"}`)
		case r.URL.Path == "/t/oauth2/v2.0/token":
			w.Header().Set("Content-Type", "application/json")
			_, _ = io.WriteString(w, `{"token_type":"Bearer","access_token":"T","expires_in":3599}`)
		case r.Header.Get("Authorization") != "Bearer T":
			t.Errorf("%s %s comes without the token", r.Method, r.URL.Path)
		case r.URL.Query().Get("comp") == "list": // is it a directory?
			_, _ = io.WriteString(w, `<EnumerationResults><Blobs></Blobs></EnumerationResults>`)
		default:
			w.Header().Set("ETag", `"1"`)
			_, _ = io.WriteString(w, "hello")
		}
	}))
	defer web.Close()
	t.Setenv("AZURE_AUTHORITY_HOST", web.URL)
	roots := x509.NewCertPool()
	roots.AddCert(web.Certificate())
	o := azureblob.Options{
		Endpoint: web.URL, Network: network.Options{TLS: &tls.Config{RootCAs: roots}},
		Credentials: azureblob.Credentials{Tenant: "t", ClientID: "c", ClientSecret: secret},
	}
	r := open(t, "pictures", o)
	defer r.Close()
	f, err := r.Open(t.Context(), "f", 0, -1)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if got, err := io.ReadAll(f); err != nil || string(got) != "hello" {
		t.Errorf("%q, %v", got, err)
	}
	refuses = true
	refused := open(t, "pictures", o)
	defer refused.Close()
	if err := shows(t, refused, "127.0.0.1"); !errors.Is(err, remote.ErrPermission) {
		t.Errorf("a principal that is refused: %v", err)
	}
}
