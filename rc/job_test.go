package rc

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"reflect"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// waiting is a call that runs until its context ends or it is released.
func waiting(release <-chan struct{}) Call {
	return Call{Path: "x/wait", Access: Open, Run: func(ctx context.Context, in Params) (Params, error) {
		select {
		case <-release:
			return in, nil
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}}
}

func status(t *testing.T, s *Server, id string) map[string]any {
	t.Helper()
	w := request{target: "/job/status?jobid=" + id}.do(s)
	if w.Code != http.StatusOK {
		return map[string]any{"error": w.Body.String(), "code": w.Code}
	}
	return object(t, w.Body.String())
}

func ids(v any) string { return fmt.Sprint(v) }

func TestAsync(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		s, err := New(Options{Calls: []Call{waiting(release)}})
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		began := time.Now()
		w := request{target: "/x/wait?_async=true&_group=backup&a=1"}.do(s)
		out := object(t, w.Body.String())
		if w.Code != http.StatusOK || out["jobid"] != 1.0 || out["executeId"] != s.jobs.executeID || w.Header().Get("X-Rclone-Jobid") != "1" {
			t.Fatalf("%d %s %v", w.Code, w.Body, w.Header())
		}
		time.Sleep(3 * time.Second)
		want := map[string]any{
			"id": 1.0, "group": "backup", "executeId": s.jobs.executeID, "startTime": began.Format(time.RFC3339Nano), "endTime": "0001-01-01T00:00:00Z",
			"finished": false, "success": false, "error": "", "output": nil, "duration": 0.0,
		}
		if got := status(t, s, "1"); !reflect.DeepEqual(got, want) {
			t.Errorf("while it runs:\n got %v\nwant %v", got, want)
		}
		close(release)
		synctest.Wait()
		want["endTime"] = began.Add(3 * time.Second).Format(time.RFC3339Nano)
		want["finished"], want["success"], want["duration"], want["output"] = true, true, 3.0, map[string]any{"a": "1"}
		if got := status(t, s, "1"); !reflect.DeepEqual(got, want) {
			t.Errorf("afterwards:\n got %v\nwant %v", got, want)
		}
		time.Sleep(time.Minute - time.Nanosecond)
		if got := status(t, s, "1"); got["finished"] != true {
			t.Errorf("just before a minute is over: %v", got)
		}
		time.Sleep(time.Nanosecond)
		if got := status(t, s, "1"); got["code"] != 500 || !strings.Contains(got["error"].(string), "job not found") {
			t.Errorf("after a minute: %v", got)
		}
	})
}

func TestAsyncCanBeAskedForByAHeader(t *testing.T) {
	s := newServer(t, Options{})
	w := request{target: "/rc/noop?a=1", header: map[string]string{"Prefer": "wait=1, respond-async"}}.do(s)
	if w.Code != http.StatusAccepted || object(t, w.Body.String())["jobid"] != 1.0 || w.Header().Get("Preference-Applied") != "respond-async" {
		t.Errorf("%d %s %v", w.Code, w.Body, w.Header())
	}
}

func TestAsyncErrorsAreInTheStatus(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, err := New(Options{})
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		w := request{target: "/rc/error", contentType: jsonType, body: `{"_async":true,"a":1}`}.do(s)
		if w.Code != http.StatusOK {
			t.Fatalf("%d %s", w.Code, w.Body)
		}
		synctest.Wait()
		got := status(t, s, "1")
		if got["finished"] != true || got["success"] != false || got["error"] != "arbitrary error on input map[a:1]" || got["output"] != nil {
			t.Errorf("%v", got)
		}
	})
}

func TestEveryCallIsAJob(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		s, err := New(Options{Calls: []Call{waiting(release)}})
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		request{target: "/rc/noop"}.do(s)
		request{target: "/x/wait?_async=1"}.do(s)
		request{target: "/rc/error"}.do(s)
		out := object(t, request{target: "/job/list"}.do(s).Body.String())
		if ids(out["jobids"]) != "[1 2 3 4]" || ids(out["runningIds"]) != "[2 4]" || ids(out["finishedIds"]) != "[1 3]" || out["executeId"] != s.jobs.executeID {
			t.Errorf("%v", out)
		}
		if got := status(t, s, "1"); got["group"] != "job/1" || got["success"] != true {
			t.Errorf("%v", got)
		}
		time.Sleep(time.Minute)
		out = object(t, request{target: "/job/list"}.do(s).Body.String())
		if ids(out["jobids"]) != "[2 6]" {
			t.Errorf("after a minute: %v", out)
		}
	})
}

