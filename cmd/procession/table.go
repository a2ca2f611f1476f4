package main

import (
	"io"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/dustin/go-humanize"
	"github.com/fatih/color"

	"github.com/procession-go/procession"
)

// printTable shows how each process has ended.
func printTable(c *console, members []*member) error {
	inColour := coloured(c.stdout)
	rows := make([][]string, 0, len(members))
	marks := make([]color.Attribute, 0, len(members))
	for _, m := range members {
		rows = append(rows, []string{
			m.Name, strconv.Itoa(m.PID), exitText(m.exit), durationText(m.exit.Time.Sub(m.StartedAt)), bytesText(m.bytes),
		})
		mark := color.FgGreen
		if codeOf(m.exit) != 0 {
			mark = color.FgRed
		}
		marks = append(marks, mark)
	}
	lines := table([]column{{"NAME", left}, {"PID", right}, {"EXIT", left}, {"DURATION", right}, {"OUTPUT", right}}, rows)
	var b strings.Builder
	b.WriteString("\n" + paint(color.Bold, inColour, lines[0]) + "\n")
	for i, line := range lines[1:] {
		b.WriteString(paint(marks[i], inColour, line) + "\n")
	}
	_, err := io.WriteString(c.stdout, b.String())
	return err
}

// exitText is "0", "3" or "SIGTERM", and why if it did not end by itself.
func exitText(exit procession.Exit) string {
	text := strconv.Itoa(exit.Code)
	if exit.Signal != "" {
		text = exit.Signal
	}
	if exit.Cause != procession.CauseExited {
		text += " (" + exit.Cause.String() + ")"
	}
	return text
}

// durationText is a duration with about three digits.
func durationText(d time.Duration) string {
	unit := time.Millisecond
	switch {
	case d >= time.Minute:
		unit = time.Second
	case d >= time.Second:
		unit = 10 * time.Millisecond
	}
	return d.Round(unit).String()
}

func bytesText(n int64) string { return humanize.IBytes(uint64(n)) }

type align bool

const (
	left  align = false
	right align = true
)

type column struct {
	title string
	align align
}

// table is a line for the titles and one for each row, all columns aligned.
func table(columns []column, rows [][]string) []string {
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
			if columns[i].align == right {
				b.WriteString(padding + cell)
			} else {
				b.WriteString(cell + padding)
			}
		}
		lines = append(lines, strings.TrimRight(b.String(), " "))
	}
	return lines
}
