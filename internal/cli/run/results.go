package run

import (
	"io"
	"strconv"
	"strings"

	"github.com/fatih/color"

	"github.com/procession-go/procession"
	"github.com/procession-go/procession/internal/cli/console"
	"github.com/procession-go/procession/internal/cli/local"
	"github.com/procession-go/procession/internal/cli/screen"
)

// printTable shows how each process has ended.
func printTable(c *console.Console, processes []*local.Process) error {
	inColour := c.Stdout.Coloured()
	rows := make([][]string, 0, len(processes))
	colours := make([]color.Attribute, 0, len(processes))
	for _, p := range processes {
		rows = append(rows, []string{
			p.Name, strconv.Itoa(p.PID), exitText(p.Exit), screen.Duration(p.Exit.Time.Sub(p.StartedAt)), screen.Bytes(p.Bytes),
		})
		colour := color.FgGreen
		if console.CodeOf(p.Exit) != 0 {
			colour = color.FgRed
		}
		colours = append(colours, colour)
	}
	lines := screen.Table([]screen.Column{screen.Left("NAME"), screen.Right("PID"), screen.Left("EXIT"), screen.Right("DURATION"), screen.Right("OUTPUT")}, rows)
	var b strings.Builder
	b.WriteString("\n" + screen.Paint(color.Bold, inColour, lines[0]) + "\n")
	for i, line := range lines[1:] {
		b.WriteString(screen.Paint(colours[i], inColour, line) + "\n")
	}
	_, err := io.WriteString(c.Stdout, b.String())
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
