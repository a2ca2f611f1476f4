package screen

import (
	"strings"
	"unicode/utf8"
)

// Column is one column of a table.
type Column struct {
	title string
	right bool // its cells are at its right edge
}

// Left is a column whose cells are at its left edge.
func Left(title string) Column { return Column{title: title} }

// Right is a column whose cells are at its right edge.
func Right(title string) Column { return Column{title: title, right: true} }

// Table is a line for the titles and one for each row, all columns aligned.
func Table(columns []Column, rows [][]string) []string {
	titles := make([]string, len(columns))
	widths := make([]int, len(columns))
	for i, c := range columns {
		titles[i] = c.title
		widths[i] = utf8.RuneCountInString(c.title)
		for _, row := range rows {
			widths[i] = max(widths[i], utf8.RuneCountInString(row[i]))
		}
	}
	lines := make([]string, 0, len(rows)+1)
	for _, row := range append([][]string{titles}, rows...) {
		var b strings.Builder
		for i, cell := range row {
			if i > 0 {
				b.WriteString("  ")
			}
			padding := strings.Repeat(" ", widths[i]-utf8.RuneCountInString(cell))
			if columns[i].right {
				b.WriteString(padding + cell)
			} else {
				b.WriteString(cell + padding)
			}
		}
		lines = append(lines, strings.TrimRight(b.String(), " "))
	}
	return lines
}
