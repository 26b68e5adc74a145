package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
)

// A suite is one table: what is served, by whom, and the work that is measured.
type suite struct {
	name      string // as in -suite
	kinds     func() []kind
	workloads func() []workload
	full      func() scale
	quick     func() scale
	layout    func(ctx context.Context, b *bench) error // makes what is served: b.top, b.root
	served    func(b *bench) string                     // says what that is
	calls     bool                                      // system calls are counted
	apart     bool                                      // runs when it is named, or a row of it
	readOnly  bool                                      // nothing can be stored
}

// suites lists them in the order of README.md.
func suites() []suite {
	return []suite{
		{
			name: "local", kinds: localKinds, workloads: localWorkloads, full: localFull, quick: localQuick, layout: layoutLocal,
			served: func(b *bench) string { return fileSystem(b.root) + ", caches warm" }, calls: true,
		},
		{
			name: "s3", kinds: farKinds, workloads: farWorkloads, full: farFull, quick: farQuick, layout: layoutFar,
			served: func(b *bench) string { return b.far.String() },
		},
		{
			name: "scale", kinds: curveKinds, workloads: curveWorkloads, full: curveFull, quick: curveQuick, layout: layoutCurves, apart: true,
			served: func(b *bench) string { return fileSystem(b.root) + ", caches warm" },
		},
		{
			name: "watched", kinds: watchedKinds, workloads: watchedWorkloads, full: localFull, quick: localQuick, layout: layoutLocal, apart: true,
			served: func(b *bench) string { return fileSystem(b.root) + ", caches warm" },
		},
		{
			name: "crypt", kinds: cryptKinds, workloads: cryptWorkloads, full: cryptFull, quick: cryptQuick, layout: layoutCrypt, apart: true,
			served: func(b *bench) string { return b.far.String() },
		},
		{
			name: "s3-scale", kinds: farKinds, workloads: phantomWorkloads, full: phantomFull, quick: phantomQuick, layout: layoutPhantom, apart: true, readOnly: true,
			served: func(b *bench) string { return b.far.String() },
		},
	}
}

// chosen returns the suites of a command line that have a row and a server in it.
func chosen(o options) ([]suite, error) {
	var all []suite
	for _, s := range suites() {
		want := list(o.suites)
		if slices.Contains(want, s.name) || want == nil && (!s.apart || o.rows != "") {
			all = append(all, s)
		}
	}
	for _, check := range []struct {
		flag, value string
		known       func(suite) []string
	}{
		{"suite", o.suites, func(s suite) []string { return []string{s.name} }},
		{"rows", o.rows, suite.workloadNames},
		{"servers", o.servers, suite.kindNames},
	} {
		for _, name := range list(check.value) {
			if !slices.ContainsFunc(all, func(s suite) bool { return slices.Contains(check.known(s), name) }) {
				return nil, fmt.Errorf("-%s: there is no %q; there are %s", check.flag, name, strings.Join(namesOf(suites(), check.known), ", "))
			}
		}
		if want := list(check.value); want != nil {
			all = slices.DeleteFunc(all, func(s suite) bool {
				return !slices.ContainsFunc(check.known(s), func(name string) bool { return slices.Contains(want, name) })
			})
		}
	}
	if len(all) == 0 {
		return nil, fmt.Errorf("no suite has such rows and servers")
	}
	return all, nil
}

// namesOf lists what the suites know of something, each name once.
func namesOf(all []suite, known func(suite) []string) []string {
	var names []string
	for _, s := range all {
		for _, name := range known(s) {
			if !slices.Contains(names, name) {
				names = append(names, name)
			}
		}
	}
	return names
}

func (s suite) workloadNames() []string {
	var names []string
	for _, w := range s.workloads() {
		names = append(names, w.name)
	}
	return names
}

func (s suite) kindNames() []string {
	var names []string
	for _, k := range s.kinds() {
		names = append(names, k.name)
	}
	return names
}
