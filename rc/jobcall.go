package rc

import (
	"context"
	"slices"
)

// jobCalls are job/*: the status of calls in the background, and of others.
func (s *Server) jobCalls() []Call {
	return []Call{
		{Path: "job/list", Title: "List the jobs.", Access: Open, Run: s.jobs.list,
			Help: "Every call is a job; with _async=true it runs in the background. A job is known for 60 seconds after its end.\n\nReturns:\n\n" +
				"- executeId - which run of the server these are the jobs of\n- jobids, runningIds, finishedIds"},
		{Path: "job/status", Title: "Tell what became of a job.", Access: Open, Run: s.jobs.describe,
			Help: "Parameters:\n\n- jobid - the number of the job\n\nReturns:\n\n- id, executeId, group\n- startTime, endTime, duration (seconds)\n" +
				"- finished, success, error\n- output - the results of the call"},
		{Path: "job/stop", Title: "Stop a job.", Run: s.jobs.stop,
			Help: "Parameters:\n\n- jobid - the number of the job"},
	}
}

func (js *jobs) list(context.Context, Params) (Params, error) {
	js.mu.Lock()
	defer js.mu.Unlock()
	js.forget(maxJobs)
	all, running, finished := []int64{}, []int64{}, []int64{}
	for id, j := range js.all {
		all = append(all, id)
		if j.ended.IsZero() {
			running = append(running, id)
		} else {
			finished = append(finished, id)
		}
	}
	slices.Sort(all)
	slices.Sort(running)
	slices.Sort(finished)
	return Params{"executeId": js.executeID, "jobids": all, "runningIds": running, "finishedIds": finished}, nil
}

func (js *jobs) describe(_ context.Context, in Params) (Params, error) {
	js.mu.Lock()
	defer js.mu.Unlock()
	js.forget(maxJobs)
	j, err := js.find(in)
	if err != nil {
		return nil, err
	}
	out := j.status()
	out["executeId"] = js.executeID
	return out, nil
}

func (js *jobs) stop(_ context.Context, in Params) (Params, error) {
	js.mu.Lock()
	defer js.mu.Unlock()
	js.forget(maxJobs)
	j, err := js.find(in)
	if err != nil {
		return nil, err
	}
	j.cancel(errStopped)
	return nil, nil
}
