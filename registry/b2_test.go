package registry

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"ferry/remote"
	"ferry/remote/driver/s3"
	"ferry/remote/remotetest/servers"
)

// b2Keys are those that the double of Backblaze knows, and what they may be used for.
const (
	b2Master = "0123456789ab"
	b2KeyID  = "0040123456789ab0000000001"
	b2Key    = "K004secret"
)

// startB2 runs a double of the server that knows keys, which names s3URL as that of the contents.
func startB2(t *testing.T, s3URL, bucket string) string {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		id, key, _ := r.BasicAuth()
		w.Header().Set("Content-Type", "application/json")
		switch {
		case r.Method != http.MethodGet || r.URL.Path != "/b2api/v3/b2_authorize_account":
			w.WriteHeader(http.StatusNotFound)
		case key != b2Key || id != b2Master && id != b2KeyID:
			w.WriteHeader(http.StatusUnauthorized)
			_ = json.NewEncoder(w).Encode(map[string]any{"status": 401, "code": "unauthorized", "message": ""})
		default:
			var only any
			if bucket != "" {
				only = bucket
			}
			_ = json.NewEncoder(w).Encode(map[string]any{"accountId": b2Master, "authorizationToken": "t", "apiInfo": map[string]any{
				"storageApi": map[string]any{"s3ApiUrl": s3URL, "apiUrl": "https://api004.backblazeb2.com", "bucketName": only, "namePrefix": nil,
					"capabilities": []string{"readFiles", "writeFiles", "listFiles"}}}})
		}
	}))
	t.Cleanup(s.Close)
	return s.URL
}

// TestB2 stores and reads by the S3 interface whose address the key is asked for.
func TestB2(t *testing.T) {
	t.Parallel()
	gateway := servers.StartGateway(t, b2KeyID, b2Key, "photos")
	file := "[cloud]\ntype = b2\naccount = " + b2KeyID + "\nkey = " + b2Key + "\nhard_delete = true\nendpoint = " + startB2(t, "http://"+gateway.Addr, "photos") + "\n"
	r, err := openFrom(t, file, "cloud:photos/2026")
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if _, err := r.Put(t.Context(), "f", strings.NewReader("content"), remote.PutOptions{}); err != nil {
		t.Fatal(err)
	}
	if e, err := r.Stat(t.Context(), "f"); err != nil || e.Size != 7 {
		t.Errorf("%+v, %v", e, err)
	}
	if _, err := openFrom(t, file, "cloud:others"); err == nil || !strings.Contains(err.Error(), "for the bucket photos only") {
		t.Error(err)
	}
}

func TestB2ThatLacksSomething(t *testing.T) {
	t.Parallel()
	good := startB2(t, "https://s3.us-west-004.backblazeb2.com", "")
	for what, c := range map[string]struct{ account, key, endpoint, want string }{
		"the master key": {b2Master, b2Key, good, "make an application key"},
		"a wrong key":    {b2KeyID, "K004wrong", good, "check the options account and key"},
		"no S3 server":   {b2KeyID, b2Key, startB2(t, "", ""), "check the option endpoint"},
		"nobody":         {b2KeyID, b2Key, "http://127.0.0.1:1", "check the network and the option endpoint"},
		"another server": {b2KeyID, b2Key, good + "/elsewhere", "answers 404"},
	} {
		file := "[cloud]\ntype = b2\naccount = " + c.account + "\nkey = " + c.key + "\nendpoint = " + c.endpoint + "\n"
		_, err := openFrom(t, file, "cloud:bucket")
		if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), c.key) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %v", what, err)
		}
	}
	for _, endpoint := range []string{good, "https://s3.us-west-004.backblazeb2.com"} {
		file := "[cloud]\ntype = b2\naccount = " + b2KeyID + "\nkey = " + b2Key + "\nendpoint = " + endpoint + "\n"
		r, err := openFrom(t, file, "cloud:bucket")
		if err != nil || !strings.Contains(r.Info().Place, "s3.us-west-004.backblazeb2.com") {
			t.Errorf("%s: %v", endpoint, err)
		}
	}
	if got := (b2Account{S3: "https://s3.us-west-004.backblazeb2.com"}).region(); got != "us-west-004" {
		t.Errorf("the region is %q", got)
	}
}

// TestEveryProviderOfS3 names each in the option, and one that there is not.
func TestEveryProviderOfS3(t *testing.T) {
	t.Parallel()
	for _, p := range s3.Providers() {
		if _, err := openFrom(t, "", `:s3,provider=`+p.Name+`,region=r,endpoint="https://s3.example.org":bucket`); err != nil {
			t.Errorf("%s: %v", p.Name, err)
		}
	}
	for name, want := range map[string]string{"Wasbi": "did you mean Wasabi?", "Clouflare": "did you mean Cloudflare?", "Nobodys": "Other is any"} {
		_, err := openFrom(t, "", ":s3,provider="+name+":b")
		if err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), name) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %v", name, err)
		}
	}
	if notes := s3Driver().Notes; !strings.Contains(notes, "s3.REGION.wasabisys.com") || !strings.Contains(notes, "Scaleway") {
		t.Error("help does not list the providers")
	}
}
