package rc

import (
	"context"
	"time"
)

// Cluster is how a program stands among the nodes of a cluster.
type Cluster struct {
	Node    string // the name of this one
	Reached bool   // the engine that nodes share
	Server  string // of the engine, that is connected
	Version string // of that
	Problem string // why it is not reached
	Twin    string // another process that has the name of this node; "" = none
	Heard   bool   // what other nodes tell comes here
	Lag     time.Duration
	Waiting int // changes that are not told to others yet
	Gaps    uint64
	Files   ClusterFiles
	Nodes   []ClusterNode
}

// ClusterFiles are numbers of files that wait to be sent to the remote.
type ClusterFiles struct {
	Elsewhere int // at other nodes
	Told      int // here, and told of
	Untold    int // too many to be told of, or to be remembered
}

// ClusterNode is a node as others see it.
type ClusterNode struct {
	ID, Name, Version string
	Started           time.Time
	Sessions          int
	Self              bool
}

// ClusterCalls returns the calls about other nodes; status is nil where there are none.
func ClusterCalls(status func() Cluster) []Call {
	if status == nil {
		status = func() Cluster { return Cluster{} }
	}
	return []Call{{Path: "cluster/status", Title: "Show the nodes of the cluster, and whether they are reached.", Reads: true,
		Run: func(context.Context, Params) (Params, error) { return clusterParams(status()), nil },
		Help: "Returns:\n\n" +
			"- clustered - whether there is --cluster; without it there is nothing else\n" +
			"- node - the name of this one; twin - another process that has the name, which must not be\n" +
			"- engine - reached, server, version, and problem where it is not reached\n" +
			"- changes - heard: what others tell comes here; lag in seconds of what this node tells, until it is back here; " +
			"waiting: those that are not told yet; gaps: how often something may have been missed\n" +
			"- files - that wait to be sent: elsewhere, at other nodes, where they are shown and cannot be read; told, those here that others know; " +
			"untold, those that are too many for that\n" +
			"- nodes - those that are there: id, node, version, started, sessions, self"}}
}

func clusterParams(c Cluster) Params {
	if c.Node == "" {
		return Params{"clustered": false}
	}
	nodes := []Params{}
	for _, n := range c.Nodes {
		nodes = append(nodes, Params{"id": n.ID, "node": n.Name, "version": n.Version, "started": n.Started, "sessions": n.Sessions, "self": n.Self})
	}
	return Params{
		"clustered": true, "node": c.Node, "twin": c.Twin,
		"engine":  Params{"reached": c.Reached, "server": c.Server, "version": c.Version, "problem": c.Problem},
		"changes": Params{"heard": c.Heard, "lag": c.Lag.Seconds(), "waiting": c.Waiting, "gaps": c.Gaps},
		"files":   Params{"elsewhere": c.Files.Elsewhere, "told": c.Files.Told, "untold": c.Files.Untold},
		"nodes":   nodes,
	}
}
