package bench

import (
	"cmp"
	"fmt"
	"html"
	"math"
	"slices"
	"strings"
)

// A picture has panels one below the other: bars for what a server does with a second of CPU, and
// lines for how its cost grows.
const (
	panelWidth  = 720
	lineHeight  = 260
	barHeight   = 24
	margin      = 20
	labelWidth  = 120
	numberWidth = 90
)

// colours distinguish servers on light and on dark backgrounds.
var colours = []string{"#2f81f7", "#d29922", "#3fb950", "#f778ba", "#a371f7", "#f0883e", "#39c5cf"}

// growthLines are the columns that are drawn against a scenario's size.
var growthLines = []struct {
	scenario string
	column   Column
	title    string
}{
	{"fanout", cpuPerDelivery, "Server CPU per delivery against members of the room"},
	{"rooms", cpuPerDelivery, "Server CPU per delivery against number of rooms"},
	{"history", newestP50, "Newest page (median) against messages in the room"},
	{"history", pageP50, "Page in the middle (median) against messages in the room"},
	{"idle", pssEach, "Memory per connection against number of connections"},
}

type picture struct {
	b strings.Builder
	y float64
}

// Draw returns the report as an SVG picture.
func (r *Report) Draw() string {
	p := &picture{y: margin}
	p.text(margin, p.y+14, "title", fmt.Sprintf("Parley %s, %s", r.Version, r.Machine))
	p.y += 36
	for _, group := range r.groups() {
		p.bars(group)
	}
	for _, g := range growthLines {
		p.lines(g.title, g.column, linesOf(r, g.scenario, g.column))
	}
	return fmt.Sprintf(`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %.0f"
 font-family="system-ui, sans-serif" font-size="13">
<style>
svg { background: #ffffff; } text { fill: #1f2328; } .title { font-weight: 600; }
.soft { fill: #59636e; } .grid { stroke: #d1d9e0; }
@media (prefers-color-scheme: dark) {
svg { background: #0d1117; } text { fill: #f0f6fc; } .soft { fill: #9198a1; } .grid { stroke: #3d444d; }
}
</style>
%s</svg>
`, panelWidth, p.y, p.b.String())
}

func (p *picture) text(x, y float64, class, text string) {
	fmt.Fprintf(&p.b, "<text x=\"%.1f\" y=\"%.1f\" class=\"%s\">%s</text>\n", x, y, class, html.EscapeString(text))
}

// bars draws the deliveries per second of CPU of a case, the most first.
func (p *picture) bars(group []Result) {
	group = slices.DeleteFunc(slices.Clone(group), func(r Result) bool {
		_, ok := r.Values[deliveriesPerCPU.Key]
		return !ok
	})
	if len(group) == 0 {
		return
	}
	of := func(r Result) float64 { return r.Values[deliveriesPerCPU.Key].Median }
	slices.SortStableFunc(group, func(a, b Result) int { return cmp.Compare(of(b), of(a)) })
	p.text(margin, p.y, "title", group[0].Scenario+": deliveries per second of server CPU")
	p.text(margin, p.y+17, "soft", group[0].Setting)
	p.y += 28
	full := float64(panelWidth - 2*margin - labelWidth - numberWidth)
	for _, r := range group {
		width := max(1, of(r)/of(group[0])*full)
		p.text(margin, p.y+16, "", r.Peer)
		fmt.Fprintf(&p.b, "<rect x=\"%d\" y=\"%.1f\" width=\"%.1f\" height=\"%d\" rx=\"3\" fill=\"%s\"/>\n",
			margin+labelWidth, p.y+2, width, barHeight-6, colourOf(r.Peer))
		p.text(float64(margin+labelWidth)+width+8, p.y+16, "", written(of(r), count))
		p.y += barHeight
	}
	p.y += 24
}

func colourOf(peer string) string {
	for i, p := range peers {
		if p.Name == peer {
			return colours[(i+1)%len(colours)]
		}
	}
	return colours[0]
}

// A line shows how one server's value grows.
type line struct {
	peer   string
	points [][2]float64
}

// linesOf returns the lines with at least two points.
func linesOf(r *Report, scenario string, c Column) (lines []line) {
	for _, result := range r.Results {
		v, ok := result.Values[c.Key]
		if result.Scenario != scenario || !ok || v.Median <= 0 || result.Size <= 0 {
			continue
		}
		i := slices.IndexFunc(lines, func(l line) bool { return l.peer == result.Peer })
		if i < 0 {
			i, lines = len(lines), append(lines, line{peer: result.Peer})
		}
		lines[i].points = append(lines[i].points, [2]float64{float64(result.Size), v.Median})
	}
	return slices.DeleteFunc(lines, func(l line) bool {
		slices.SortFunc(l.points, func(a, b [2]float64) int { return cmp.Compare(a[0], b[0]) })
		return len(l.points) < 2
	})
}

// lines draws lines with logarithmic axes. A horizontal line is a cost that does not grow.
func (p *picture) lines(title string, c Column, lines []line) {
	if len(lines) == 0 {
		return
	}
	low, high := [2]float64{math.Inf(1), math.Inf(1)}, [2]float64{}
	for _, l := range lines {
		for _, point := range l.points {
			for axis := range 2 {
				low[axis], high[axis] = min(low[axis], point[axis]), max(high[axis], point[axis])
			}
		}
	}
	low[1], high[1] = tenBelow(low[1]), tenAbove(high[1])
	left, right := float64(margin+60), float64(panelWidth-margin-labelWidth)
	top, bottom := p.y+24, p.y+lineHeight-40
	at := func(point [2]float64) (x, y float64) {
		part := func(axis int) float64 {
			return math.Log(point[axis]/low[axis]) / math.Log(high[axis]/low[axis])
		}
		return left + part(0)*(right-left), bottom - part(1)*(bottom-top)
	}
	p.text(margin, p.y+4, "title", title)
	for v := low[1]; v <= high[1]*1.001; v *= 10 {
		_, y := at([2]float64{low[0], v})
		fmt.Fprintf(&p.b, "<line x1=\"%.1f\" x2=\"%.1f\" y1=\"%.1f\" y2=\"%.1f\" class=\"grid\"/>\n", left, right, y, y)
		p.text(margin, y+4, "soft", written(v, c.Unit))
	}
	for _, point := range lines[0].points {
		x, _ := at(point)
		p.text(x-10, bottom+18, "soft", written(point[0], count))
	}
	for _, l := range lines {
		var path []string
		for _, point := range l.points {
			x, y := at(point)
			path = append(path, fmt.Sprintf("%.1f,%.1f", x, y))
		}
		fmt.Fprintf(&p.b, "<polyline points=\"%s\" fill=\"none\" stroke=\"%s\" stroke-width=\"2\"/>\n",
			strings.Join(path, " "), colourOf(l.peer))
		_, y := at(l.points[len(l.points)-1])
		p.text(right+8, y+4, "", l.peer)
	}
	p.y += lineHeight
}

// tenBelow and tenAbove return the powers of ten below and above v; they differ even if v is a
// power of ten.
func tenBelow(v float64) float64 { return math.Pow(10, math.Floor(math.Log10(v))) }

func tenAbove(v float64) float64 { return math.Pow(10, math.Floor(math.Log10(v))+1) }
