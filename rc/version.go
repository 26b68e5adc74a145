package rc

import (
	"os"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
)

// versionInfo describes a version and its platform. A version with a suffix after its three numbers
// is not a release.
func versionInfo(version string) Params {
	numbers, suffix := splitVersion(version)
	linking, tags := buildInfo()
	return Params{
		"version": version, "decomposed": numbers, "isGit": suffix, "isBeta": suffix,
		"os": runtime.GOOS, "osVersion": osVersion(), "osKernel": osKernel(), "osArch": runtime.GOARCH,
		"arch": runtime.GOARCH, "goVersion": runtime.Version(), "linking": linking, "goTags": tags,
	}
}

// splitVersion returns the three numbers of v1.2.3-x, 0 for each missing one, and whether there is
// a suffix.
func splitVersion(version string) (numbers [3]int64, more bool) {
	release, _, more := strings.Cut(strings.TrimPrefix(version, "v"), "-")
	release, _, build := strings.Cut(release, "+")
	parts := strings.Split(release, ".")
	for i := range min(len(parts), len(numbers)) {
		n, err := strconv.ParseInt(parts[i], 10, 32)
		if err != nil {
			return [3]int64{}, true
		}
		numbers[i] = n
	}
	return numbers, more || build || len(parts) != len(numbers)
}

// buildInfo returns how the program was linked and its build tags.
func buildInfo() (linking, tags string) {
	linking, tags = "static", "none"
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return linking, tags
	}
	for _, s := range info.Settings {
		switch {
		case s.Key == "CGO_ENABLED" && s.Value == "1":
			linking = "dynamic"
		case s.Key == "-tags" && s.Value != "":
			tags = s.Value
		}
	}
	return linking, tags
}

// osVersion returns the name and version of a Linux distribution, elsewhere the name of the system.
func osVersion() string {
	text, err := os.ReadFile("/etc/os-release")
	if err != nil {
		return runtime.GOOS
	}
	for line := range strings.Lines(string(text)) {
		if name, ok := strings.CutPrefix(line, "PRETTY_NAME="); ok {
			return strings.Trim(strings.TrimSpace(name), `"'`)
		}
	}
	return runtime.GOOS
}

// osKernel returns the version of a Linux kernel, elsewhere nothing.
func osKernel() string {
	text, err := os.ReadFile("/proc/sys/kernel/osrelease")
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(text))
}
