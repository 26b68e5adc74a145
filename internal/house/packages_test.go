package house_test

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
)

// A first build takes as long as the packages do that the program is built from. A record in
// doc/decisions says what they were.
const (
	maxPackages = 670 // in all; those of the standard library are about 215
	maxForeign  = 340 // that are neither of the standard library nor ours
)

// heavy are modules that came in by a library which named them without need, and what they cost.
var heavy = map[string]string{
	"google.golang.org/grpc":     "64 packages, and protobuf with 33",
	"google.golang.org/api":      "it brings gRPC",
	"go.opentelemetry.io":        "27 packages",
	"github.com/apache/arrow-go": "46 packages with what it brings",
	"github.com/AzureAD/microsoft-authentication-library-for-go": "22 packages",
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity":           "it brings that library",
}

func TestTheProgramIsBuiltFromFewPackages(t *testing.T) {
	cmd := exec.Command("go", "list", "-deps", "./cmd/ferry")
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	report(t, checkPackages(strings.Fields(string(out)), maxPackages, maxForeign))
}

// checkPackages compares what the program is built from with what is allowed.
func checkPackages(all []string, most, mostForeign int) []string {
	var findings []string
	foreign := 0
	for _, p := range all {
		if first, _, _ := strings.Cut(p, "/"); strings.Contains(first, ".") {
			foreign++
		}
	}
	if foreign > mostForeign {
		findings = append(findings, fmt.Sprintf("%d packages of others are in the program, at most %d may: see go list -deps ./cmd/ferry", foreign, mostForeign))
	}
	if len(all) > most {
		findings = append(findings, fmt.Sprintf("%d packages make the program, at most %d may: see go list -deps ./cmd/ferry", len(all), most))
	}
	for module, cost := range heavy {
		for _, p := range all {
			if p == module || strings.HasPrefix(p, module+"/") {
				findings = append(findings, fmt.Sprintf("%s is in the program: %s", module, cost))
				break
			}
		}
	}
	return findings
}

func TestCheckPackages(t *testing.T) {
	expect(t, checkPackages([]string{"net/http", "ferry/ftp"}, 2, 0), "")
	expect(t, checkPackages([]string{"net/http", "ferry/ftp"}, 1, 0), "2 packages make the program")
	expect(t, checkPackages([]string{"google.golang.org/grpc/codes"}, 2, 2), "google.golang.org/grpc is in the program")
	expect(t, checkPackages([]string{"google.golang.org/grpcx"}, 2, 1), "")
	expect(t, checkPackages([]string{"google.golang.org/grpcx", "net"}, 2, 0), "1 packages of others")
}
