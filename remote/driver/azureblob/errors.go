package azureblob

import (
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/bloberror"

	"ferry/remote"
	"ferry/remote/driver/azureblob/entra"
	"ferry/remote/driver/internal/objects"
	"ferry/remote/network"
)

// translate turns what the client reports into an error of package remote, in one line. No URL
// stays in it: they may be signed.
func (a *account) translate(err error) error {
	if err == nil {
		return nil
	}
	var refused *entra.RefusedError
	if errors.As(err, &refused) {
		return fmt.Errorf("%s: the credentials are refused (%s), check their options: %w", a.host, refused.Code, remote.ErrPermission)
	}
	var answer *azcore.ResponseError
	if errors.As(err, &answer) {
		return a.translateAnswer(answer)
	}
	return oneLine{network.Plain(a.host, "the options account and endpoint", err)}
}

// oneLine shows an error in one line: that no identity was found is told in many.
type oneLine struct{ error }

func (e oneLine) Error() string { return strings.Join(strings.Fields(e.error.Error()), " ") }

func (e oneLine) Unwrap() error { return e.error }

func (a *account) translateAnswer(answer *azcore.ResponseError) error {
	means := sentinel(answer.StatusCode, bloberror.Code(answer.ErrorCode))
	if means == nil {
		err := fmt.Errorf("%s answers %d %s", a.host, answer.StatusCode, answer.ErrorCode)
		switch answer.StatusCode {
		case http.StatusConflict, http.StatusPreconditionFailed: // somebody else holds it, or changes it
			return err
		}
		if objects.MayPass(answer.StatusCode) {
			return err
		}
		return remote.Final(err)
	}
	remedy := ""
	switch bloberror.Code(answer.ErrorCode) {
	case bloberror.AuthenticationFailed, bloberror.AuthorizationFailure, bloberror.InvalidAuthenticationInfo:
		remedy = ", check the options for the account and its key, sas_url or identity"
	case bloberror.ContainerNotFound:
		remedy = ", create the container, or correct the path of the remote"
	}
	return fmt.Errorf("%s answers %d %s%s: %w", a.host, answer.StatusCode, answer.ErrorCode, remedy, means)
}

// sentinel returns what an answer means, or nil where trying again may help.
func sentinel(status int, code bloberror.Code) error {
	switch code {
	case bloberror.ContainerAlreadyExists, bloberror.BlobAlreadyExists, bloberror.ResourceAlreadyExists:
		return remote.ErrExist
	case bloberror.BlobArchived, bloberror.BlobBeingRehydrated:
		return remote.ErrArchived
	case bloberror.BlobImmutableDueToPolicy, bloberror.SnapshotsPresent, bloberror.LeaseIDMissing:
		return remote.ErrPermission
	case bloberror.BlockCountExceedsLimit, bloberror.BlockListTooLong:
		return remote.ErrTooLarge
	case bloberror.InvalidBlobType, bloberror.InvalidBlobTier:
		return remote.ErrInvalid
	case bloberror.OperationTimedOut:
		return nil
	}
	switch status {
	case http.StatusBadRequest, http.StatusRequestedRangeNotSatisfiable:
		return remote.ErrInvalid
	case http.StatusRequestEntityTooLarge:
		return remote.ErrTooLarge
	case http.StatusUnauthorized, http.StatusForbidden:
		return remote.ErrPermission
	case http.StatusNotFound:
		return remote.ErrNotExist
	case http.StatusPreconditionFailed:
		if code != bloberror.ConditionNotMet && code != bloberror.SourceConditionNotMet {
			return nil // a lease, or a copy under way
		}
		return remote.ErrChanged
	case http.StatusNotImplemented:
		return remote.ErrUnsupported
	}
	return nil
}

// hasStatus reports whether err is an answer with that status.
func hasStatus(err error, status int) bool {
	var answer *azcore.ResponseError
	return errors.As(err, &answer) && answer.StatusCode == status
}
