package main

import (
	"context"
	"errors"
	"time"

	"ferry/events"
	"ferry/serve/users"
	"ferry/vfs"
)

// answerTime is how long the start waits for remotes that are asked what became of uploads. What is
// not known by then is asked later.
const answerTime = 10 * time.Second

// answerHooks lets the hooks know the remotes. It finds out what became of uploads that an earlier
// process was about to publish or to rename, before clients change anything.
func (ls *listenings) answerHooks(ctx context.Context, st *stack, a *accounts) {
	if a != nil {
		a.listening = ls
	}
	if ls == nil || ls.outbox == nil {
		return
	}
	ls.treeOf = func(ctx context.Context, e *events.Event) (*vfs.FS, func(), error) {
		if st.tree.Place() == e.Place {
			return st.tree, func() {}, nil
		}
		return a.treeOf(ctx, e)
	}
	ctx, cancel := context.WithTimeout(ctx, answerTime)
	defer cancel()
	ls.outbox.Answer(ctx)
}

// treeOf returns the tree that the upload of e is in, which its caller releases. It may be called
// on nil.
func (a *accounts) treeOf(ctx context.Context, e *events.Event) (tree *vfs.FS, release func(), err error) {
	if a == nil {
		return nil, nil, errNotServed
	}
	find := func() *vfs.FS {
		for _, opened := range a.openTrees() {
			if opened.Tree.Place() == e.Place {
				return opened.Tree
			}
		}
		return nil
	}
	u, ok := a.known(e.User)
	if !ok || u.Auth == users.AuthRemote {
		return nil, nil, errNotServed
	}
	f, err := a.backend.Tree(ctx, u) // which keeps it open
	if err != nil {
		return nil, nil, err
	}
	if tree = find(); tree == nil {
		return nil, nil, errors.Join(errNotServed, f.Close())
	}
	return tree, func() { f.Close() }, nil
}
