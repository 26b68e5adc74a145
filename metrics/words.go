package metrics

import (
	"strings"
	"sync/atomic"

	"github.com/prometheus/client_golang/prometheus"
)

// other stands for every value of a label that is not known, so that no client can make series.
const other = "other"

// valid is a name as a value of a label, which has to be UTF-8.
func valid(name string) string { return strings.ToValidUTF8(name, "\ufffd") }

// words are the values that a label may have. The first one stands for all that are not known.
type words struct {
	list  []string
	index map[string]int
}

func newWords(unknown string, known ...string) words {
	w := words{list: append([]string{unknown}, known...), index: make(map[string]int, len(known))}
	for i, k := range w.list {
		w.index[k] = i
	}
	return w
}

// A vector is metrics of one name by their labels. They are found without an allocation, and made
// when they are needed first: what never happened takes no place.
type vector[T any] struct {
	labels []words
	cells  []atomic.Pointer[T]
	make   func(values ...string) T
}

func newVector[T any](labels []words, make func(values ...string) T) *vector[T] {
	n := 1
	for _, l := range labels {
		n *= len(l.list)
	}
	return &vector[T]{labels: labels, cells: newCells[T](n), make: make}
}

func newCells[T any](n int) []atomic.Pointer[T] { return make([]atomic.Pointer[T], n) }

// of returns the metric with these values of its labels.
func (v *vector[T]) of(values ...string) T {
	cell := 0
	for i, l := range v.labels {
		cell = cell*len(l.list) + l.index[values[i]]
	}
	return v.cell(cell)
}

// at returns the metric with the values of its labels that have these indexes.
func (v *vector[T]) at(indexes ...int) T {
	cell := 0
	for i, l := range v.labels {
		cell = cell*len(l.list) + indexes[i]
	}
	return v.cell(cell)
}

func (v *vector[T]) cell(cell int) T {
	if found := v.cells[cell].Load(); found != nil {
		return *found
	}
	return v.create(cell)
}

func (v *vector[T]) create(cell int) T {
	values := make([]string, len(v.labels))
	for i, rest := len(v.labels)-1, cell; i >= 0; i-- {
		n := len(v.labels[i].list)
		values[i], rest = v.labels[i].list[rest%n], rest/n
	}
	made := v.make(values...)
	v.cells[cell].Store(&made)
	return made
}

// all makes every metric of the vector, so that its first event is an increase.
func (v *vector[T]) all() *vector[T] {
	for cell := range v.cells {
		v.create(cell)
	}
	return v
}

// A label is the name of one and its values.
type label struct {
	name string
	words
}

func namesOf(labels []label) (names []string, values []words) {
	for _, l := range labels {
		names, values = append(names, l.name), append(values, l.words)
	}
	return names, values
}

// counters makes a counter with labels.
func counters(r prometheus.Registerer, name, help string, labels ...label) *vector[prometheus.Counter] {
	names, values := namesOf(labels)
	vec := prometheus.NewCounterVec(prometheus.CounterOpts{Namespace: namespace, Name: name, Help: help}, names)
	r.MustRegister(vec)
	return newVector(values, vec.WithLabelValues)
}

// Bounds of a native histogram: its buckets are at most a tenth wide, and so many at most.
const (
	nativeFactor  = 1.1
	nativeBuckets = 100
)

// histograms makes a histogram with labels, native and with classic buckets.
func histograms(r prometheus.Registerer, name, help string, buckets []float64, labels ...label) *vector[prometheus.Observer] {
	return observers(r, prometheus.HistogramOpts{
		Namespace: namespace, Name: name, Help: help, Buckets: buckets,
		NativeHistogramBucketFactor: nativeFactor, NativeHistogramMaxBucketNumber: nativeBuckets,
	}, labels)
}

// plainHistograms makes a histogram with labels and classic buckets only, at a third of the cost.
func plainHistograms(r prometheus.Registerer, name, help string, buckets []float64, labels ...label) *vector[prometheus.Observer] {
	return observers(r, prometheus.HistogramOpts{Namespace: namespace, Name: name, Help: help, Buckets: buckets}, labels)
}

func observers(r prometheus.Registerer, o prometheus.HistogramOpts, labels []label) *vector[prometheus.Observer] {
	names, values := namesOf(labels)
	vec := prometheus.NewHistogramVec(o, names)
	r.MustRegister(vec)
	return newVector(values, vec.WithLabelValues)
}
