package rc

import (
	"context"
	"os"
	"runtime"
	"runtime/debug"
)

// Core is the interface of core/* to the program.
type Core struct {
	Version string // as in v1.2.3
	// Obscure obscures a password for the configuration. nil: there is no core/obscure.
	Obscure func(clear string) string
	// Quit makes the program shut down with that exit status, and returns at once. nil: there is no
	// core/quit.
	Quit func(status int)
	// Drain takes the program out of service. nil: there is no core/drain.
	Drain Drainer
}

// CoreCalls are the calls about the process.
func CoreCalls(c Core) []Call {
	calls := []Call{
		{Path: "core/version", Title: "Show the version of the program and the system.", Access: Open,
			Run:  func(context.Context, Params) (Params, error) { return versionInfo(c.Version), nil },
			Help: "Returns:\n\n- version, decomposed, isGit, isBeta\n- os, osVersion, osKernel, osArch\n- arch, goVersion, linking, goTags"},
		{Path: "core/pid", Title: "Show the number of the process.", Run: pid,
			Help: "Returns:\n\n- pid"},
		{Path: "core/memstats", Title: "Show how much memory is used.", Run: memStats,
			Help: "Returns fields of runtime.MemStats of Go, among them HeapAlloc (bytes in use) and Sys (bytes from the system)."},
		{Path: "core/gc", Title: "Collect garbage.", Run: collectGarbage,
			Help: "Collects garbage and returns free memory to the system."},
	}
	if c.Obscure != nil {
		calls = append(calls, Call{Path: "core/obscure", Title: "Obscure a password for the configuration.", Run: c.obscure,
			Help: "Parameters:\n\n- clear - the password\n\nReturns:\n\n- obscured"})
	}
	if c.Quit != nil {
		calls = append(calls, Call{Path: "core/quit", Title: "End the program.", Run: c.quit,
			Help: "Ends the program as SIGTERM does: running transfers may finish.\n\nParameters:\n\n- exitCode - its exit status (0)"})
	}
	if c.Drain != nil {
		calls = append(calls, drainCalls(c.Drain)...)
	}
	return calls
}

func pid(context.Context, Params) (Params, error) { return Params{"pid": os.Getpid()}, nil }

func collectGarbage(context.Context, Params) (Params, error) {
	debug.FreeOSMemory()
	return nil, nil
}

func memStats(context.Context, Params) (Params, error) {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return Params{
		"Alloc": m.Alloc, "TotalAlloc": m.TotalAlloc, "Sys": m.Sys, "Mallocs": m.Mallocs, "Frees": m.Frees,
		"HeapAlloc": m.HeapAlloc, "HeapSys": m.HeapSys, "HeapIdle": m.HeapIdle, "HeapInuse": m.HeapInuse,
		"HeapReleased": m.HeapReleased, "HeapObjects": m.HeapObjects, "StackInuse": m.StackInuse, "StackSys": m.StackSys,
		"MSpanInuse": m.MSpanInuse, "MSpanSys": m.MSpanSys, "MCacheInuse": m.MCacheInuse, "MCacheSys": m.MCacheSys,
		"BuckHashSys": m.BuckHashSys, "GCSys": m.GCSys, "OtherSys": m.OtherSys,
	}, nil
}

func (c Core) obscure(_ context.Context, in Params) (Params, error) {
	password, err := in.String("clear")
	if err != nil {
		return nil, err
	}
	return Params{"obscured": c.Obscure(password)}, nil
}

func (c Core) quit(_ context.Context, in Params) (Params, error) {
	status, err := optional(Params.Int64, in, "exitCode")
	if err != nil {
		return nil, err
	}
	if status < 0 || status > 255 {
		return nil, badParam("exitCode %d is not between 0 and 255", status)
	}
	c.Quit(int(status))
	return nil, nil
}