func TestJobsCanBeStopped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, err := New(Options{NoAuth: true, Calls: []Call{waiting(nil)}})
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		request{target: "/x/wait?_async=1"}.do(s)
		wantJSON(t, request{target: "/job/stop?jobid=1"}.do(s), http.StatusOK, `{}`)
		synctest.Wait()
		if got := status(t, s, "1"); got["finished"] != true || got["error"] != errStopped.Error() {
			t.Errorf("%v", got)
		}
		for _, target := range []string{"/job/stop?jobid=99", "/job/status?jobid=99"} {
			w := request{target: target}.do(s)
			if w.Code != http.StatusInternalServerError || object(t, w.Body.String())["error"] != "job not found" {
				t.Errorf("%d %s", w.Code, w.Body)
			}
		}
		for _, target := range []string{"/job/stop", "/job/status", "/job/status?jobid=x"} {
			if w := (request{target: target}).do(s); w.Code != http.StatusBadRequest {
				t.Errorf("%s: %d %s", target, w.Code, w.Body)
			}
		}
	})
}

// Close waits for what runs in the background, which is told to end; synctest fails where a
// goroutine is left.
func TestCloseEndsWhatRuns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ended := make(chan error, 1)
		s, err := New(Options{Calls: []Call{{Path: "x/slow", Access: Open, Run: func(ctx context.Context, _ Params) (Params, error) {
			<-ctx.Done()
			time.Sleep(time.Second) // it takes its time
			ended <- context.Cause(ctx)
			return nil, nil
		}}}})
		if err != nil {
			t.Fatal(err)
		}
		request{target: "/x/slow?_async=1"}.do(s)
		s.Close()
		select {
		case err := <-ended:
			if !errors.Is(err, errClosed) {
				t.Errorf("the cause is %v", err)
			}
		default:
			t.Error("Close did not wait")
		}
		if w := (request{target: "/rc/noop"}).do(s); w.Code != http.StatusInternalServerError {
			t.Errorf("after Close: %d %s", w.Code, w.Body)
		}
	})
}

// A client that goes away takes the call along that it waited for, and leaves those in the
// background.
func TestACallEndsWithItsClient(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, err := New(Options{Calls: []Call{waiting(nil)}})
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		gone, cancel := context.WithCancel(t.Context())
		_, err = s.Call(gone, "x/wait", Params{"_async": true})
		cancel()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.Call(gone, "x/wait", Params{}); !errors.Is(err, context.Canceled) {
			t.Errorf("the call that was waited for: %v", err)
		}
		synctest.Wait()
		if got := status(t, s, "1"); got["finished"] != false {
			t.Errorf("the one in the background: %v", got)
		}
	})
}

func TestJobsAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, err := New(Options{Calls: []Call{waiting(nil)}})
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		for range maxJobs + 10 {
			if w := (request{target: "/rc/noop"}).do(s); w.Code != http.StatusOK {
				t.Fatalf("what has ended is in the way of a call: %d %s", w.Code, w.Body)
			}
		}
		if n := len(s.jobs.all); n != maxJobs {
			t.Errorf("%d jobs are known", n)
		}
		if got := status(t, s, "1"); got["code"] != 500 {
			t.Errorf("the first job is still known: %v", got)
		}
		for range maxJobs {
			if w := (request{target: "/x/wait?_async=1"}).do(s); w.Code != http.StatusOK {
				t.Fatalf("what has ended is in the way of a job: %d %s", w.Code, w.Body)
			}
		}
		w := request{target: "/x/wait?_async=1"}.do(s)
		if w.Code != http.StatusInternalServerError || !strings.Contains(w.Body.String(), errJobs.Error()) {
			t.Errorf("one too many: %d %s", w.Code, w.Body)
		}
	})
}
