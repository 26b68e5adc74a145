# make test    everything a change must pass: format, vet, staticcheck, other systems, tests with real FTP clients
# make build   ./ferry
# make quick   the inner loop, below a minute: short tests, no servers, no race detector
# make lint    format, vet, staticcheck, spelling, known vulnerabilities and the rules of the code only
# make fuzz    each fuzz target for FUZZTIME, 60 seconds
# make package packages, archives and a bill of materials in dist/, for every system
# make notes   what is in changelog/unreleased as release notes
# make soak    the tests of the cache that find rare things, for an hour
# make pictures   the pictures of the page, for README

SHELL       := /bin/bash
.SHELLFLAGS := -euo pipefail -c
MAKEFLAGS   += --no-print-directory
.DEFAULT_GOAL := build

STATICCHECK := honnef.co/go/tools/cmd/staticcheck@v0.8.2
MISSPELL    := github.com/golangci/misspell/cmd/misspell@v0.8.0
GOVULNCHECK := golang.org/x/vuln/cmd/govulncheck@v1.9.0

# What looks at the code has it compiled as internal/release does, whose test then finds it compiled, wherever
# the clone is; the tools are compiled so, too.
AS_RELEASED := CGO_ENABLED=0 GOFLAGS="$$(go env GOFLAGS) -trimpath"

# How long make fuzz runs each target, and which packages it looks for them in.
FUZZTIME := 60s
FUZZ     := ./...

# What the tests drive as clients, as program:package. A test whose program is missing skips and names it.
CLIENTS := curl:curl lftp:lftp ncftpput:ncftp tnftp:tnftp python3:python3 openssl:openssl php:php-cli perl:perl
# What drivers of remotes are tested against, as file:package; the file is looked for where its package puts it.
SERVERS := /usr/lib/openssh/sftp-server:openssh-sftp-server /usr/sbin/apache2:apache2-bin /usr/sbin/nginx:nginx /usr/bin/caddy:caddy /usr/sbin/clamd:clamav-daemon /usr/sbin/smbd:samba
# What programs of the tests use, in the same form.
MODULES := /usr/share/perl5/IO/Socket/SSL.pm:libio-socket-ssl-perl /usr/lib/cgi-bin/awstats.pl:awstats
# The race detector needs a C compiler; the emulator of Azure and a client are packages of npm, which
# their tests install.
PROGRAMS := gcc:gcc chromium:chromium systemd-analyze:systemd npm:npm promtool:prometheus fail2ban-regex:fail2ban haproxy:haproxy webalizer:webalizer $(CLIENTS)

.PHONY: build test quick lint fuzz soak package notes deps format vet staticcheck spell vuln house cross modules servers unit pictures

build:
	go build -o ferry ./cmd/ferry

test: deps lint cross modules servers unit

quick: format
	go test -short ./...

lint: format vet staticcheck spell vuln house

