package metrics_test

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"ferry/metrics"
)

const (
	rulesFile     = "../contrib/prometheus/alerts.yml"
	casesFile     = "../contrib/prometheus/alerts_test.yml"
	dashboardFile = "../contrib/grafana/ferry.json"
)

// everything are Metrics in which each one has a value.
func everything(t *testing.T) *metrics.Metrics {
	t.Helper()
	m := metrics.New(metrics.Options{Snapshot: full, Users: true, Commands: []string{"RETR"}})
	record(t, m, happened...)
	r := m.Remote("s3")
	r.Called("stat", "ok", time.Second)
	r.Moved(1, 1)
	m.Hook("mail", "ok", time.Second)
	return m
}

// labelsOf returns the metrics that there are, each with its labels.
func labelsOf(t *testing.T, m *metrics.Metrics) map[string]map[string]bool {
	t.Helper()
	series := regexp.MustCompile(`^([a-z_]+)(?:\{(.*)\})? `)
	label := regexp.MustCompile(`([a-z_]+)="`)
	all := map[string]map[string]bool{"up": {}}
	for _, line := range shown(t, m) {
		s := series.FindStringSubmatch(line)
		if s == nil {
			continue
		}
		if all[s[1]] == nil {
			all[s[1]] = map[string]bool{"job": true, "instance": true}
		}
		for _, l := range label.FindAllStringSubmatch(s[2], -1) {
			all[s[1]][l[1]] = true
		}
	}
	all["up"] = map[string]bool{"job": true, "instance": true}
	return all
}

// readRules returns the expressions of the alerts by name.
func readRules(t *testing.T) map[string]string {
	t.Helper()
	text := readFile(t, rulesFile)
	rule := regexp.MustCompile(`- alert: (\w+)\n\s+expr: (.*)\n`)
	all := map[string]string{}
	for _, m := range rule.FindAllStringSubmatch(text, -1) {
		all[m[1]] = m[2]
	}
	if n := strings.Count(text, "alert: "); n != len(all) || n == 0 {
		t.Fatalf("%d of %d rules have an expression of one line", len(all), n)
	}
	return all
}

// readDashboard returns its expressions, each with a name.
func readDashboard(t *testing.T) map[string]string {
	t.Helper()
	var tree any
	if err := json.Unmarshal([]byte(readFile(t, dashboardFile)), &tree); err != nil {
		t.Fatal(err)
	}
	all := map[string]string{}
	var walk func(any)
	walk = func(v any) {
		switch v := v.(type) {
		case map[string]any:
			if expr, ok := v["expr"].(string); ok {
				expr = strings.NewReplacer("$__rate_interval", "5m", "$instance", ".*").Replace(expr)
				all[fmt.Sprintf("dashboard%d", len(all))] = expr
			}
			for _, below := range v {
				walk(below)
			}
		case []any:
			for _, below := range v {
				walk(below)
			}
		}
	}
	walk(tree)
	if len(all) < 40 {
		t.Fatalf("the dashboard has only %d expressions", len(all))
	}
	return all
}

func readFile(t *testing.T, name string) string {
	t.Helper()
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// What is shipped names metrics that there are, with labels that they have, and no metric of
// ferry's own is missing on the dashboard.
func TestWhatIsShippedNamesMetricsThatThereAre(t *testing.T) {
	have := labelsOf(t, everything(t))
	named := regexp.MustCompile(`\b((?:ferry|process|go)_[a-z_]+|up)\b(?:\{([^}]*)\})?`)
	label := regexp.MustCompile(`(\w+)(?:=|!=)~?"`)
	shownThere := map[string]bool{}
	check := func(where, expr string) {
		found := named.FindAllStringSubmatch(expr, -1)
		if len(found) == 0 {
			t.Errorf("%s: no metric in %s", where, expr)
		}
		for _, m := range found {
			labels, ok := have[m[1]]
			if !ok {
				t.Errorf("%s: there is no metric %s", where, m[1])
			}
			for _, l := range label.FindAllStringSubmatch(m[2], -1) {
				if ok && !labels[l[1]] {
					t.Errorf("%s: %s has no label %s", where, m[1], l[1])
				}
			}
			shownThere[strings.TrimSuffix(m[1], "_bucket")] = true
		}
	}
	for name, expr := range readDashboard(t) {
		check(name, expr)
	}
	manual := readFile(t, "../doc/operations.md")
	hidden := []string{"ferry_build_info", "ferry_config_reloads_total"} // for alerts and the list of servers
	for name := range have {
		base := regexp.MustCompile(`_(bucket|sum|count)$`).ReplaceAllString(name, "")
		if strings.HasPrefix(name, "ferry_") && !strings.Contains(manual, "`"+base+"`") {
			t.Errorf("doc/operations.md does not have %s", base)
		}
		if strings.HasPrefix(name, "ferry_") && !shownThere[base] && !slices.Contains(hidden, name) {
			t.Errorf("the dashboard does not show %s", name)
		}
	}
	for name, expr := range readRules(t) {
		check(name, expr)
	}
}

// What the page names beside its figures are metrics that there are.
func TestThePageNamesMetrics(t *testing.T) {
	have := labelsOf(t, everything(t))
	names := regexp.MustCompile(`(metric: '|[ ]title=")(\w+)`).FindAllStringSubmatch(readFile(t, "../ui/assets/page.js")+readFile(t, "../ui/assets/page.html"), -1)
	if len(names) < 30 {
		t.Errorf("it names only %d", len(names))
	}
	for _, n := range names {
		if have[n[2]] == nil && have[n[2]+"_count"] == nil {
			t.Errorf("there is no metric %s", n[2])
		}
	}
}

// promtool runs it, where it is installed.
func promtool(t *testing.T, args ...string) {
	t.Helper()
	if _, err := exec.LookPath("promtool"); err != nil {
		t.Skip("promtool is not installed: it is in Debian's package prometheus")
	}
	out, err := exec.CommandContext(t.Context(), "promtool", args...).CombinedOutput()
	if err != nil {
		t.Errorf("promtool %s: %v\n%s", strings.Join(args, " "), err, out)
	}
}

// The alerts are rules that Prometheus takes, and each is raised and is silent in a case.
func TestAlerts(t *testing.T) {
	cases := readFile(t, casesFile)
	for name := range readRules(t) {
		silent := regexp.MustCompile(`alertname: ` + name + `, .*exp_alerts: \[\]`)
		raised := regexp.MustCompile(`alertname: ` + name + `\n\s+eval_time: .*\n\s+exp_alerts:\n`)
		if !silent.MatchString(cases) || !raised.MatchString(cases) {
			t.Errorf("%s has no case for and one against it", name)
		}
	}
	promtool(t, "check", "rules", rulesFile)
	promtool(t, "test", "rules", casesFile)
}

// The expressions of the dashboard are such that Prometheus takes them.
func TestTheDashboardIsUnderstood(t *testing.T) {
	var b strings.Builder
	b.WriteString("groups:\n- name: dashboard\n  rules:\n")
	for name, expr := range readDashboard(t) {
		fmt.Fprintf(&b, "  - record: ferry:%s\n    expr: %q\n", name, expr)
	}
	name := filepath.Join(t.TempDir(), "dashboard.yml")
	if err := os.WriteFile(name, []byte(b.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	promtool(t, "check", "rules", name)
}
