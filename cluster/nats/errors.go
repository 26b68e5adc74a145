package nats

import (
	"context"
	"errors"
	"fmt"
	"strings"

	natsgo "github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"ferry/cluster"
	"ferry/cluster/nats/cause"
)

// meaning returns the error of a call as this package's callers know it. ctx is that of the caller,
// who has another one than the call.
func meaning(ctx context.Context, err error) error {
	var api *jetstream.APIError
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case errors.Is(err, cluster.ErrAway), errors.Is(err, cluster.ErrConflict), errors.Is(err, cluster.ErrNoValue):
		return err
	case errors.As(err, &api) && api.Code < 500:
		return fmt.Errorf("NATS: %w", cause.Of(err)) // it has answered, and will not do it
	}
	return fmt.Errorf("%w: %w", cluster.ErrAway, cause.Of(err))
}

// lacksStream reports whether a call failed since there is no such stream.
func lacksStream(err error) bool {
	return errors.Is(err, jetstream.ErrNoStreamResponse) || errors.Is(err, jetstream.ErrStreamNotFound) || errors.Is(err, natsgo.ErrNoResponders)
}

// isConflict reports whether a key had another revision.
func isConflict(err error) bool {
	var api *jetstream.APIError
	return errors.As(err, &api) && (api.ErrorCode == jetstream.JSErrCodeStreamWrongLastSequence || api.ErrorCode == jetstream.JSErrCodeStreamWrongLastSequenceConstant)
}

// checkName refuses a name that not every engine can keep.
func checkName(kind, name string) error {
	const allowed = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_="
	if name == "" || strings.Trim(name, allowed) != "" {
		return fmt.Errorf("%q is no name of a %s", name, kind)
	}
	return nil
}
