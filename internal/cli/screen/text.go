package screen

import (
	"time"

	"github.com/dustin/go-humanize"
	"github.com/fatih/color"
)

// Duration is a duration with about three digits.
func Duration(d time.Duration) string {
	unit := time.Millisecond
	switch {
	case d >= time.Minute:
		unit = time.Second
	case d >= time.Second:
		unit = 10 * time.Millisecond
	}
	return d.Round(unit).String()
}

// Bytes is a number of bytes with about three digits.
func Bytes(n int64) string { return humanize.IBytes(uint64(n)) }

// Paint is text in a colour.
func Paint(attribute color.Attribute, inColour bool, text string) string {
	painter := color.New(attribute)
	if inColour {
		painter.EnableColor()
	} else {
		painter.DisableColor()
	}
	return painter.Sprint(text)
}