# Installs what is missing where that is possible; elsewhere says what will be skipped. The build machine (CI is set)
# must have everything.
deps:
	@missing=(); \
	for p in $(PROGRAMS); do command -v "$${p%%:*}" >/dev/null || missing+=("$${p##*:}"); done; \
	for p in $(SERVERS) $(MODULES); do [[ -e $${p%%:*} ]] || missing+=("$${p##*:}"); done; \
	if (( $${#missing[@]} == 0 )); then exit 0; fi; \
	if (( $$(id -u) == 0 )) && command -v apt-get >/dev/null; then \
		echo "deps: installing $${missing[*]}"; \
		export DEBIAN_FRONTEND=noninteractive; \
		apt-get update -qq </dev/null && \
		apt-get install -y -qq --no-install-recommends "$${missing[@]}" libc6-dev </dev/null >/dev/null && exit 0; \
	fi; \
	echo "deps: missing: $${missing[*]}. Tests that need them are skipped; install them, or run as root where apt-get works."; \
	[[ -z $${CI-} ]]

format:
	@bad=$$(gofmt -l .); if [[ -n $$bad ]]; then echo "gofmt would change:"; echo "$$bad"; exit 1; fi

vet:
	$(AS_RELEASED) go vet ./...

staticcheck:
	$(AS_RELEASED) go run $(STATICCHECK) ./...

# The rules of the code as tests, and the tests of cross. Nothing in them runs beside anything else, so the race
# detector would only make them slow.
house:
	$(AS_RELEASED) go test -vet=off -shuffle=on -timeout 10m ./internal/house ./internal/systems

# Comments of Go files, and all of the documents.
spell:
	@find . -path ./bench/work -prune -o -type f \( -name '*.go' -o -name '*.md' -o -name Makefile -o -path './.ci/*' \) -print0 | \
	$(AS_RELEASED) xargs -0 go run $(MISSPELL) -error

# What is known to be vulnerable and is called. Where the database cannot be reached that is said, and nothing fails.
vuln:
	@out=$$($(AS_RELEASED) go run $(GOVULNCHECK) ./... 2>&1) && { echo "$$out"; exit 0; }; echo "$$out" >&2; \
	[[ $$out == *'fetching vulnerabilities: '* ]] && echo "vuln: NOT CHECKED: the database cannot be reached."

# The code for other systems must have the right types, its tests included.
cross:
	$(AS_RELEASED) go run ./internal/systems darwin/arm64 windows/amd64 linux/arm64

# Modules of their own, so that nothing else depends on what they use: pictures of bench, and types of Kubernetes.
modules:
	cd bench/draw && go vet ./... && go test ./...
	cd contrib/kubernetes/check && go vet ./... && go test ./...

# Servers that are Go programs are built by the tests that need them, once; here without their time limit. These are
# the binaries of tests that unit runs.
servers:
	go test -race -vet=off -timeout 30m -run '^(TestTheGatewayCanBeBuilt|TestTheFakeCanBeBuilt)$$' ./remote/driver/s3 ./remote/driver/gcs

# vet has seen them all. Tests that mostly wait run four at a time, and one package more than there are cores
# for, as most packages wait, too.
# A package that fails may get a second run: doc/decisions/0016-second-runs.md.
unit:
	.ci/unit -race -vet=off -shuffle=on -parallel 4 -p $$(( $$(getconf _NPROCESSORS_ONLN) + 1 )) -timeout 20m

# What a target finds it writes to testdata/fuzz of its package: mend it, and commit that file with the mend. There is none
# where nothing was found.
fuzz:
	@go list -f '{{.ImportPath}} {{.Dir}}' $(FUZZ) | while read -r package dir; do \
		{ grep -ho '^func Fuzz[A-Za-z0-9_]*' "$$dir"/*_test.go 2>/dev/null || true; } | while read -r _ target; do \
			echo "fuzz: $$target in $$package"; \
			go test -run '^$$' -fuzz "^$$target\$$" -fuzztime $(FUZZTIME) "$$package" </dev/null; \
		done; \
	done

# What make test does for seconds, for long: the contracts of remotes that are made of others on each server, every crash, random histories, also over a network that loses answers, ferry
# killed 400 times over each kind of server in each mode, also while hooks are told, trees of 2,000 files on each of them, 15 GiB through a cache of 256 MiB, what is superseded on its
# way, ten minutes of a bad network for each kind of server in each mode, 10,000 random policies, and 100,000 random
# sessions, which must leave no descriptor, goroutine or memory behind; and three nodes that are killed for 20 minutes under 24 clients, and
# through which uploads are cut and continued 100 times.
soak:
	FERRY_TEST_SUITES=full go test -race -count=1 -timeout 1h -v -run 'TestSuites' ./registry
	FERRY_TEST_SUITES=full go test -race -count=1 -timeout 1h -run 'Upstreams|TestUploads' ./remote/driver/union
	FERRY_TEST_CRASH=full FERRY_MODEL_MINUTES=30 FERRY_TEST_QUOTA=full go test -count=1 -timeout 3h -v -run 'Crash|Kill|Power|Model|Histories|Quota' ./cache ./vfs
	FERRY_KILLS=400 FERRY_FILES=2000 FERRY_FAR_TIMES=8 go test -count=1 -timeout 4h -v -run 'KilledFerry|TestTreeInEveryMode|Superseded|TestARename' ./test
	FERRY_CUTS=100 go test -count=1 -timeout 1h -v -run 'ContinuedElsewhere' ./test
	FERRY_CLUSTER_MINUTES=20 FERRY_CLUSTER_FILES=1000 go test -count=1 -parallel 1 -timeout 1h -v -run 'TestACluster' ./test
	FERRY_FAR_TIMES=200 go test -count=1 -parallel 8 -timeout 4h -v -run 'TestHistoriesOverABadNetwork' ./test
	FERRY_TWO_NODES=20000 go test -count=1 -timeout 2h -run 'TestTwoNodes' ./writeback
	FERRY_WORLDS=10000 go test -count=1 -timeout 2h -v -run 'Agree' ./serve/access
	FERRY_WORLDS=5000 go test -count=1 -timeout 2h -v -run 'TestHistories' ./serve/defence ./serve/presence ./serve/quota
	FERRY_BUILD_RCLONE=1 go test -count=1 -timeout 1h -v -run 'SharedWithRclone' ./remote/driver/crypt ./remote/driver/chunker
	FERRY_SESSIONS=100000 go test -count=1 -timeout 2h -v -run 'TestSessionsLeaveNothing' ./test

# Two runs on one commit make the same bytes. VERSION=1.2.3 names a release.
package:
	go run ./internal/release package -version "$(VERSION)"

notes:
	@go run ./internal/release notes -version "$(VERSION)"

# The page as a browser shows it, of a ferry that serves some clients.
pictures:
	FERRY_PICTURES=$(CURDIR)/doc/images go test -count=1 -run '^TestPictures$$' ./test
