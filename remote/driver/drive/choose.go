package drive

import (
	"cmp"
	"slices"
	"strings"
)

// replacing begins the property of a file that another one with the same name does not count.
const replacing = "ferry-replaces-"

// replaces is the property with which a file stands for those that it replaces, in place of what it
// has replaced before.
func replaces(f *file, old []*file) map[string]*string {
	if len(old) == 0 {
		return nil
	}
	yes := "1"
	all := map[string]*string{}
	for key := range f.AppProperties {
		if strings.HasPrefix(key, replacing) {
			all[key] = nil
		}
	}
	for _, o := range old[:min(len(old), mostReplaced)] {
		all[replacing+o.ID] = &yes
	}
	return all
}

// mostReplaced is how many files one may replace: the service keeps 30 such properties.
const mostReplaced = 20

// choose returns which of several files of one name counts, see the package; the others follow. A
// document counts only where there is nothing else.
func choose(files []*file) (counts *file, others []*file) {
	if len(files) == 1 {
		return files[0], nil
	}
	sorted := slices.SortedFunc(slices.Values(files), func(a, b *file) int {
		return cmp.Or(strings.Compare(a.CreatedTime, b.CreatedTime), strings.Compare(a.ID, b.ID))
	})
	rest := slices.DeleteFunc(slices.Clone(sorted), func(f *file) bool {
		return slices.ContainsFunc(sorted, func(by *file) bool { return by != f && by.AppProperties[replacing+f.ID] != "" })
	})
	if len(rest) == 0 { // each replaces another one
		rest = sorted
	}
	if slices.ContainsFunc(rest, func(f *file) bool { return !f.isDocument() }) {
		rest = slices.DeleteFunc(rest, (*file).isDocument)
	}
	counts = rest[0]
	if !counts.isFolder() {
		rest = slices.DeleteFunc(rest, (*file).isFolder)
		counts = rest[len(rest)-1]
	}
	return counts, slices.DeleteFunc(sorted, func(f *file) bool { return f == counts })
}
