package rcbridge

import (
	"ferry/hooks"
	"ferry/rc"
)

var _ rc.Hooks = hooked{}

// hookCalls returns the calls about hooks, none where there are none.
func hookCalls(outbox *hooks.Outbox) []rc.Call {
	if outbox == nil {
		return nil
	}
	return rc.HookCalls(hooked{outbox})
}

// hooked tells of an outbox.
type hooked struct{ *hooks.Outbox }

func (h hooked) Hooks() []rc.Hook {
	var all []rc.Hook
	for _, one := range h.Status().Hooks {
		all = append(all, rc.Hook{
			Name: one.Name, Target: one.Target, Waiting: one.Waiting, Dead: one.Dead, Delivered: one.Delivered,
			Dropped: one.Dropped, Failed: one.Failed, Oldest: one.Oldest, Error: one.LastFail,
		})
	}
	return all
}

func (h hooked) Undelivered() []rc.Undelivered {
	var all []rc.Undelivered
	for _, e := range h.List() {
		all = append(all, rc.Undelivered{
			ID: e.ID, Hook: e.Hook, State: e.State, Event: e.Event, Path: e.Path, User: e.User, Cause: e.Cause,
			Since: e.Since, Due: e.Due, Tries: e.Tries,
		})
	}
	return all
}

func (h hooked) Retry(c rc.Choice) (int, error) { return h.Outbox.Retry(hooks.Selection(c)) }

func (h hooked) Drop(c rc.Choice) (int, error) { return h.Outbox.Drop(hooks.Selection(c)) }
