// Draw draws what bench has measured: it reads a description of panels from standard input, as
// JSON, and writes an SVG to standard output.
//
// It is a module of its own, so that what it draws with is no dependency of ferry.
package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgsvg"
)

// A picture is panels of one size, row by row.
type picture struct {
	Columns int
	Panels  []panel
}

// A panel shows a figure of several servers: as bars, or over X as lines.
type panel struct {
	Title  string
	Unit   string
	X      string // what the lines are over; "" = bars
	Series []series
}

// A series is one server.
type series struct {
	Name   string
	Points [][2]float64 // x and y; a bar is one point
}

func main() {
	if err := run(os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "draw:", err)
		os.Exit(1)
	}
}

func run(in io.Reader, out io.Writer) error {
	var p picture
	if err := json.NewDecoder(in).Decode(&p); err != nil {
		return err
	}
	if len(p.Panels) == 0 || p.Columns < 1 {
		return errors.New("a picture needs panels and columns")
	}
	rows := (len(p.Panels) + p.Columns - 1) / p.Columns
	height, top := barsHeight, vg.Length(0)
	if p.Panels[0].X != "" {
		height, top = linesHeight, keyHeight
	}
	c := vgsvg.New(panelWidth*vg.Length(p.Columns), height*vg.Length(rows)+top)
	dc := draw.New(c)
	dc.SetColor(paper)
	dc.Fill(dc.Rectangle.Path())
	names := p.names()
	if top > 0 {
		key(draw.Crop(dc, gap, 0, dc.Max.Y-top, 0), names)
		dc = draw.Crop(dc, 0, 0, 0, -top)
	}
	tiles := draw.Tiles{Rows: rows, Cols: p.Columns, PadX: gap, PadY: gap, PadTop: gap, PadBottom: gap, PadLeft: gap, PadRight: gap}
	for i, panel := range p.Panels {
		drawn, err := panel.plot(names)
		if err != nil {
			return fmt.Errorf("%s, %s: %w", panel.Title, panel.Unit, err)
		}
		drawn.Draw(tiles.At(dc, i%p.Columns, i/p.Columns))
	}
	var svg bytes.Buffer
	if _, err := c.WriteTo(&svg); err != nil {
		return err
	}
	_, err := out.Write(bytes.ReplaceAll(svg.Bytes(), []byte(family), []byte(family+",Arial,Helvetica,sans-serif")))
	return err
}

// family is the font that texts are measured in. Arial and Helvetica have the same widths.
const family = "font-family:Liberation Sans"

// names are those of all series, in their order: each has one color in the whole picture.
func (p picture) names() []string {
	var names []string
	for _, panel := range p.Panels {
		for _, s := range panel.Series {
			if !slices.Contains(names, s.Name) {
				names = append(names, s.Name)
			}
		}
	}
	return names
}

// plot draws a panel.
func (p panel) plot(names []string) (*plot.Plot, error) {
	if p.X == "" {
		return p.bars(names)
	}
	return p.lines(names)
}
