package cause_test

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net/url"
	"testing"

	natsgo "github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"ferry/cluster/nats/cause"
)

func TestErrorsSayWhatIsWrong(t *testing.T) {
	for _, c := range []struct {
		err  error
		want string
	}{
		{natsgo.ErrAuthorization, "the user, password or credentials are refused"},
		{errors.New("nats: Authorization Violation"), "the user, password or credentials are refused"},
		{natsgo.ErrAuthExpired, "the credentials have expired, or were revoked"},
		{fmt.Errorf("%w: Permissions Violation for Publish to \"ferry.node.s\"", natsgo.ErrPermissionViolation), `the user lacks a right: Publish to "ferry.node.s"`},
		{&tls.CertificateVerificationError{Err: x509.UnknownAuthorityError{}}, "its certificate is not trusted: x509: certificate signed by unknown authority"},
		{natsgo.ErrSecureConnWanted, "it does not speak TLS"},
		{natsgo.ErrNoInfoReceived, "what answers there is no server of NATS"},
		{natsgo.ErrNoServers, "no server answers"},
		{fmt.Errorf("x: %w", &jetstream.APIError{Code: 500, Description: "insufficient memory resources available"}), "it answers: insufficient memory resources available"},
		{&url.Error{Op: "parse", URL: "nats://bob:secret@h", Err: errors.New("invalid port")}, "invalid port"},
		{natsgo.ErrTimeout, "timeout"},
	} {
		if got := cause.Of(c.err); got.Error() != c.want || !errors.Is(got, c.err) {
			t.Errorf("%v: %v, want %s", c.err, got, c.want)
		}
	}
	if again := cause.Of(fmt.Errorf("h:1: %w", cause.Of(natsgo.ErrNoServers))); again.Error() != "h:1: no server answers" {
		t.Errorf("told twice: %v", again)
	}
	if cause.Of(nil) != nil {
		t.Error("of nothing")
	}
}
