package azureblob

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/blob"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/sas"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/service"

	"ferry/remote"
	"ferry/remote/driver/azureblob/entra"
	"ferry/remote/driver/internal/objects"
	"ferry/remote/network"
)

const (
	// idleConnections is how many connections to the service are kept for the next requests.
	idleConnections = 64
	// sourceTime is how long the service may take to read what it was told to copy.
	sourceTime = 24 * time.Hour
)

// The emulator's account and key are the same everywhere, and published with it.
const (
	emulatorAccount  = "devstoreaccount1"
	emulatorKey      = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
	emulatorEndpoint = "http://127.0.0.1:10000/devstoreaccount1"
)

// An account is the service, and how the client proves who it is.
type account struct {
	service   *service.Client
	host      string
	container string            // the only one there is access to; "" for any
	sharedKey bool              // URLs can be signed
	signed    bool              // URLs are signed already
	token     *entra.Credential // nil with a key or a signature
}

func newTransport(o network.Options) http.RoundTripper {
	transport := o.Transport(idleConnections)
	transport.DisableCompression = false // of listings
	return transport
}

// clientOptions let the client repeat what got no answer a few times, and blocks, which nobody else
// can send again, as often as the options say: all else is repeated by the callers, and their
// numbers would be multiplied.
func clientOptions(client *http.Client, n network.Options) *service.ClientOptions {
	return &service.ClientOptions{ClientOptions: policy.ClientOptions{
		Transport: &http.Client{
			Transport: network.Answers(network.Objects(client.Transport, lists), harmless), CheckRedirect: network.NotFollowed,
		},
		PerCallPolicies: []policy.Policy{patience{}},
		Telemetry:       policy.TelemetryOptions{ApplicationID: "ferry"},
		Retry: policy.RetryOptions{
			MaxRetries: retries(n), RetryDelay: 200 * time.Millisecond, MaxRetryDelay: 2 * time.Second, ShouldRetry: shouldRetry,
		},
	}}
}

// retries returns how often the client repeats a request; below 0 means never.
func retries(n network.Options) int32 {
	if most := min(n.Tries()-1, 2); most > 0 {
		return int32(most)
	}
	return -1
}

// shouldRetry reports whether the client is to repeat a request, after an answer or an error.
func shouldRetry(answer *http.Response, err error) bool {
	if err != nil {
		return true
	}
	failed := answer.StatusCode >= http.StatusBadRequest && answer.StatusCode != http.StatusNotImplemented
	return failed && objects.MayPass(answer.StatusCode) && harmless(answer.Request)
}

// harmless reports whether a request only sends a block, which nobody sees before the blocks are
// committed.
func harmless(q *http.Request) bool { return q.URL.Query().Get("comp") == "block" }

// lists reports whether a request asks for a list.
func lists(q *http.Request) bool { return q.URL.Query().Get("comp") == "list" }

// patience lets the answer to a change be the result also when its context has ended meanwhile: the
// client would drop it.
type patience struct{}

// Do implements policy.Policy.
func (patience) Do(req *policy.Request) (*http.Response, error) {
	if network.Looks(req.Raw().Method) || harmless(req.Raw()) {
		return req.Next()
	}
	ctx, release := network.Patient(req.Raw().Context())
	defer release() // the answer to a change is read before it is returned
	return req.WithContext(ctx).Next()
}

// endpoint returns the URL of the account.
func (o *Options) endpoint() (string, error) {
	s := o.Endpoint
	if s == "" {
		if o.Account == "" {
			return "", errors.New("azureblob: option account is missing")
		}
		s = "https://" + o.Account + ".blob.core.windows.net"
	}
	if !strings.Contains(s, "://") {
		s = "https://" + s
	}
	u, err := url.Parse(s)
	if err != nil || u.Host == "" {
		return "", errors.New("azureblob: option endpoint is not the URL of a server: https://host:port")
	}
	return strings.TrimSuffix(u.String(), "/") + "/", nil
}

// hostOf returns the host of a URL whose query may be secret.
func hostOf(serviceURL string) string {
	u, err := url.Parse(serviceURL)
	if err != nil {
		return "the service"
	}
	return u.Host
}

// source returns the URL by which the service itself can read b, and the header that lets it. What
// proves the right is part of the URL, or is the header.
func (a *account) source(ctx context.Context, b *blob.Client) (sourceURL string, header *string, err error) {
	switch {
	case a.signed:
		return b.URL(), nil, nil
	case a.sharedKey:
		signed, err := b.GetSASURL(sas.BlobPermissions{Read: true}, time.Now().UTC().Add(sourceTime), nil)
		if err != nil {
			return "", nil, errors.New("azureblob: a URL cannot be signed with this key")
		}
		return signed, nil, nil
	case a.token != nil:
		token, err := a.token.Token(ctx)
		if err != nil {
			return "", nil, a.translate(err)
		}
		bearer := "Bearer " + token.Value
		return b.URL(), &bearer, nil
	}
	return "", nil, remote.ErrUnsupported
}
