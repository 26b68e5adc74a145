// Package access says what a user may do with which path, and makes one tree of several.
//
// New puts a Policy over an ftp.FS. Each operation, and the perm fact of MLSD, follow from the one
// function grant. The files, in reading order:
//
//	fs.go        New, and the operations on what is there; create.go: on what is not there yet
//	rename.go    Rename; upload.go: an upload that is limited or remembered
//	conflict.go  names that are taken, and files beside each other
//	join.go      Join: one tree made of several; nowhere.go: directories and a root that no storage has
//	grant.go     what a client may do with one entry; own.go: what a session stored
//	rules.go     Rule and Policy: which rule decides for a path; patterns.go: Pattern
//	verbs.go     verbs, and the names of sets of them
//	error.go     refusals, and what they tell; path.go: elements of paths
package access
