package rc

import (
	"context"
	"net/http"
	"strings"
	"time"
)

// Hooks are what programs and addresses are told of, and not yet. Its methods may be called
// concurrently.
type Hooks interface {
	// Hooks returns who is told, by name.
	Hooks() []Hook
	// Undelivered returns what waits, the oldest first.
	Undelivered() []Undelivered
	// Retry has what a choice means delivered at once, Drop removes it. Both return how many there
	// were, and an error about IDs that do not exist.
	Retry(Choice) (int, error)
	Drop(Choice) (int, error)
}

// A Hook is a program or an address that is told of what happens.
type Hook struct {
	Name, Target       string
	Waiting, Dead      int
	Delivered, Dropped uint64
	Failed             uint64 // calls
	Oldest             time.Time
	Error              string // of the last call; "" = it was good
}

// Undelivered is an event that waits for a hook.
type Undelivered struct {
	ID, Hook, State, Event, Path, User, Cause string
	Since, Due                                time.Time
	Tries                                     int
}

// A Choice is of what waits: by IDs, all of a hook, or all that was given up.
type Choice struct {
	IDs  []string
	Hook string
	Dead bool
}

// HookCalls are the calls about hooks. rclone has no such calls.
func HookCalls(h Hooks) []Call {
	which := "Parameters:\n\n- id - of what hooks/ls lists; several with commas between them\n- hook - or all that waits for one\n- dead - true for what was given up: of the hook, or of all"
	return []Call{
		{Path: "hooks/ls", Title: "List what hooks are not told yet.", Access: LocalOnly, Reads: true,
			Run: func(context.Context, Params) (Params, error) { return hooksList(h), nil },
			Help: "Returns:\n\n- hooks - each with name, target, waiting, dead, delivered, failed (calls), dropped, oldest and error\n" +
				"- events - each with id, hook, state (prepared, settling, ignored, waiting or dead), event, path, user, since, due, tries and cause"},
		{Path: "hooks/retry", Title: "Tell hooks at once, also of what was given up.",
			Run: func(_ context.Context, in Params) (Params, error) { return chosen(in, "retried", h.Retry) }, Help: which},
		{Path: "hooks/drop", Title: "Drop what hooks are not told yet.",
			Run: func(_ context.Context, in Params) (Params, error) { return chosen(in, "dropped", h.Drop) }, Help: which},
	}
}

func hooksList(h Hooks) Params {
	hooks, list := []Params{}, []Params{}
	for _, one := range h.Hooks() {
		p := Params{
			"name": one.Name, "target": one.Target, "waiting": one.Waiting, "dead": one.Dead, "delivered": one.Delivered,
			"failed": one.Failed, "dropped": one.Dropped, "error": one.Error,
		}
		if !one.Oldest.IsZero() {
			p["oldest"] = one.Oldest
		}
		hooks = append(hooks, p)
	}
	for _, u := range h.Undelivered() {
		p := Params{
			"id": u.ID, "hook": u.Hook, "state": u.State, "event": u.Event, "path": u.Path, "user": u.User, "since": u.Since,
			"tries": u.Tries, "cause": u.Cause,
		}
		if !u.Due.IsZero() {
			p["due"] = u.Due
		}
		list = append(list, p)
	}
	return Params{"hooks": hooks, "events": list}
}

func chosen(in Params, word string, do func(Choice) (int, error)) (Params, error) {
	var c Choice
	var err error
	if in.Has("id") {
		text, err := in.String("id")
		if err != nil {
			return nil, err
		}
		c.IDs = strings.Split(text, ",")
	}
	if in.Has("hook") {
		if c.Hook, err = in.String("hook"); err != nil {
			return nil, err
		}
	}
	if in.Has("dead") {
		if c.Dead, err = in.Bool("dead"); err != nil {
			return nil, err
		}
	}
	if len(c.IDs) == 0 && c.Hook == "" && !c.Dead {
		return nil, badParam("which? give id, hook or dead")
	}
	n, err := do(c)
	if err != nil {
		return nil, withStatus(http.StatusNotFound, "%w", err)
	}
	return Params{word: n}, nil
}
