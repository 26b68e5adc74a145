package flags

import (
	"slices"
	"strings"
	"testing"
)

func TestServersOfTheCluster(t *testing.T) {
	for in, want := range map[string][]string{
		"nats://one:4222":                     {"nats://one:4222"},
		"one":                                 {"nats://one"},
		"tls://one:4222, two:4223,nats://x:1": {"tls://one:4222", "tls://two:4223", "nats://x:1"},
		"nats://bob:pa%2Css@one":              {"nats://bob:pa%2Css@one"},
		"":                                    nil,
	} {
		var got []string
		if err := engine(&got).Set(in); err != nil || !slices.Equal(got, want) {
			t.Errorf("%s: %q, %v", in, got, err)
		}
	}
	for _, in := range []string{"http://one", "nats://", "one,,two", "nats://one/path", "nats://bob:se%zzcret@one"} {
		var got []string
		if err := engine(&got).Set(in); err == nil || strings.Contains(err.Error(), "cret") {
			t.Errorf("%s: %q, %v", in, got, err)
		}
	}
}

func TestServersAreShownWithoutSecrets(t *testing.T) {
	var got []string
	v := engine(&got)
	if err := v.Set("nats://bob:secret@one:4222,token@two"); err != nil {
		t.Fatal(err)
	}
	if s := v.String(); s != "nats://***@one:4222,nats://***@two" {
		t.Error(s)
	}
	o := &Options{}
	groups := []Group{Cluster(o)}
	o.Cluster.Servers = got
	shown := Shown(groups)["cluster"]["cluster"]
	if list, is := shown.([]string); !is || !slices.Equal(list, []string{"nats://***@one:4222", "nats://***@two"}) {
		t.Errorf("options/get shows %v", shown)
	}
}

func TestNamesOfNodes(t *testing.T) {
	var s string
	for _, bad := range []string{"a b", "a.b", "", "ä", strings.Repeat("x", 65)} {
		if err := subjectWord(&s).Set(bad); err == nil {
			t.Errorf("--cluster-name %q is taken", bad)
		}
	}
	if err := nodeName(&s).Set("node-1.example.org"); err != nil || s != "node-1.example.org" {
		t.Errorf("%q, %v", s, err)
	}
	if (&ClusterOptions{}).NodeName() == "" || (&ClusterOptions{Node: "n"}).NodeName() != "n" {
		t.Error("a node has no name")
	}
	given := func(name string) bool { return name == "cluster-ca" }
	if err := (&ClusterOptions{}).check(given); err == nil || !strings.HasPrefix(err.Error(), "--cluster-ca needs --cluster") {
		t.Error(err)
	}
}
