package azureblob_test

import (
	"context"
	"encoding/base64"
	"errors"
	"net"
	"strings"
	"testing"

	"ferry/remote"
	"ferry/remote/driver/azureblob"
)

// secret is in every credential that must not show.
const secret = "c2VjcmV0c2VjcmV0c2VjcmV0"

func TestOptionsThatCannotBe(t *testing.T) {
	for want, o := range map[string]azureblob.Options{
		"account":                {},
		"endpoint":               {Endpoint: "https://"},
		"key":                    {Account: "a", Credentials: azureblob.Credentials{Key: "%" + secret}},
		"sas_url":                {Credentials: azureblob.Credentials{SASURL: "https://h/?x=" + secret}},
		"connection_string":      {Credentials: azureblob.Credentials{ConnectionString: "AccountKey=" + secret}},
		"service_principal_file": {Account: "a", Credentials: azureblob.Credentials{ServicePrincipalFile: "/does/not/exist"}},
		"client_secret":          {Account: "a", Credentials: azureblob.Credentials{ClientID: "c", ClientSecret: secret}},
		"chunk_size":             {Account: "a", ChunkSize: -1},
		"upload_concurrency":     {Account: "a", Concurrency: -1},
		"list_chunk":             {Account: "a", ListChunk: 5001},
		"public_access":          {Account: "a", PublicAccess: "all"},
		"delete_snapshots":       {Account: "a", DeleteSnapshots: "yes"},
	} {
		_, err := azureblob.New(t.Context(), "c", o)
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %v", want, err)
		} else if strings.Contains(err.Error(), secret) {
			t.Errorf("%s: the secret shows: %v", want, err)
		}
	}
}

func TestASignedURLOfOneContainerOpensThatOne(t *testing.T) {
	o := azureblob.Options{Credentials: azureblob.Credentials{SASURL: "https://a.example/pictures?sv=1&sig=" + secret}}
	r, err := azureblob.New(t.Context(), "pictures/2026", o)
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Close(); err != nil {
		t.Error(err)
	}
	if _, err := azureblob.New(t.Context(), "other", o); err == nil || strings.Contains(err.Error(), secret) {
		t.Errorf("another container: %v", err)
	}
}

func TestNoSecretShowsWhenTheServerCannotBeReached(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := ln.Addr().String()
	ln.Close() // nobody listens there now
	r := open(t, "pictures", azureblob.Options{Credentials: azureblob.Credentials{SASURL: "http://" + addr + "/?sv=1&sig=" + secret}})
	defer r.Close()
	shows(t, r, addr)
}

func TestNoSecretShowsWhenTheServerRefuses(t *testing.T) {
	service := startService(t)
	key := base64.StdEncoding.EncodeToString([]byte(secret))
	o := azureblob.Options{Account: "devstoreaccount1", Endpoint: service.endpoint, Credentials: azureblob.Credentials{Key: key}}
	r := open(t, "pictures", o)
	defer r.Close()
	if err := shows(t, r, "127.0.0.1", key); !errors.Is(err, remote.ErrPermission) {
		t.Errorf("a wrong key: %v", err)
	}
	o = azureblob.Options{Endpoint: service.endpoint, Credentials: azureblob.Credentials{SASURL: service.endpoint + "/?sv=2020-02-10&sig=" + secret}}
	signed := open(t, "pictures", o)
	defer signed.Close()
	if err := shows(t, signed, "127.0.0.1"); !errors.Is(err, remote.ErrPermission) {
		t.Errorf("a wrong signature: %v", err)
	}
}

func TestAnIdentityThatIsNotThereIsOneLine(t *testing.T) {
	t.Setenv("PATH", t.TempDir()) // no program az
	r := open(t, "pictures", azureblob.Options{Account: "a", Credentials: azureblob.Credentials{UseAZ: true}})
	defer r.Close()
	shows(t, r, "a.blob.core.windows.net")
}

// shows makes calls that fail, and checks that their errors name the host, and no secret. It
// returns the last.
func shows(t *testing.T, r remote.Remote, host string, secrets ...string) error {
	t.Helper()
	var last error
	for call, do := range map[string]func(context.Context) error{
		"Stat": func(ctx context.Context) error { _, err := r.Stat(ctx, "f"); return err },
		"Open": func(ctx context.Context) error { _, err := r.Open(ctx, "f", 0, -1); return err },
		"Put": func(ctx context.Context) error {
			_, err := r.Put(ctx, "f", strings.NewReader("x"), remote.PutOptions{})
			return err
		},
		"Remove": func(ctx context.Context) error { return r.Remove(ctx, "f") },
	} {
		last = do(t.Context())
		if last == nil || !strings.Contains(last.Error(), host) || strings.Contains(last.Error(), "\n") {
			t.Errorf("%s: %v", call, last)
			continue
		}
		for _, s := range append(secrets, secret) {
			if strings.Contains(last.Error(), s) {
				t.Errorf("%s: the secret shows: %v", call, last)
			}
		}
	}
	return last
}
