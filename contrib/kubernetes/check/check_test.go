// Package check holds the files of the directory above against the types of Kubernetes itself. It is
// a module of its own, so that nothing else depends on those.
package check

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	"k8s.io/apimachinery/pkg/util/yaml"
	sigs "sigs.k8s.io/yaml"
)

// An object is what is looked at of one document.
type object struct {
	kind, name string
	selector   map[string]string // of pods
	template   *corev1.PodTemplateSpec
	ports      []corev1.ServicePort
	data       map[string]string // of a ConfigMap
}

func TestTheFilesAreWhatKubernetesTakes(t *testing.T) {
	for _, file := range files(t) {
		for _, o := range read(t, file) {
			if o.name == "" {
				t.Errorf("%s: a %s has no name", file, o.kind)
			}
		}
	}
}

// TestEverySelectorFindsPods compares the labels of pods with those that services, budgets and sets
// look for.
func TestEverySelectorFindsPods(t *testing.T) {
	var pods []map[string]string
	var all []object
	for _, file := range files(t) {
		for _, o := range read(t, file) {
			all = append(all, o)
			if o.template != nil {
				pods = append(pods, o.template.Labels)
			}
		}
	}
	for _, o := range all {
		if o.selector == nil {
			continue
		}
		found := false
		for _, labels := range pods {
			found = found || maps.Equal(o.selector, labels)
		}
		if !found {
			t.Errorf("%s %s selects %v, which no pod has", o.kind, o.name, o.selector)
		}
	}
}

func files(t *testing.T) []string {
	t.Helper()
	all, err := filepath.Glob("../*.yaml")
	if err != nil || len(all) < 3 {
		t.Fatalf("%v, %v", all, err)
	}
	return all
}

// read returns the documents of a file. A key that Kubernetes does not know fails the test.
func read(t *testing.T, file string) (all []object) {
	t.Helper()
	content, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	docs := yaml.NewYAMLReader(bufio.NewReader(bytes.NewReader(content)))
	for {
		doc, err := docs.Read()
		if errors.Is(err, io.EOF) {
			return all
		}
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, decode(t, file, doc))
	}
}

func decode(t *testing.T, file string, doc []byte) object {
	t.Helper()
	var head struct{ Kind string }
	if err := sigs.Unmarshal(doc, &head); err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	strict := func(into any) {
		t.Helper()
		if err := sigs.UnmarshalStrict(doc, into); err != nil {
			t.Fatalf("%s: %s: %v", file, head.Kind, err)
		}
	}
	switch head.Kind {
	case "StatefulSet":
		var s appsv1.StatefulSet
		strict(&s)
		return object{head.Kind, s.Name, s.Spec.Selector.MatchLabels, &s.Spec.Template, nil, nil}
	case "Deployment":
		var d appsv1.Deployment
		strict(&d)
		return object{head.Kind, d.Name, d.Spec.Selector.MatchLabels, &d.Spec.Template, nil, nil}
	case "Service":
		var s corev1.Service
		strict(&s)
		return object{head.Kind, s.Name, s.Spec.Selector, nil, s.Spec.Ports, nil}
	case "PodDisruptionBudget":
		var b policyv1.PodDisruptionBudget
		strict(&b)
		return object{head.Kind, b.Name, b.Spec.Selector.MatchLabels, nil, nil, nil}
	case "ConfigMap":
		var c corev1.ConfigMap
		strict(&c)
		return object{head.Kind, c.Name, nil, nil, nil, c.Data}
	}
	t.Fatalf("%s: a %q", file, head.Kind)
	return object{}
}

// TestThePassivePortsAreThoseOfTheNodes compares the passive ports of each replica with what haproxy
// binds, and with what the load balancer lets in.
func TestThePassivePortsAreThoseOfTheNodes(t *testing.T) {
	const replicas = 3
	bound := map[int32]string{} // the node of each port
	let := map[int32]bool{}
	for _, o := range read(t, "../haproxy.yaml") {
		for _, listen := range regexp.MustCompile(`bind :(\d+)-(\d+)\s+server (ferry-\d) `).FindAllStringSubmatch(o.data["haproxy.cfg"], -1) {
			for port := number(t, listen[1]); port <= number(t, listen[2]); port++ {
				bound[port] = listen[3]
			}
		}
		for _, p := range o.ports {
			let[p.Port] = p.Port >= 30000
		}
	}
	var ports string
	for _, o := range read(t, "../ferry.yaml") {
		if o.kind != "StatefulSet" {
			continue
		}
		for _, env := range o.template.Spec.Containers[0].Env {
			if env.Name == "FERRY_PASSIVE_PORT" {
				ports = env.Value
			}
		}
	}
	count := 0
	for i := range replicas {
		first, last, _ := strings.Cut(strings.ReplaceAll(ports, "$(POD_INDEX)", strconv.Itoa(i)), "-")
		for port := number(t, first); port <= number(t, last); port++ {
			count++
			if node := fmt.Sprint("ferry-", i); bound[port] != node || !let[port] {
				t.Errorf("port %d of %s leads to %q, let in: %v", port, node, bound[port], let[port])
			}
		}
	}
	if count != len(bound) || count != 30 {
		t.Errorf("the nodes have %d passive ports, haproxy %d", count, len(bound))
	}
}

func number(t *testing.T, text string) int32 {
	t.Helper()
	n, err := strconv.ParseInt(text, 10, 32)
	if err != nil {
		t.Fatal(err)
	}
	return int32(n)
}
