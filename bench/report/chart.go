package main

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// The chart, in its own units, of which it is meant to have one for each pixel.
const (
	width     = 700
	plotLeft  = 300
	plotRight = 655
	top       = 62
	step      = 21 // from row to row
	thick     = 13 // of a bar
	lowest    = 1. / 8
	highest   = 64.
)

// svg is the chart: each result relative to its goal, on a logarithmic scale.
// Right of the line, and blue, is as good as the goal or better; left of it, and
// orange, is worse. The colours are as legible on white as on black.
func svg(r *results) string {
	var b strings.Builder
	height := top + step*len(goals) + 14
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" width="%d" height="%d" role="img" aria-labelledby="title">
<title id="title">Results relative to their goals</title>
<style>
text { font: 12.5px system-ui, -apple-system, "Segoe UI", "DejaVu Sans", sans-serif; fill: #737d88 }
.head { font-size: 15px; font-weight: 600 }
.label { text-anchor: end }
.tick { text-anchor: middle; font-size: 11.5px }
.grid { stroke: #8b949e; stroke-opacity: .25 }
.goal { stroke: #737d88; stroke-width: 1.5 }
.met { fill: #3d85c6 }
.missed { fill: #dd7d24 }
</style>
`, width, height, width, height)
	fmt.Fprintf(&b, "<text class=\"head\" x=\"12\" y=\"24\">Results relative to their goals</text>\n")
	fmt.Fprintf(&b, "<text x=\"12\" y=\"%d\"><tspan class=\"met\">■</tspan> met  <tspan class=\"missed\">■</tspan> not met</text>\n", top-12)
	for tick := lowest; tick <= highest; tick *= 2 {
		class, text := "grid", tickText(tick)
		if tick == 1 {
			class, text = "goal", "goal"
		}
		fmt.Fprintf(&b, "<line class=\"%s\" x1=\"%s\" y1=\"%d\" x2=\"%[2]s\" y2=\"%[4]d\"/>", class, x(tick), top-6, height-10)
		fmt.Fprintf(&b, "<text class=\"tick\" x=\"%s\" y=\"%d\">%s</text>\n", x(tick), top-12, text)
	}
	for i, row := range goals {
		bar(&b, r, row, top+step*i)
	}
	b.WriteString("</svg>\n")
	return b.String()
}

func bar(b *strings.Builder, r *results, row row, y int) {
	base := y + thick - 2 // of the text
	fmt.Fprintf(b, "<text class=\"label\" x=\"%d\" y=\"%d\">%s</text>", plotLeft-10, base, escape.Replace(row.title(r)))
	result, ok := row.result(r)
	if !ok {
		fmt.Fprintf(b, "<text x=\"%s\" y=\"%d\">not measured</text>\n", x(1.1), base)
		return
	}
	relative := row.goal.relative(result, highest)
	class, from, to := "met", 1., relative
	if !row.goal.isMet(result) {
		class, from, to = "missed", relative, 1
	}
	left, right := position(from), position(to)
	fmt.Fprintf(b, "<rect class=\"%s\" x=\"%s\" y=\"%d\" width=\"%s\" height=\"%d\" rx=\"1.5\"/>",
		class, pixels(left), y, pixels(max(right-left, 1.5)), thick)
	text := significant(relative) + "×"
	if relative == highest {
		text = "≥ " + text
	}
	fmt.Fprintf(b, "<text x=\"%s\" y=\"%d\">%s</text>\n", pixels(max(right, position(1))+6), base, text)
}

var escape = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;")

// position is where on the scale a result is, relative to its goal.
func position(relative float64) float64 {
	relative = min(max(relative, lowest), highest)
	return plotLeft + (plotRight-plotLeft)*math.Log2(relative/lowest)/math.Log2(highest/lowest)
}

func x(relative float64) string { return pixels(position(relative)) }

func pixels(at float64) string { return strconv.FormatFloat(at, 'f', 1, 64) }

func tickText(tick float64) string {
	if tick < 1 {
		return "1/" + strconv.Itoa(int(1/tick))
	}
	return strconv.Itoa(int(tick)) + "×"
}
