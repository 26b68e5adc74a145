package main

import (
	"fmt"
	"image/color"
	"math"
	"slices"
	"strconv"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

const (
	panelWidth  vg.Length = 230
	barsHeight  vg.Length = 132
	linesHeight vg.Length = 190
	keyHeight   vg.Length = 22
	gap         vg.Length = 6
	titleSize   vg.Length = 8.5
	textSize    vg.Length = 7.5
)

// The paper is painted, so that a page may be light or dark.
var (
	paper = color.NRGBA{0xfb, 0xfb, 0xf8, 0xff}
	ink   = color.NRGBA{0x24, 0x29, 0x2f, 0xff}
	faint = color.NRGBA{0xd8, 0xdc, 0xe0, 0xff}
)

// colors are told apart by those who do not see all of them, too (Okabe and Ito); the first is that
// of ferry.
var colors = []color.NRGBA{
	{0x00, 0x5f, 0xb0, 0xff}, {0xe6, 0x9f, 0x00, 0xff}, {0x00, 0x9e, 0x73, 0xff}, {0xcc, 0x79, 0xa7, 0xff},
	{0x56, 0xb4, 0xe9, 0xff}, {0xd5, 0x5e, 0x00, 0xff}, {0x80, 0x80, 0x80, 0xff}, {0xb0, 0xa0, 0x20, 0xff},
}

func colorOf(i int) color.NRGBA { return colors[i%len(colors)] }

func sans(size vg.Length) font.Font {
	return font.From(font.Font{Typeface: "Liberation", Variant: "Sans"}, size)
}

// key names the colors, side by side.
func key(c draw.Canvas, names []string) {
	style := draw.TextStyle{Color: ink, Font: sans(titleSize), YAlign: text.YCenter, Handler: plot.DefaultTextHandler}
	at := c.Min
	at.Y = c.Center().Y
	for i, name := range names {
		c.SetColor(colorOf(i))
		c.Fill(vg.Rectangle{Min: vg.Point{X: at.X, Y: at.Y - 3}, Max: vg.Point{X: at.X + 12, Y: at.Y + 3}}.Path())
		at.X += 16
		c.FillText(style, at, name)
		at.X += style.Width(name) + 14
	}
}

// blank is a plot with a title, and texts of one kind.
func (p panel) blank() *plot.Plot {
	d := plot.New()
	d.BackgroundColor = paper
	d.Title.Text = p.Title + "\n" + p.Unit
	d.Title.Padding = 3
	for style, size := range map[*draw.TextStyle]vg.Length{
		&d.Title.TextStyle: titleSize, &d.X.Label.TextStyle: textSize, &d.X.Tick.Label: textSize,
		&d.Y.Tick.Label: textSize,
	} {
		style.Font = sans(size)
		style.Color = ink
	}
	d.X.Color, d.Y.Color = ink, ink
	d.X.Tick.Color, d.Y.Tick.Color = ink, ink
	return d
}

// bars draws a bar for each series, the first on top, with its value behind it.
func (p panel) bars(names []string) (*plot.Plot, error) {
	d := p.blank()
	n := len(p.Series)
	labels := make([]string, n)
	values := plotter.XYLabels{XYs: make(plotter.XYs, n), Labels: make([]string, n)}
	for i, s := range p.Series {
		at := float64(n - 1 - i)
		labels[n-1-i] = s.Name
		if len(s.Points) != 1 {
			return nil, fmt.Errorf("a bar of %d points", len(s.Points))
		}
		y := s.Points[0][1]
		bar, err := plotter.NewBarChart(plotter.Values{y}, 9)
		if err != nil {
			return nil, err
		}
		bar.Horizontal, bar.XMin, bar.Color, bar.LineStyle.Width = true, at, colorOf(slices.Index(names, s.Name)), 0
		d.Add(bar)
		values.XYs[i] = plotter.XY{X: y, Y: at}
		values.Labels[i] = short(y)
	}
	shown, err := plotter.NewLabels(values)
	if err != nil {
		return nil, err
	}
	for i := range shown.TextStyle {
		shown.TextStyle[i].Font, shown.TextStyle[i].Color = d.Y.Tick.Label.Font, ink
		shown.TextStyle[i].YAlign = text.YCenter
	}
	shown.Offset.X = 2
	d.Add(shown)
	d.NominalY(labels...)
	d.HideX()
	d.X.Min, d.X.Max = 0, d.X.Max*1.25 // room for the values
	return d, nil
}

// lines draws a line for each series, with both axes in powers of ten.
func (p panel) lines(names []string) (*plot.Plot, error) {
	d := p.blank()
	d.X.Label.Text = p.X
	grid := plotter.NewGrid()
	grid.Vertical.Color, grid.Horizontal.Color = faint, faint
	d.Add(grid)
	for _, s := range p.Series {
		points := make(plotter.XYs, len(s.Points))
		for i, xy := range s.Points {
			if xy[0] <= 0 || xy[1] <= 0 {
				return nil, fmt.Errorf("%s: no logarithm of %v", s.Name, xy)
			}
			points[i] = plotter.XY{X: xy[0], Y: xy[1]}
		}
		line, dots, err := plotter.NewLinePoints(points)
		if err != nil {
			return nil, err
		}
		line.Color, line.Width = colorOf(slices.Index(names, s.Name)), 1.3
		dots.Color, dots.Shape, dots.Radius = line.Color, draw.CircleGlyph{}, 1.8
		d.Add(line, dots)
	}
	for _, axis := range []*plot.Axis{&d.X, &d.Y} {
		axis.Scale, axis.Tick.Marker = plot.LogScale{}, decades{}
		axis.Min = math.Pow(10, math.Floor(math.Log10(axis.Min)+1e-9))
		axis.Max = math.Pow(10, math.Ceil(math.Log10(axis.Max)-1e-9))
	}
	return d, nil
}

// decades puts a tick at each power of ten.
type decades struct{}

func (decades) Ticks(least, most float64) []plot.Tick {
	var all []plot.Tick
	for v := math.Pow(10, math.Ceil(math.Log10(least)-1e-9)); v <= most*(1+1e-9); v *= 10 {
		all = append(all, plot.Tick{Value: v, Label: short(v)})
	}
	return all
}

// short prints a number with three digits or so: 0.123, 12.3, 123, 12.3k.
func short(v float64) string {
	suffix := ""
	switch {
	case v >= 1e6:
		v, suffix = v/1e6, "M"
	case v >= 1e4:
		v, suffix = v/1e3, "k"
	}
	return strconv.FormatFloat(v, 'g', max(3, len(strconv.Itoa(int(v)))), 64) + suffix
}
