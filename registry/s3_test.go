package registry

import (
	"strings"
	"testing"
)

func TestS3FromAConfigurationAsRcloneWritesIt(t *testing.T) {
	const file = `
[aws]
type = s3
provider = AWS
env_auth = false
access_key_id = AKIDEXAMPLE
secret_access_key = wJalrXUtnFEMI
region = eu-central-1
acl = private
storage_class = STANDARD_IA

[gateway]
type = s3
provider = Other
access_key_id = key
secret_access_key = secret
endpoint = http://127.0.0.1:9000
force_path_style = true
chunk_size = 16M
upload_concurrency = 8
directory_markers = true

[lacking]
type = s3
provider = Ceph
`
	for remoteString, want := range map[string]string{
		"aws:bucket/dir": "s3:bucket/dir",
		"aws:":           "s3:",
		`gateway,encoding="Slash,InvalidUtf8,Dot,Ctl":bucket`:  "s3:bucket",
		":s3,provider=Minio,endpoint='http://h:9000':bucket/c": "s3:bucket/c",
	} {
		r, err := openFrom(t, file, remoteString)
		if err != nil {
			t.Errorf("%s: %v", remoteString, err)
		} else if got := r.Info().Name; got != want {
			t.Errorf("%s is %s, want %s", remoteString, got, want)
		}
	}
	for remoteString, option := range map[string]string{
		"lacking:b":                            "endpoint",
		"gateway,chunk_size=4Mi:b":             "chunk_size",
		"gateway,chunk_size=secret:b":          "chunk_size",
		"gateway,upload_concurrency=secret:b":  "upload_concurrency",
		"gateway,force_path_style=secret:b":    "force_path_style",
		"gateway,encoding=secret:b":            "encoding",
		"gateway,sse_customer_key=secret:b":    "sse_customer_key",
		"gateway,secret_access_key=\"\":b":     "secret_access_key",
		"gateway,server_side_encryption=sec:b": "server_side_encryption",
	} {
		_, err := openFrom(t, file, remoteString)
		if err == nil || !strings.Contains(err.Error(), option) || strings.Contains(err.Error(), "secret:") {
			t.Errorf("%s: %v", remoteString, err)
		}
	}
}
