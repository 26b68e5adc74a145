package rc

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"slices"
	"time"
)

// A Keeper is a Tree that keeps files refused permanently by the remote. Its methods return
// fs.ErrNotExist if there is no such file.
type Keeper interface {
	Refused() ([]Refused, error)
	Retry(id string) error
	Drop(id string) error
	// Export writes the content to a new local file.
	Export(id, to string) error
}

// A Refused is an accepted file that cannot be uploaded.
type Refused struct {
	ID     string
	Name   string
	Size   int64
	Since  time.Time // when it was accepted
	Reason string
}

// refused returns the files refused permanently by the remote; none without a cache.
func refused(_ context.Context, t Tree, _ Params) (Params, error) {
	list := []Params{}
	if k, ok := t.(Keeper); ok {
		all, err := k.Refused()
		if err != nil {
			return nil, err
		}
		for _, r := range all {
			list = append(list, Params{"id": r.ID, "name": r.Name, "size": r.Size, "since": r.Since.Format(time.RFC3339), "reason": r.Reason})
		}
	}
	return Params{"refused": list}, nil
}

// onRefused makes a treeCall from an operation on one refused file.
func onRefused(do func(k Keeper, id string, in Params) error) treeCall {
	return func(_ context.Context, t Tree, in Params) (Params, error) {
		k, ok := t.(Keeper)
		if !ok {
			return nil, withStatus(http.StatusBadRequest, "%w", errNoCache)
		}
		id, err := in.String("id")
		if err != nil {
			return nil, err
		}
		err = do(k, id, in)
		if errors.Is(err, fs.ErrNotExist) {
			return nil, fmt.Errorf("no refused file has the id %q: see cache/ls", id)
		}
		return nil, err
	}
}

func retryRefused(k Keeper, id string, _ Params) error { return k.Retry(id) }

// retry makes one refused file, or all, pending again. With all, superseded ones stay refused.
func retry(ctx context.Context, t Tree, in Params) (Params, error) {
	all, err := optional(Params.Bool, in, "all")
	if err != nil || !all {
		return onRefused(retryRefused)(ctx, t, in)
	}
	k, ok := t.(Keeper)
	if !ok {
		return nil, withStatus(http.StatusBadRequest, "%w", errNoCache)
	}
	list, err := k.Refused()
	if err != nil {
		return nil, err
	}
	retried, left := []string{}, Params{}
	for _, r := range slices.Backward(list) { // of several with one name the newest
		if err := k.Retry(r.ID); err != nil {
			left[r.ID] = err.Error()
		} else {
			retried = append(retried, r.ID)
		}
	}
	return Params{"retried": retried, "left": left}, nil
}

func dropRefused(k Keeper, id string, _ Params) error { return k.Drop(id) }

func exportRefused(k Keeper, id string, in Params) error {
	to, err := in.String("to")
	if err != nil {
		return err
	}
	return k.Export(id, to)
}

// RefusedCalls are the calls about files that a remote refused permanently.
func RefusedCalls(trees Trees) []Call {
	return []Call{
		{Path: "cache/ls", Title: "List the files that the remote refused for good.", Access: LocalOnly, Reads: true, Run: treeCall(refused).on(trees),
			Help: "Parameters:\n" + fsHelp + "\n\nReturns:\n\n- refused - each with id, name, size, since, reason"},
		{Path: "cache/retry", Title: "Try to upload a refused file again, or all of them.", Run: treeCall(retry).on(trees),
			Help: "Parameters:\n" + fsHelp + "\n- id - of a file in cache/ls\n- all=true - all of them, instead of id\n\nReturns with all:\n\n" +
				"- retried - the ids\n- left - the ids of the others, each with the reason"},
		{Path: "cache/drop", Title: "Delete a refused file.", Run: onRefused(dropRefused).on(trees),
			Help: "Its content is lost.\n\nParameters:\n" + fsHelp + "\n- id - of a file in cache/ls"},
		{Path: "cache/export", Title: "Write a refused file to a file of the server's machine.", Run: onRefused(exportRefused).on(trees),
			Help: "Parameters:\n" + fsHelp + "\n- id - of a file in cache/ls\n- to - the path of the new file"},
	}
}
