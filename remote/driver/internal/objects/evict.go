package objects

// evict makes room in m for one more, which has at most limit, and reports whether something had to
// go.
func evict[K comparable, V any](m map[K]V, limit int) bool {
	if len(m) < limit {
		return false
	}
	for k := range m { // in random order
		delete(m, k)
		break
	}
	return true
}
