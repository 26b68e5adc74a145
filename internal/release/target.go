package main

import (
	"fmt"
	"strings"
)

// A target is a system to build for.
type target struct{ os, arch, arm string }

// allTargets are those of a release.
const allTargets = "linux/amd64,linux/arm64,linux/armv7,darwin/amd64,darwin/arm64,windows/amd64"

func parseTargets(list string) ([]target, error) {
	var all []target
	for word := range strings.SplitSeq(list, ",") {
		system, arch, ok := strings.Cut(word, "/")
		if !ok {
			return nil, fmt.Errorf("%q is no system: write it as linux/amd64", word)
		}
		t := target{os: system, arch: arch}
		if version, isARM := strings.CutPrefix(arch, "armv"); isARM {
			t.arch, t.arm = "arm", version
		}
		all = append(all, t)
	}
	return all, nil
}

// name is that of its files.
func (t target) name() string {
	if t.arm != "" {
		return t.os + "-" + t.arch + "v" + t.arm
	}
	return t.os + "-" + t.arch
}

// packaged is the architecture in the words of .deb and .rpm packages, as nfpm takes it; "" where
// there are none.
func (t target) packaged() string {
	if t.os != "linux" {
		return ""
	}
	return t.arch + t.arm
}

func (t target) program() string {
	if t.os == "windows" {
		return "ferry.exe"
	}
	return "ferry"
}

func (t target) env() []string {
	env := []string{"CGO_ENABLED=0", "GOOS=" + t.os, "GOARCH=" + t.arch}
	if t.arm != "" {
		env = append(env, "GOARM="+t.arm)
	}
	return env
}
