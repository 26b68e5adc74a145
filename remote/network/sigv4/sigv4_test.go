package sigv4_test

import (
	"net/http"
	"testing"
	"time"

	"ferry/remote/network/sigv4"
)

// The example of Amazon's manual. What is on the way may add what is not signed.
func TestSign(t *testing.T) {
	q, err := http.NewRequest(http.MethodGet, "https://iam.amazonaws.com/?Action=ListUsers&Version=2010-05-08", nil)
	if err != nil {
		t.Fatal(err)
	}
	q.Header.Set("Content-Type", "application/x-www-form-urlencoded;  charset=utf-8 ")
	q.Header.Set("User-Agent", "somebody")
	k := sigv4.Keys{ID: "AKIDEXAMPLE", Secret: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"}
	s := &sigv4.Signer{Region: "us-east-1", Service: "iam"}
	const want = "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/iam/aws4_request, SignedHeaders=content-type;host;x-amz-date, " +
		"Signature=5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7"
	at := time.Date(2015, 8, 30, 14, 36, 0, 0, time.FixedZone("", 2*60*60))
	for _, now := range []time.Time{at.AddDate(0, 0, -1), at} { // the key of the day before is not that of the day
		s.Sign(q, q.URL.EscapedPath(), sigv4.Sum(nil), k, now)
		if got := q.Header.Get("Authorization"); (got == want) != now.Equal(at) {
			t.Errorf("%v: %s", now, got)
		}
	}
}
