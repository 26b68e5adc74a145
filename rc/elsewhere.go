package rc

import "context"

// ElsewhereCalls are the calls about other nodes of a cluster. sessions returns how many sessions
// users and addresses have there. rclone has no such calls.
func ElsewhereCalls(sessions func() (users, addresses map[string]int)) []Call {
	if sessions == nil {
		return nil
	}
	return []Call{{Path: "cluster/sessions", Title: "Count the sessions at other nodes of those whose number is limited.", Reads: true,
		Run: func(context.Context, Params) (Params, error) {
			users, addresses := sessions()
			return Params{"users": users, "addresses": addresses}, nil
		},
		Help: "Returns:\n\n- users - by name\n- addresses - by address; an IPv6 network of 64 bits is one"}}
}
