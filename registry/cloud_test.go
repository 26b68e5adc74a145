package registry

import (
	"strings"
	"testing"
)

// cloud is as rclone writes it. The values of the secrets are made up.
const cloud = `[google]
type = google cloud storage
anonymous = true
project_number = 12345678
location = eu
bucket_policy_only = true
encoding = Slash,Dot

[azure]
type = azureblob
account = somebody
key = c2VjcmV0
chunk_size = 8Mi
access_tier = cool

[nobody]
type = google cloud storage

[half]
type = azureblob
key = c2VjcmV0
`

func TestObjectStoresFromAFile(t *testing.T) {
	for s, want := range map[string]string{
		"google:bucket/dir":             "gcs:bucket/dir",
		"google:":                       "gcs:",
		":gcs,anonymous:bucket":         "gcs:bucket",
		"azure:container/dir":           "azureblob:container/dir",
		":azureblob,use_emulator:a/b/c": "azureblob:a/b/c",
	} {
		r, err := openFrom(t, cloud, s)
		if err != nil {
			t.Errorf("%s: %v", s, err)
			continue
		}
		if got := r.Info().Name; got != want {
			t.Errorf("%s is called %s", s, got)
		}
	}
}

func TestObjectStoresThatLackSomething(t *testing.T) {
	for s, want := range map[string]string{
		"nobody:bucket":                 "service_account_file",
		"half:container":                "account",
		"azure,chunk_size=5000Mi:c":     "chunk_size",
		"azure,encoding=Everything:c":   "encoding",
		"azure,delete_snapshots=some:c": "delete_snapshots",
		"google,anonymous=perhaps:b":    "anonymous",
		`google,endpoint="://":b`:       "endpoint",
	} {
		r, err := openFrom(t, cloud, s)
		if err == nil {
			t.Errorf("%s opens %s", s, r.Info().Name)
		} else if msg := err.Error(); !strings.Contains(msg, want) || strings.Contains(msg, "\n") || strings.Contains(msg, "c2VjcmV0") {
			t.Errorf("%s: %v", s, err)
		}
	}
}
