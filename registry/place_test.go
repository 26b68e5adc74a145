package registry_test

import (
	"strings"
	"testing"

	"ferry/registry"
)

// What is kept of a remote's files is found again by its place. So options that say how it is used
// must not change it, those that say where it is must, and a secret must not be in it.
func TestPlaceTellsWhereTheFilesAre(t *testing.T) {
	const s3 = `:s3,provider=Minio,access_key_id=key,secret_access_key=geheim,endpoint="http://here:9000"`
	const azure = `:azureblob,account=one,key=Z2VoZWlt,endpoint="http://here:1/one"`
	const dropbox = `:dropbox,token='{"access_token":"geheim","refresh_token":"geheim"}'`
	for _, c := range []struct {
		a, b string
		same bool
	}{
		{s3 + ":bucket/a", s3 + ",chunk_size=8Mi,upload_concurrency=9,region=eu:bucket/a/", true},
		{s3 + ":bucket/a", s3 + ":bucket/b", false},
		{s3 + ":bucket/a", strings.Replace(s3, "here", "there", 1) + ":bucket/a", false},
		{azure + ":bucket/a", azure + ",upload_concurrency=3:bucket/a", true},
		{azure + ":bucket/a", strings.Replace(azure, "here", "there", 1) + ":bucket/a", false},
		{`:sftp,host=here,user=bob:a`, `:sftp,host=here,user=bob,chunk_size=64Ki:a`, true},
		{`:sftp,host=here,user=bob:a`, `:sftp,host=here,user=amy:a`, false},
		{`:ftp,host=here,user=bob:a`, `:ftp,host=here,user=bob,disable_mlsd=true:a`, true},
		{`:ftp,host=here,user=bob:a`, `:ftp,host=here,user=bob,port=22:a`, false},
		{`:webdav,url="http://here/dav":a`, `:webdav,url="http://here/dav",vendor=nextcloud:a`, true},
		{`:webdav,url="http://here/dav":a`, `:webdav,url="http://here/dav":b`, false},
		{dropbox + ":a", dropbox + ",batch_mode=off,chunk_size=8Mi:a", true},
		{dropbox + ":a", dropbox + ",root_namespace=1:a", false},
		{dropbox + ":a", dropbox + ",impersonate=ann@example.com:a", false},
		{dropbox + `,impersonate_admin="dbmid:1":a`, dropbox + `,impersonate_admin="dbmid:2":a`, false},
		{".", "./", true},
		{".", "..", false},
		{`:combine,upstreams="a=. b=..":`, `:combine,upstreams="a=.. b=.":`, false},
	} {
		a, b := identity(t, c.a), identity(t, c.b)
		if (a == b) != c.same {
			t.Errorf("%s is at %q, %s is at %q", c.a, a, c.b, b)
		}
		for _, p := range []string{a, b} {
			if strings.Contains(p, "geheim") || strings.Contains(p, "Z2VoZWlt") {
				t.Errorf("there is a secret in %q", p)
			}
		}
	}
}

func identity(t *testing.T, s string) string {
	t.Helper()
	return openWith(t, s, registry.Environment{}).Info().Identity()
}
