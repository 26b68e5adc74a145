package s3

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"ferry/remote"
)

const roleAnswer = `<AssumeRoleResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleResult><Credentials>
<AccessKeyId>role-key</AccessKeyId><SecretAccessKey>role-secret</SecretAccessKey><SessionToken>role-token</SessionToken>
<Expiration>%s</Expiration></Credentials></AssumeRoleResult></AssumeRoleResponse>`

// startRoles runs a server that gives the keys of a role, and lists nothing to those who have them.
func startRoles(t *testing.T, asked *atomic.Int32) (addr string) {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		key := strings.Contains(r.Header.Get("Authorization"), "Credential="+testKey+"/")
		roleKey := strings.Contains(r.Header.Get("Authorization"), "Credential=role-key/")
		switch {
		case r.Method != http.MethodPost:
			if !roleKey || r.Header.Get("X-Amz-Security-Token") != "role-token" {
				w.WriteHeader(http.StatusForbidden)
				return
			}
			fmt.Fprint(w, `<ListBucketResult><IsTruncated>false</IsTruncated></ListBucketResult>`)
		case key && r.PostFormValue("Action") == "AssumeRole" && r.PostFormValue("RoleArn") == "arn:aws:iam::1:role/backup" &&
			r.PostFormValue("ExternalId") == "42" && r.PostFormValue("RoleSessionName") == "nightly" && r.PostFormValue("DurationSeconds") == "1800":
			asked.Add(1)
			fmt.Fprintf(w, roleAnswer, time.Now().Add(time.Hour).UTC().Format(time.RFC3339))
		default:
			w.WriteHeader(http.StatusForbidden)
			fmt.Fprint(w, `<ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><Error><Type>Sender</Type><Code>AccessDenied</Code><Message>not for you</Message></Error></ErrorResponse>`)
		}
	}))
	t.Cleanup(s.Close)
	return strings.TrimPrefix(s.URL, "http://")
}

func TestKeysOfARole(t *testing.T) {
	var asked atomic.Int32
	addr := startRoles(t, &asked)
	o := testOptions(addr)
	o.Role = Role{ARN: "arn:aws:iam::1:role/backup", ExternalID: "42", SessionName: "nightly", Duration: 30 * time.Minute}
	r := openAt(t, testBucket, o)
	for range 3 {
		if got := names(t, r, "."); len(got) != 0 {
			t.Errorf("listed: %q", got)
		}
	}
	if n := asked.Load(); n != 1 {
		t.Errorf("the keys were asked for %d times", n)
	}
}

func TestARoleThatIsNotGiven(t *testing.T) {
	o := testOptions(startRoles(t, new(atomic.Int32)))
	o.Role = Role{ARN: "arn:aws:iam::1:role/other"}
	_, err := openAt(t, testBucket, o).Stat(t.Context(), ".")
	if !errors.Is(err, remote.ErrPermission) || !strings.Contains(err.Error(), "role_arn") || strings.Contains(err.Error(), testSecret) {
		t.Errorf("%v", err)
	}
}
