package check

import (
	"os"
	"os/exec"
	"strings"
	"testing"

	sigs "sigs.k8s.io/yaml"
)

// TestFerryTakesItsFlags has ferry read the arguments and variables that its containers get.
func TestFerryTakesItsFlags(t *testing.T) {
	count := 0
	for _, file := range files(t) {
		for _, o := range read(t, file) {
			if o.template == nil {
				continue
			}
			for _, c := range o.template.Spec.Containers {
				if c.Name != "ferry" {
					continue
				}
				args := c.Args
				for _, env := range c.Env {
					args = append(args, flagOf(env.Name, strings.ReplaceAll(env.Value, "$(POD_INDEX)", "0"))...)
				}
				take(t, args)
				count++
			}
		}
	}
	var compose struct {
		Services map[string]struct {
			Image       string
			Command     []string
			Environment map[string]string
		}
	}
	content, err := os.ReadFile("../../compose/compose.yaml")
	if err == nil {
		err = sigs.Unmarshal(content, &compose)
	}
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range compose.Services {
		if s.Image == "ferry" {
			args := s.Command
			for name, value := range s.Environment {
				args = append(args, flagOf(name, value)...)
			}
			take(t, args)
			count++
		}
	}
	if count != 4 {
		t.Errorf("%d containers have ferry, not 4", count)
	}
}

// flagOf is the flag that a variable stands for, none if it is not one of ferry's, or has its value
// elsewhere.
func flagOf(variable, value string) []string {
	name, is := strings.CutPrefix(variable, "FERRY_")
	if !is || value == "" {
		return nil
	}
	return []string{"--" + strings.ToLower(strings.ReplaceAll(name, "_", "-")) + "=" + value}
}

// take has ferry parse a command line.
func take(t *testing.T, args []string) {
	t.Helper()
	cmd := exec.Command("go", append(append([]string{"run", "./cmd/ferry", "serve", "ftp"}, args...), "--help")...)
	cmd.Dir = "../../.."
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%q: %v\n%s", args, err, out)
	}
}
