package azureblob

import (
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"

	"ferry/remote"
	"ferry/remote/driver/azureblob/entra"
)

func TestWhichAnswersAreAboutTheObject(t *testing.T) {
	a := &account{host: "h"}
	for status, about := range map[int]bool{413: true, 302: false, 400: false, 401: false, 403: false, 404: false, 409: false, 412: false, 429: false, 500: false, 501: false, 503: false, 511: false} {
		if got := remote.RefusesObject(a.translate(&azcore.ResponseError{StatusCode: status})); got != about {
			t.Errorf("status %d is about the object: %t", status, got)
		}
	}
	for _, code := range []string{
		"AuthenticationFailed", "AuthorizationFailure", "ContainerNotFound", "ContainerBeingDeleted", "AccountIsDisabled",
		"BlobArchived", "BlobImmutableDueToPolicy", "LeaseIdMissing", "BlobAlreadyExists",
	} {
		if remote.RefusesObject(a.translate(&azcore.ResponseError{StatusCode: 409, ErrorCode: code})) {
			t.Errorf("%s is about the object", code)
		}
	}
	if remote.RefusesObject(a.translate(&entra.RefusedError{Code: "invalid_client"})) {
		t.Error("refused credentials are about the object")
	}
}
