package ui

import (
	"strconv"
	"time"
)

// The size of a picture, and how many points it has.
const (
	pictureWidth  = 720
	pictureHeight = 120
	hourPoints    = 240
	dayPoints     = 288
)

// A Picture is a throughput over time, as the paths of an SVG of 720 by 120 whose right end is now.
type Picture struct {
	In      string  `json:"in"`
	Out     string  `json:"out"`
	Top     float64 `json:"top"`    // bytes per second at its upper end
	MeanIn  float64 `json:"meanIn"` // bytes per second
	MeanOut float64 `json:"meanOut"`
}

// picture draws the series by so many points.
func (s *series) picture(points int) Picture {
	in, out := s.means(s.In, points), s.means(s.Out, points)
	var p Picture
	for i := range in {
		p.Top = max(p.Top, in[i], out[i])
		p.MeanIn += in[i] / float64(points)
		p.MeanOut += out[i] / float64(points)
	}
	p.In, p.Out = path(in, p.Top), path(out, p.Top)
	return p
}

// means returns the bytes per second of so many equal parts of the series, oldest first.
func (s *series) means(of []int64, points int) []float64 {
	all, n := make([]float64, points), len(of)
	each := n / points
	span := (time.Duration(each) * s.Step).Seconds()
	for i := range n {
		at := s.Last - int64(n) + 1 + int64(i)
		if at >= 0 {
			all[i/each] += float64(of[s.index(at)]) / span
		}
	}
	return all
}

// path returns the d of an SVG path. Values of a straight line are one line.
func path(values []float64, top float64) string {
	y := func(v float64) int {
		if top == 0 {
			return pictureHeight
		}
		return pictureHeight - int(v/top*(pictureHeight-2)+0.5)
	}
	var d []byte
	point := func(kind byte, i int) {
		d = append(d, kind)
		d = strconv.AppendInt(d, int64(i*pictureWidth/(len(values)-1)), 10)
		d = append(d, ' ')
		d = strconv.AppendInt(d, int64(y(values[i])), 10)
	}
	point('M', 0)
	for i := 1; i < len(values); i++ {
		if i+1 < len(values) && y(values[i-1]) == y(values[i]) && y(values[i]) == y(values[i+1]) {
			continue
		}
		point('L', i)
	}
	return string(d)
}
