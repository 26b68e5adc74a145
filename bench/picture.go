package main

import "slices"

// A picture is what package main of bench/draw draws.
type picture struct {
	Columns int
	Panels  []panel
}

// A panel shows one metric, as a bar for each server or as lines over X.
type panel struct {
	Title, Unit string
	X           string
	Series      []series
}

// A series is one server.
type series struct {
	Name   string
	Points [][2]float64
}

// pictureOf makes a panel of each curve and metric where there are curves, else of each row that at
// least two servers have figures in.
func pictureOf(res *results, servers []string) picture {
	if slices.ContainsFunc(res.rows, func(r row) bool { return r.point.x > 0 }) {
		return picture{Columns: 3, Panels: curvePanels(res, servers)}
	}
	p := picture{Columns: 4}
	for _, r := range res.rows {
		one := panel{Title: r.title, Unit: r.metric.unit}
		for _, s := range servers {
			if v, ok := res.figure(r, s); ok {
				one.Series = append(one.Series, series{s, [][2]float64{{0, v}}})
			}
		}
		if len(one.Series) > 1 {
			p.Panels = append(p.Panels, one)
		}
	}
	return p
}

// curvePanels gathers the rows of each curve. What is 0 has no place on an axis of powers of ten.
func curvePanels(res *results, servers []string) []panel {
	var all []panel
	for _, r := range res.rows {
		if r.point.x == 0 {
			continue
		}
		at := slices.IndexFunc(all, func(p panel) bool { return p.Title == r.point.curve && p.Unit == r.metric.unit })
		if at < 0 {
			at = len(all)
			all = append(all, panel{Title: r.point.curve, Unit: r.metric.unit, X: r.point.over})
		}
		for _, s := range servers {
			if v, ok := res.figure(r, s); ok && v > 0 {
				all[at].add(s, [2]float64{float64(r.point.x), v})
			}
		}
	}
	return slices.DeleteFunc(all, func(p panel) bool { return len(p.Series) == 0 })
}

func (p *panel) add(server string, point [2]float64) {
	for i := range p.Series {
		if p.Series[i].Name == server {
			p.Series[i].Points = append(p.Series[i].Points, point)
			return
		}
	}
	p.Series = append(p.Series, series{server, [][2]float64{point}})
}
