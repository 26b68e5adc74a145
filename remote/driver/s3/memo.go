package s3

import "sync"

// A memo remembers up to max things, and forgets any of them to remember another: who asks it must
// be able to do without an answer.
type memo[K comparable, V any] struct {
	max int

	mu sync.Mutex
	m  map[K]V // guarded by mu
}

func newMemo[K comparable, V any](size int) *memo[K, V] {
	return &memo[K, V]{max: size, m: map[K]V{}}
}

func (m *memo[K, V]) set(k K, v V) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if _, ok := m.m[k]; !ok && len(m.m) >= m.max {
		for any := range m.m { // in random order
			delete(m.m, any)
			break
		}
	}
	m.m[k] = v
}

func (m *memo[K, V]) get(k K) (V, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	v, ok := m.m[k]
	return v, ok
}

func (m *memo[K, V]) drop(k K) {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.m, k)
}
